import Foundation
import GRDB
import StateFiles

/// Counts what each account sends, in an SQLite file: a restart forgives nothing.
///
/// The window slides: of the stretch of time before the present one that part counts which the window still covers.
public final class AccountLedger: Sendable {
    /// What became of a charge.
    public struct Charge: Sendable, Hashable {
        /// In the window, this message included.
        public let use: AccountUse
        public let isOver: Bool
        /// The administrator has not been told yet on this day (UTC).
        public let isFirstOfDay: Bool
    }

    private struct Row {
        var window: Int
        var stretch: Int
        var messages = (now: 0, before: 0)
        var recipients = (now: 0, before: 0)
        var toldDay: Int?
    }

    private let database: DatabaseQueue

    /// Opens the file, or makes it. Blocks.
    /// - Throws: ``AccountError``.
    public init(path: String) throws(AccountError) {
        // A power failure may lose the last messages' count, a crash of the process none.
        do { database = try DatabaseFile.open(path, label: "use", migrations: [("1 use", Self.schema)]) } catch { throw .database(error.reason) }
    }

    /// Times are seconds since 1970; a stretch is their number divided by the window.
    private static let schema = """
        CREATE TABLE account_use (
            account TEXT PRIMARY KEY NOT NULL, window INTEGER NOT NULL, stretch INTEGER NOT NULL,
            messages INTEGER NOT NULL, messages_before INTEGER NOT NULL, recipients INTEGER NOT NULL, recipients_before INTEGER NOT NULL,
            told_day INTEGER) STRICT;
        """

    /// Adds a message. Blocks.
    /// - Parameters:
    ///   - recipients: of the message.
    ///   - now: seconds since 1970. A clock that is set neither forgives anything nor makes it count for longer than a window.
    /// - Throws: ``AccountError`` when it cannot be written.
    public func charge(_ account: String, recipients: Int, limit: AccountLimit, now: Int) throws(AccountError) -> Charge {
        try Self.guarded {
            try database.write { db in
                var row = Self.moved(try Self.read(account, db), to: now, window: limit.window)
                row.messages.now += 1
                row.recipients.now += recipients
                let use = Self.use(row, now)
                let isOver = use.isOver(limit), day = now / 86_400
                let isFirst = isOver && row.toldDay != day
                if isFirst { row.toldDay = day }
                try Self.write(row, of: account, db)
                return Charge(use: use, isOver: isOver, isFirstOfDay: isFirst)
            }
        }
    }

    /// Takes back a message that was not taken after all. Blocks.
    public func refund(_ account: String, recipients: Int) throws(AccountError) {
        try Self.guarded {
            try database.write { db in
                try db.execute(sql: "UPDATE account_use SET messages = max(messages - 1, 0), recipients = max(recipients - ?, 0) WHERE account = ?", arguments: [recipients, account])
            }
        }
    }

    /// What the account has sent within the window that ends now. Blocks.
    public func use(of account: String, limit: AccountLimit, now: Int) throws(AccountError) -> AccountUse {
        try Self.guarded { try database.read { Self.use(Self.moved(try Self.read(account, $0), to: now, window: limit.window), now) } }
    }

    private static func use(_ row: Row, _ now: Int) -> AccountUse {
        let covered = row.window - min(max(now - row.stretch * row.window, 0), row.window)
        return AccountUse(messages: row.messages.now + row.messages.before * covered / row.window,
                          recipients: row.recipients.now + row.recipients.before * covered / row.window)
    }

    /// The row as it stands in the present stretch. With another window the counts begin anew in it.
    private static func moved(_ row: Row?, to now: Int, window: Int) -> Row {
        let present = now / window
        guard var row, row.window == window else {
            let carried = row.map { use(moved($0, to: now, window: $0.window), now) }
            return Row(window: window, stretch: present, messages: (carried?.messages ?? 0, 0), recipients: (carried?.recipients ?? 0, 0), toldDay: row?.toldDay)
        }
        guard present > row.stretch else {
            row.stretch = present
            return row
        }
        let isNext = present == row.stretch + 1
        row.messages = (0, isNext ? row.messages.now : 0)
        row.recipients = (0, isNext ? row.recipients.now : 0)
        row.stretch = present
        return row
    }

    private static func read(_ account: String, _ db: Database) throws -> Row? {
        try GRDB.Row.fetchOne(db.cachedStatement(sql: "SELECT * FROM account_use WHERE account = ?"), arguments: [account]).map {
            Row(window: max($0["window"], 1), stretch: $0["stretch"], messages: ($0["messages"], $0["messages_before"]),
                recipients: ($0["recipients"], $0["recipients_before"]), toldDay: $0["told_day"])
        }
    }

    private static func write(_ row: Row, of account: String, _ db: Database) throws {
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO account_use VALUES (?, ?, ?, ?, ?, ?, ?, ?)").execute(arguments: [
            account, row.window, row.stretch, row.messages.now, row.messages.before, row.recipients.now, row.recipients.before, row.toldDay,
        ])
    }

    private static func guarded<Value>(_ work: () throws -> Value) throws(AccountError) -> Value {
        do { return try work() } catch let error as DatabaseError {
            throw .database(error.message ?? "SQLite error \(error.resultCode.rawValue)")
        } catch { throw .database("cannot be opened or read") }
    }

    /// Blocks.
    public func close() { try? database.close() }
}
