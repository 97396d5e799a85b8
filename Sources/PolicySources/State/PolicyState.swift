import Dispatch
import Foundation
import GRDB
import StateFiles
import Synchronization

/// What the rules remember from message to message, in one SQLite file: the greylist, and the counters of accounts.
public final class PolicyState: Sendable {
    public struct Failure: Error, Sendable, CustomStringConvertible {
        public let description: String
    }

    let rates: RateCounters
    let greylist: Greylist
    private let database: DatabaseQueue
    private let isClosed = Mutex(false)
    private let report: @Sendable (String) -> Void
    private static let flushInterval = Duration.seconds(5)

    /// Opens the file, making it when there is none. Blocks.
    /// - Parameter report: told when counters could not be written.
    /// - Throws: ``Failure``.
    public init(path: String, report: @escaping @Sendable (String) -> Void = { _ in }) throws(Failure) {
        self.report = report
        do {
            database = try StateDatabase.open(path)
            rates = RateCounters(accounts: try database.read(StateDatabase.counters))
            greylist = try Greylist(database)
        } catch { throw Failure(description: "the state of the rules in \(path) cannot be opened: \(error)") }
        Repeating.every(Self.flushInterval, on: DispatchQueue(label: "postern.policy.flush", qos: .utility), of: self) { state in
            guard !state.isClosed.withLock({ $0 }) else { return false }
            state.flush()
            return true
        }
    }

    /// Writes the counters of accounts that moved. Blocks.
    public func flush() {
        let changed = rates.takeChanged()
        guard !changed.isEmpty else { return }
        do { try database.write { db in try StateDatabase.save(db, changed, at: Int(Date().timeIntervalSince1970)) } } catch {
            rates.putBack(changed.map(\.key))
            report("\(error)")
        }
    }

    /// Writes what is left and closes the file. Blocks.
    public func close() {
        guard !isClosed.withLock({ closed in
            defer { closed = true }
            return closed
        }) else { return }
        flush()
        try? database.close()
    }
}

/// The tables.
enum StateDatabase {
    /// A crash may lose the last moments: a client waits once more, an account gets a few messages.
    static func open(_ path: String) throws(StateFileError) -> DatabaseQueue { try DatabaseFile.open(path, label: "policy", migrations: [("1", schema)]) }

    /// Times are seconds since 1970.
    private static let schema = """
        CREATE TABLE triplet (key TEXT PRIMARY KEY, first INTEGER NOT NULL, passed INTEGER NOT NULL, expires INTEGER NOT NULL);
        CREATE INDEX triplet_expires ON triplet (expires);
        CREATE TABLE network (network TEXT PRIMARY KEY, passes INTEGER NOT NULL, expires INTEGER NOT NULL);
        CREATE INDEX network_expires ON network (expires);
        CREATE TABLE counter (
            key TEXT PRIMARY KEY, window INTEGER NOT NULL, stretch INTEGER NOT NULL, current INTEGER NOT NULL, previous INTEGER NOT NULL
        ) WITHOUT ROWID;
        """

    static func counters(_ db: Database) throws -> [String: RateCounters.Counter] {
        let rows = try Row.fetchAll(db, sql: "SELECT * FROM counter LIMIT ?", arguments: [RateCounters.accountLimit])
        return Dictionary(rows.map { row in
            let count = SlidingCount(stretch: row["stretch"], current: row["current"], previous: row["previous"])
            return (row["key"], RateCounters.Counter(count: count, window: row["window"]))
        }) { $1 }
    }

    static func save(_ db: Database, _ counters: [(key: String, counter: RateCounters.Counter)], at now: Int) throws {
        let statement = try db.cachedStatement(sql: "INSERT OR REPLACE INTO counter (key, window, stretch, current, previous) VALUES (?, ?, ?, ?, ?)")
        for (key, counter) in counters {
            try statement.execute(arguments: [key, counter.window, counter.count.stretch, counter.count.current, counter.count.previous])
        }
        try db.execute(sql: "DELETE FROM counter WHERE ? / window > stretch + 1", arguments: [now])
    }
}
