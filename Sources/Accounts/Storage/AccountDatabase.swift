import Foundation
import GRDB

/// The SQLite file: accounts and the addresses they own. Every method blocks.
struct AccountDatabase: Sendable {
    struct Row: Sendable, Hashable {
        let name: String
        let passwordHash: String
        /// ``SCRAMKeys`` as text; nil for an account from before they were kept.
        let scram: String?
        let addresses: [String]
        /// nil where the settings' limit holds.
        var limit: AccountLimit?
    }

    let queue: DatabaseQueue

    /// Opens the file, made readable by its owner alone, in WAL mode.
    init(path: String) throws(AccountError) {
        if !FileManager.default.fileExists(atPath: path) {
            _ = FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
        }
        queue = try Self.guarded {
            var configuration = Configuration()
            configuration.busyMode = .timeout(5)
            configuration.prepareDatabase { try $0.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL") }
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try Self.migrator.migrate(queue)
            return queue
        }
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 accounts") { db in
            // `scram` is for SCRAM-SHA-256 stored keys (RFC 5802 §3), which need another derivation than the hash.
            try db.execute(sql: """
                CREATE TABLE account (name TEXT PRIMARY KEY NOT NULL, password TEXT NOT NULL, scram TEXT) STRICT;
                CREATE TABLE address (
                    address TEXT PRIMARY KEY NOT NULL,
                    account TEXT NOT NULL REFERENCES account(name) ON DELETE CASCADE) STRICT;
                CREATE INDEX address_account ON address(account);
                """)
        }
        migrator.registerMigration("2 limits") { db in
            try db.execute(sql: """
                CREATE TABLE account_limit (
                    account TEXT PRIMARY KEY NOT NULL REFERENCES account(name) ON DELETE CASCADE,
                    messages INTEGER NOT NULL, recipients INTEGER NOT NULL, window INTEGER NOT NULL) STRICT;
                """)
        }
        migrator.registerMigration("3 app passwords") { try $0.execute(sql: appPasswordSchema) }
        return migrator
    }

    /// Changes whenever another connection, of this or another process, has committed.
    func version() throws(AccountError) -> Int {
        // `read` would switch query_only on and off around it, which costs twice what the question does.
        try Self.guarded { try queue.unsafeRead { try Int.fetchOne($0.cachedStatement(sql: "PRAGMA data_version")) ?? 0 } }
    }

    func rows() throws(AccountError) -> [Row] {
        try Self.guarded {
            try queue.read { db in
                var addresses: [String: [String]] = [:]
                for row in try GRDB.Row.fetchAll(db, sql: "SELECT account, address FROM address ORDER BY rowid") {
                    addresses[row[0], default: []].append(row[1])
                }
                var limits: [String: AccountLimit] = [:]
                for row in try GRDB.Row.fetchAll(db, sql: "SELECT account, messages, recipients, window FROM account_limit") {
                    limits[row[0]] = AccountLimit(messages: row[1], recipients: row[2], window: row[3])
                }
                return try GRDB.Row.fetchAll(db, sql: "SELECT name, password, scram FROM account ORDER BY name").map {
                    Row(name: $0[0], passwordHash: $0[1], scram: $0[2], addresses: addresses[$0[0]] ?? [], limit: limits[$0[0]])
                }
            }
        }
    }

    func insert(name: String, hash: String, scram: String?, addresses: [String]) throws(AccountError) {
        try Self.guarded {
            try queue.write { db in
                guard try !Self.exists(name, db) else { throw AccountError.alreadyExists(name) }
                try db.execute(sql: "INSERT INTO account (name, password, scram) VALUES (?, ?, ?)", arguments: [name, hash, scram])
                for address in addresses { try Self.insert(address, of: name, db) }
            }
        }
    }

    func remove(name: String) throws(AccountError) {
        try change(name) { db in
            try db.execute(sql: "DELETE FROM account WHERE name = ?", arguments: [name])
            try db.execute(sql: "DELETE FROM app_password WHERE account = ?", arguments: [name])
        }
    }

    func setPassword(name: String, hash: String, scram: String?) throws(AccountError) {
        try change(name) { try $0.execute(sql: "UPDATE account SET password = ?, scram = ? WHERE name = ?", arguments: [hash, scram, name]) }
    }

    /// Only while the password is the one they were made from, and nobody else has made some.
    func addSCRAM(_ scram: String, name: String, hash: String) throws(AccountError) {
        try Self.guarded {
            try queue.write {
                try $0.execute(sql: "UPDATE account SET scram = ? WHERE name = ? AND password = ? AND scram IS NULL", arguments: [scram, name, hash])
            }
        }
    }

    func add(address: String, to name: String) throws(AccountError) { try change(name) { try Self.insert(address, of: name, $0) } }

    func remove(address: String, from name: String) throws(AccountError) {
        try change(name) { try $0.execute(sql: "DELETE FROM address WHERE address = ? AND account = ?", arguments: [address, name]) }
    }

    /// - Parameter limit: nil for none of its own.
    func setLimit(_ limit: AccountLimit?, of name: String) throws(AccountError) {
        try change(name) { db in
            try db.execute(sql: "DELETE FROM account_limit WHERE account = ?", arguments: [name])
            guard let limit else { return }
            try db.execute(sql: "INSERT INTO account_limit VALUES (?, ?, ?, ?)", arguments: [name, limit.messages, limit.recipients, limit.window])
        }
    }

    private func change(_ name: String, _ work: (Database) throws -> Void) throws(AccountError) {
        try Self.guarded {
            try queue.write { db in
                guard try Self.exists(name, db) else { throw AccountError.noSuchAccount(name) }
                try work(db)
            }
        }
    }

    private static func exists(_ name: String, _ db: Database) throws -> Bool {
        try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM account WHERE name = ?)", arguments: [name]) ?? false
    }

    private static func insert(_ address: String, of name: String, _ db: Database) throws {
        if let owner = try String.fetchOne(db, sql: "SELECT account FROM address WHERE address = ?", arguments: [address]) {
            if owner == name { return }
            throw AccountError.addressTaken(address, by: owner)
        }
        try db.execute(sql: "INSERT INTO address (address, account) VALUES (?, ?)", arguments: [address, name])
    }

    static func guarded<Value>(_ work: () throws -> Value) throws(AccountError) -> Value {
        do { return try work() } catch let error as AccountError { throw error } catch let error as DatabaseError {
            // Its description would hold the statement's arguments; the message never does.
            throw .database(error.message ?? "SQLite error \(error.resultCode.rawValue)")
        } catch { throw .database("cannot be opened or read") }
    }
}
