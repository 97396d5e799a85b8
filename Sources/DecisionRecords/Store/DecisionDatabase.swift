import Foundation
import GRDB
import StateFiles

/// The tables and the statements over them. Each look-up goes by an index, each removal is bounded: neither grows slower
/// with the number of records.
enum DecisionDatabase {
    static func open(_ path: String) throws(DecisionRecordError) -> DatabaseQueue {
        // A record is larger than a page of SQLite's own size.
        do { return try DatabaseFile.open(path, label: "decisions", pragmas: "PRAGMA page_size = 8192; PRAGMA cache_size = -2048", migrations: [("1", schema)]) } catch {
            throw DecisionRecordError(error)
        }
    }

    static func openReading(_ path: String) throws(DecisionRecordError) -> DatabaseQueue {
        do { return try DatabaseFile.openReading(path) } catch { throw DecisionRecordError(error) }
    }

    /// What is looked for is in columns; the whole record is in `detail`, as JSON. New rows come to the end of the table and of
    /// each index, and old ones go from their beginning, so that a million records are written as quickly as ten: `seq` is
    /// a time (``DecisionPlace``), ids grow with time, and a Message-ID, a stranger's text, is indexed by ``MessageKey``.
    private static let schema = """
        CREATE TABLE record (
            seq INTEGER PRIMARY KEY, id TEXT NOT NULL, mta_id TEXT, message_key INTEGER, detail TEXT NOT NULL, header BLOB);
        CREATE INDEX record_id ON record (id);
        CREATE INDEX record_mta_id ON record (mta_id) WHERE mta_id IS NOT NULL;
        CREATE INDEX record_message ON record (message_key) WHERE message_key IS NOT NULL;
        CREATE TABLE delivery (
            transaction_id TEXT NOT NULL, recipient TEXT NOT NULL, time INTEGER NOT NULL, attempts INTEGER NOT NULL, detail TEXT NOT NULL,
            PRIMARY KEY (transaction_id, recipient)) WITHOUT ROWID;
        CREATE INDEX delivery_time ON delivery (time);
        """

    // MARK: Statements

    static let insertRecord = "INSERT INTO record (seq, id, mta_id, message_key, detail, header) VALUES (?, ?, ?, ?, ?, ?)"
    static let upsertDelivery = """
        INSERT INTO delivery (transaction_id, recipient, time, attempts, detail) VALUES (?, ?, ?, 1, ?)
        ON CONFLICT (transaction_id, recipient) DO UPDATE SET time = excluded.time, attempts = attempts + 1, detail = excluded.detail
        """
    private static let columns = "SELECT detail, header FROM record"
    static let byID = columns + " WHERE id = ? ORDER BY seq DESC LIMIT ?"
    static let byMTAID = columns + " WHERE mta_id = ? ORDER BY seq DESC LIMIT ?"
    static let byMessageKey = columns + " WHERE message_key = ? ORDER BY seq DESC LIMIT ?"
    /// Those after a place: the pages of a walk.
    static let page = "SELECT detail, header, seq FROM record WHERE seq > ? ORDER BY seq LIMIT ?"
    static let lastPlace = "SELECT max(seq) FROM record"
    static let firstPlace = "SELECT min(seq) FROM record"
    static let deliveriesOf = "SELECT detail, attempts FROM delivery WHERE transaction_id = ? ORDER BY recipient LIMIT ?"
    static let purgeRecords = "DELETE FROM record WHERE seq IN (SELECT seq FROM record WHERE seq < ? ORDER BY seq LIMIT ?)"
    static let purgeDeliveries = """
        DELETE FROM delivery WHERE (transaction_id, recipient) IN
            (SELECT transaction_id, recipient FROM delivery WHERE time < ? ORDER BY time LIMIT ?)
        """

    /// - Parameter place: where; the caller sees to it that they grow.
    static func insert(_ db: Database, _ decision: StoredDecision, at place: Int64) throws {
        let record = decision.record
        try db.cachedStatement(sql: insertRecord).execute(arguments: [
            place, record.id, record.mtaID, record.messageID.map { MessageKey.make($0, in: DecisionPlace.time(of: place)) }, String(decoding: record.json, as: UTF8.self),
            decision.header.isEmpty ? nil : Data(decision.header),
        ])
    }

    static func upsert(_ db: Database, _ delivery: DeliveryRecord) throws {
        let detail = String(decoding: try JSONEncoder().encode(delivery), as: UTF8.self)
        try db.cachedStatement(sql: upsertDelivery).execute(arguments: [
            DeliveryRecord.transactionID(of: delivery.queueID), delivery.recipient, delivery.time, detail,
        ])
    }

    /// - Returns: how many went.
    static func purge(_ db: Database, before time: Int, atMost limit: Int) throws -> Int {
        try db.cachedStatement(sql: purgeRecords).execute(arguments: [DecisionPlace.first(at: time), limit])
        let records = db.changesCount
        try db.cachedStatement(sql: purgeDeliveries).execute(arguments: [time, limit])
        return records + db.changesCount
    }

    static func decisions(_ db: Database, _ sql: String, _ arguments: StatementArguments) throws -> [StoredDecision] {
        try Row.fetchAll(db.cachedStatement(sql: sql), arguments: arguments).compactMap(decision)
    }

    static func decision(_ row: Row) -> StoredDecision? {
        let detail: String = row[0], header: Data? = row[1]
        guard let record = try? JSONDecoder().decode(DecisionRecord.self, from: Data(detail.utf8)) else { return nil }
        return StoredDecision(record, header: header.map(Array.init) ?? [])
    }

    static func deliveries(_ db: Database, of id: String, limit: Int) throws -> [DeliveryRecord] {
        try Row.fetchAll(db.cachedStatement(sql: deliveriesOf), arguments: [id, limit]).compactMap { row in
            let detail: String = row[0]
            var delivery = try? JSONDecoder().decode(DeliveryRecord.self, from: Data(detail.utf8))
            delivery?.attempts = row[1]
            return delivery
        }
    }

    static func place(_ db: Database, _ sql: String) throws -> Int64? { try Int64.fetchOne(db.cachedStatement(sql: sql)) }

    /// Those with a Message-ID, the latest first: one look-up for each part of the time that records are kept of.
    static func named(_ db: Database, _ messageID: String, limit: Int) throws -> [StoredDecision] {
        guard let first = try place(db, firstPlace), let last = try place(db, lastPlace) else { return [] }
        var found: [StoredDecision] = []
        for key in MessageKey.all(messageID, from: DecisionPlace.time(of: first), to: DecisionPlace.time(of: last)) where found.count < limit {
            found += try decisions(db, byMessageKey, [key, limit]).filter { $0.record.messageID == messageID }
        }
        return found
    }
}
