import Foundation
import GRDB

/// Reads the records while a gateway writes them. Every method blocks.
public final class DecisionArchive: Sendable {
    private let database: DatabaseQueue
    private let path: String
    /// Recipients of one message whose deliveries are told.
    private static let deliveryLimit = 1000

    /// - Throws: ``DecisionRecordError`` also when there is no such file.
    public init(path: String) throws(DecisionRecordError) {
        self.path = path
        guard FileManager.default.fileExists(atPath: path) else { throw DecisionRecordError(path: path, reason: "there is no such file") }
        database = try DecisionDatabase.openReading(path)
    }

    public func close() { try? database.close() }

    /// The latest records that an id names: a transaction's or queue entry's id, the id of the MTA in front of us, or a
    /// Message-ID with or without its angle brackets.
    public func find(_ id: String, limit: Int = 20) throws(DecisionRecordError) -> [StoredDecision] {
        let bare = id.hasPrefix("<") && id.hasSuffix(">") ? String(id.dropFirst().dropLast()) : id
        return try reading { db in
            let own = try DecisionDatabase.decisions(db, DecisionDatabase.byID, [DeliveryRecord.transactionID(of: bare), limit])
            let foreign = try DecisionDatabase.decisions(db, DecisionDatabase.byMTAID, [bare, limit])
            let named = try DecisionDatabase.named(db, bare, limit: limit)
            var seen: Set<String> = []
            let all = (bare.contains("@") ? named + own : own + foreign + named).filter { seen.insert($0.record.id).inserted }
            return Array(all.sorted { $0.record.time > $1.record.time }.prefix(limit))
        }
    }

    /// How far the queue has come with a message's copies.
    public func deliveries(of id: String) throws(DecisionRecordError) -> [DeliveryRecord] {
        try reading { try DecisionDatabase.deliveries($0, of: id, limit: Self.deliveryLimit) }
    }

    /// The records since a time, oldest first, a page at a time.
    /// - Parameter since: milliseconds since 1970.
    public func walk(since: Int) -> Walk { Walk(archive: self, place: DecisionPlace.first(at: since) - 1) }

    public struct Walk {
        fileprivate let archive: DecisionArchive
        fileprivate var place: Int64
        private static let pageSize = 200

        /// nil at the end. Blocks.
        public mutating func next() throws(DecisionRecordError) -> [StoredDecision]? {
            let place = place
            let rows = try archive.reading { try Row.fetchAll($0.cachedStatement(sql: DecisionDatabase.page), arguments: [place, Self.pageSize]) }
            guard let last = rows.last else { return nil }
            self.place = last[2]
            return rows.compactMap(DecisionDatabase.decision)
        }
    }

    /// How many there are since a time.
    public func count(since: Int) throws(DecisionRecordError) -> Int {
        try reading { try Int.fetchOne($0, sql: "SELECT count(*) FROM record WHERE seq >= ?", arguments: [DecisionPlace.first(at: since)]) ?? 0 }
    }

    fileprivate func reading<Value>(_ body: (Database) throws -> Value) throws(DecisionRecordError) -> Value {
        do { return try database.read(body) } catch { throw DecisionRecordError(path: path, reason: "\(error)") }
    }
}
