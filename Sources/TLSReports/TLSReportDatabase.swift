import Foundation
import GRDB
import StateFiles

/// The table and the statements over it.
enum TLSReportDatabase {
    static func open(_ path: String) throws(TLSReportError) -> DatabaseQueue {
        do { return try DatabaseFile.open(path, label: "tlsrpt", migrations: [("1", schema)]) } catch { throw TLSReportError(error) }
    }

    /// Lists are JSON.
    private static let schema = """
        CREATE TABLE session (
            day TEXT NOT NULL, domain TEXT NOT NULL, policy_type TEXT NOT NULL, policy TEXT NOT NULL, mx TEXT NOT NULL, result TEXT NOT NULL,
            mx_host TEXT NOT NULL, address TEXT NOT NULL, reason TEXT NOT NULL, sessions INTEGER NOT NULL,
            PRIMARY KEY (day, domain, policy_type, policy, mx, result, mx_host, address, reason)) WITHOUT ROWID
        """

    static func add(_ db: Database, _ row: TLSReportRow, _ sessions: Int) throws {
        let sql = """
            INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET sessions = sessions + excluded.sessions
            """
        try db.cachedStatement(sql: sql).execute(arguments: [
            row.day, row.domain, row.policyType, try json(row.policy), try json(row.mxPatterns), row.result, row.mxHost, row.address, row.reason, sessions,
        ])
    }

    static func purge(_ db: Database, before day: String) throws {
        try db.execute(sql: "DELETE FROM session WHERE day < ?", arguments: [day])
    }

    static func rows(_ db: Database, from: String, until: String, domain: String?) throws -> [TLSReportRow] {
        let sql = "SELECT * FROM session WHERE day >= ? AND day <= ? AND (? IS NULL OR domain = ?) ORDER BY day, domain, policy_type, policy, result, mx_host, address"
        return try Row.fetchAll(db, sql: sql, arguments: [from, until, domain, domain]).map { row in
            TLSReportRow(day: row[0], domain: row[1], policyType: row[2], policy: list(row[3]), mxPatterns: list(row[4]), result: row[5], mxHost: row[6],
                         address: row[7], reason: row[8], sessions: row[9])
        }
    }

    private static func json(_ list: [String]) throws -> String { String(decoding: try JSONEncoder().encode(list), as: UTF8.self) }
    private static func list(_ text: String) -> [String] { (try? JSONDecoder().decode([String].self, from: Data(text.utf8))) ?? [] }
}
