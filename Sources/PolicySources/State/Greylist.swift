import GRDB
import Policy
import Synchronization

/// First attempts and who has passed. A triplet of client network, sender and recipient waits once; a network that
/// delivered often enough waits no more. Rows end by themselves, and their number is bounded. All block.
public final class Greylist: Sendable {
    /// Triplets and networks kept.
    static let rowLimit = 1_000_000
    private static let purgeInterval = 3_600
    /// A row in use is not written again for each message.
    private static let touchInterval = 3_600

    private struct State {
        var rows: Int
        var nextPurge = 0
    }

    private let database: DatabaseQueue
    private let limit: Int
    private let state: Mutex<State>

    init(_ database: DatabaseQueue, limit: Int = rowLimit) throws {
        self.database = database
        self.limit = limit
        let rows = try database.read { db in try Int.fetchOne(db, sql: "SELECT (SELECT count(*) FROM triplet) + (SELECT count(*) FROM network)") }
        state = Mutex(State(rows: rows ?? 0))
    }

    /// - Returns: seconds to wait; 0: the message may come.
    func attempt(_ attempt: GreylistAttempt, at now: Int) throws -> Int {
        try database.write { db in
            try purge(db, now)
            let terms = attempt.terms
            if terms.trustAfter > 0, try isTrusted(db, attempt, now) { return 0 }
            let key = attempt.key
            let statement = try db.cachedStatement(sql: "SELECT first, passed, expires FROM triplet WHERE key = ? AND expires > ?")
            guard let row = try Row.fetchOne(statement, arguments: [key, now]) else {
                try put(db, key, first: now, passed: false, expires: now + terms.retryWithin)
                return terms.delay
            }
            let first: Int = row["first"], passed: Bool = row["passed"], expires: Int = row["expires"]
            guard passed || now - first >= terms.delay else { return terms.delay - (now - first) }
            if !passed { try succeed(db, attempt, now) }
            if !passed || expires < now + terms.keep - Self.touchInterval {
                try put(db, key, first: first, passed: true, expires: now + terms.keep)
            }
            return 0
        }
    }

    private func isTrusted(_ db: Database, _ attempt: GreylistAttempt, _ now: Int) throws -> Bool {
        let statement = try db.cachedStatement(sql: "SELECT passes, expires FROM network WHERE network = ?")
        guard let row = try Row.fetchOne(statement, arguments: [attempt.network]) else { return false }
        let passes: Int = row["passes"], expires: Int = row["expires"]
        guard expires > now, passes >= attempt.terms.trustAfter else { return false }
        if expires < now + attempt.terms.keep - Self.touchInterval {
            try db.execute(sql: "UPDATE network SET expires = ? WHERE network = ?", arguments: [now + attempt.terms.keep, attempt.network])
        }
        return true
    }

    /// A first delivery counts for the network.
    private func succeed(_ db: Database, _ attempt: GreylistAttempt, _ now: Int) throws {
        guard attempt.terms.trustAfter > 0 else { return }
        try db.execute(sql: """
            INSERT INTO network (network, passes, expires) VALUES (:network, 1, :expires)
            ON CONFLICT (network) DO UPDATE SET passes = CASE WHEN expires > :now THEN passes + 1 ELSE 1 END, expires = :expires
            """, arguments: ["network": attempt.network, "expires": now + attempt.terms.keep, "now": now])
        state.withLock { $0.rows += 1 }
    }

    private func put(_ db: Database, _ key: String, first: Int, passed: Bool, expires: Int) throws {
        let sql = "INSERT OR REPLACE INTO triplet (key, first, passed, expires) VALUES (?, ?, ?, ?)"
        try db.cachedStatement(sql: sql).execute(arguments: [key, first, passed, expires])
        if !passed { state.withLock { $0.rows += 1 } }
    }

    /// Removes what has ended, once an hour or when it is full; then, if it is still full, what would end first.
    private func purge(_ db: Database, _ now: Int) throws {
        let (rows, due) = state.withLock { ($0.rows, now >= $0.nextPurge) }
        guard due || rows >= limit else { return }
        try db.execute(sql: "DELETE FROM triplet WHERE expires <= ?", arguments: [now])
        try db.execute(sql: "DELETE FROM network WHERE expires <= ?", arguments: [now])
        var left = try Int.fetchOne(db, sql: "SELECT (SELECT count(*) FROM triplet) + (SELECT count(*) FROM network)") ?? 0
        if left >= limit {
            let room = max(limit / 20, 1)
            for table in ["triplet", "network"] {
                try db.execute(sql: "DELETE FROM \(table) WHERE rowid IN (SELECT rowid FROM \(table) ORDER BY expires LIMIT ?)", arguments: [room])
            }
            left = try Int.fetchOne(db, sql: "SELECT (SELECT count(*) FROM triplet) + (SELECT count(*) FROM network)") ?? 0
        }
        state.withLock { $0 = State(rows: left, nextPurge: now + Self.purgeInterval) }
    }

    /// Triplets and networks there are. For tests.
    func rowCount() throws -> Int {
        try database.read { try Int.fetchOne($0, sql: "SELECT (SELECT count(*) FROM triplet) + (SELECT count(*) FROM network)") ?? 0 }
    }
}

extension GreylistAttempt {
    /// Sender and recipient cannot hold a tab unquoted, and quoted they cannot be taken for another's.
    fileprivate var key: String { "\(network)\t\(sender?.folded.description ?? "")\t\(recipient.folded)" }
}
