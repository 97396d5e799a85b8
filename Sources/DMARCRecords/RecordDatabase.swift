import DMARC
import Foundation
import GRDB
import StateFiles

/// The table and the statements over it.
enum RecordDatabase {
    static func open(_ path: String) throws(DMARCRecordError) -> DatabaseQueue {
        do { return try DatabaseFile.open(path, label: "dmarc", migrations: [("1", schema)]) } catch { throw DMARCRecordError(error) }
    }

    /// What reports and summaries select by is in columns; the whole row is in `detail`, as JSON.
    private static let schema = """
        CREATE TABLE evaluation (
            id INTEGER PRIMARY KEY, time INTEGER NOT NULL, source TEXT NOT NULL, header_from TEXT NOT NULL, policy_domain TEXT,
            result TEXT NOT NULL, disposition TEXT NOT NULL, dkim INTEGER NOT NULL, spf INTEGER NOT NULL, detail TEXT NOT NULL);
        CREATE INDEX evaluation_time ON evaluation (time);
        CREATE INDEX evaluation_policy ON evaluation (policy_domain, time);
        """

    static func insert(_ db: Database, _ row: DMARCEvaluationRecord) throws {
        let sql = """
            INSERT INTO evaluation (time, source, header_from, policy_domain, result, disposition, dkim, spf, detail)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        let detail = String(decoding: row.json, as: UTF8.self)
        try db.cachedStatement(sql: sql).execute(arguments: [
            row.time, row.source, row.headerFrom, row.policy?.domain, row.result, row.disposition.rawValue, row.dkimAligned, row.spfAligned, detail,
        ])
    }

    static func purge(_ db: Database, before time: Int) throws {
        try db.execute(sql: "DELETE FROM evaluation WHERE time < ?", arguments: [time])
    }

    static func rows(_ db: Database, since: Int, limit: Int) throws -> [DMARCEvaluationRecord] {
        let details = try String.fetchAll(db, sql: "SELECT detail FROM evaluation WHERE time >= ? ORDER BY time, id LIMIT ?", arguments: [since, limit])
        return details.compactMap { try? JSONDecoder().decode(DMARCEvaluationRecord.self, from: Data($0.utf8)) }
    }

    static func summaries(_ db: Database, since: Int, limit: Int) throws -> [DMARCSourceSummary] {
        let sql = """
            SELECT header_from, source, count(*), sum(result = 'pass'), sum(dkim), sum(spf), sum(disposition = 'quarantine'),
                sum(disposition = 'reject'), min(time), max(time)
            FROM evaluation WHERE time >= ? GROUP BY header_from, source ORDER BY count(*) DESC, header_from, source LIMIT ?
            """
        return try Row.fetchAll(db, sql: sql, arguments: [since, limit]).map {
            DMARCSourceSummary(headerFrom: $0[0], source: $0[1], messages: $0[2], passed: $0[3], dkimAligned: $0[4], spfAligned: $0[5],
                               quarantined: $0[6], rejected: $0[7], first: $0[8], last: $0[9])
        }
    }
}
