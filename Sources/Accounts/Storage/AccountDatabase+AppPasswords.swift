import GRDB

/// The table of app passwords. It does not refer to `account`: those of a passwd-file have some as well.
extension AccountDatabase {
    struct AppPasswordRow: Sendable, Hashable {
        let facts: AppPassword
        /// Empty once it is revoked.
        let hash: String
        /// ``SCRAMKeys`` as text.
        let scram: String?
    }

    static let appPasswordSchema = """
        CREATE TABLE app_password (
            id TEXT PRIMARY KEY NOT NULL, account TEXT NOT NULL, name TEXT NOT NULL, password TEXT NOT NULL, scram TEXT,
            created INTEGER NOT NULL, used INTEGER, used_from TEXT, revoked INTEGER) STRICT;
        CREATE UNIQUE INDEX app_password_name ON app_password(account, name) WHERE revoked IS NULL;
        """

    func appPasswords() throws(AccountError) -> [AppPasswordRow] {
        try Self.guarded {
            try queue.read { db in
                try GRDB.Row.fetchAll(db, sql: "SELECT id, account, name, created, used, used_from, revoked, password, scram FROM app_password ORDER BY account, name, created").map {
                    AppPasswordRow(facts: AppPassword(id: $0[0], account: $0[1], name: $0[2], created: $0[3], lastUsed: $0[4], lastClient: $0[5], revoked: $0[6]),
                                   hash: $0[7], scram: $0[8])
                }
            }
        }
    }

    /// Adds it, and forgets what was revoked long ago.
    func insert(_ row: AppPasswordRow) throws(AccountError) {
        let facts = row.facts
        try Self.guarded {
            try queue.write { db in
                try db.execute(sql: "DELETE FROM app_password WHERE revoked < ?", arguments: [facts.created - AppPassword.mourning])
                let names = try String.fetchAll(db, sql: "SELECT name FROM app_password WHERE account = ? AND revoked IS NULL", arguments: [facts.account])
                guard !names.contains(facts.name) else { throw AccountError.deviceTaken(facts.name, of: facts.account) }
                guard names.count < AppPassword.limit else { throw AccountError.tooManyDevices(facts.account) }
                try db.execute(sql: "INSERT INTO app_password (id, account, name, password, scram, created) VALUES (?, ?, ?, ?, ?, ?)",
                               arguments: [facts.id, facts.account, facts.name, row.hash, row.scram, facts.created])
            }
        }
    }

    /// Its secrets go at once, its name stays for a while.
    /// - Parameter name: of the device, or the id.
    func revokeAppPassword(_ name: String, of account: String, now: Int) throws(AccountError) -> String {
        try Self.guarded {
            try queue.write { db in
                let found = try GRDB.Row.fetchOne(db, sql: "SELECT id, name FROM app_password WHERE account = ? AND revoked IS NULL AND (name = ? OR id = ?) ORDER BY name <> ?",
                                             arguments: [account, name, name, name])
                guard let found else { throw AccountError.noSuchDevice(name, of: account) }
                let id: String = found[0]
                try db.execute(sql: "UPDATE app_password SET revoked = ?, password = '', scram = NULL WHERE id = ?", arguments: [now, id])
                return found[1]
            }
        }
    }

    func noteUse(of id: String, from client: String?, now: Int) throws(AccountError) {
        try Self.guarded {
            try queue.write { try $0.execute(sql: "UPDATE app_password SET used = ?, used_from = ? WHERE id = ? AND revoked IS NULL", arguments: [now, client, id]) }
        }
    }
}
