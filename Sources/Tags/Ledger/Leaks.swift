import Foundation
import GRDB
import InternetMessage

extension TagLedger {
    /// Who used tags that belong to others, the latest first. A domain that is allowed afterwards is a leak no more; one
    /// that wrote first and was set right by ``confirm(_:_:at:)`` or refused becomes one. Blocks.
    public func leaks(since: Date? = nil, base: EmailAddress? = nil, limit: Int = 1_000) throws -> [TagLeak] {
        try reading { db in
            let arguments: StatementArguments = [
                "since": since.map(TagDatabase.milliseconds) ?? 0, "base": base?.folded.description, "limit": limit,
            ]
            var records: [Int64: TagRecord] = [:]
            return try Row.fetchAll(db, sql: Self.leakQuery, arguments: arguments).compactMap { row in
                let id: Int64 = row["id"], domain: String = row["domain"]
                let record = try records[id] ?? TagDatabase.record(db, row, withSightings: true)
                records[id] = record
                guard let record, let offender = record.sightings.first(where: { $0.isDirect && $0.domain?.text == domain }) else { return nil }
                return TagLeak(tag: record.tag, owners: record.owners, offender: offender)
            }
        }
    }

    private static let leakQuery = """
        SELECT tag.*, sighting.domain FROM sighting JOIN tag ON tag.id = sighting.tag
        LEFT JOIN owner AS word ON word.tag = sighting.tag AND word.domain = sighting.domain
        WHERE sighting.domain <> '' AND direct AND sighting.last >= :since AND (:base IS NULL OR tag.base = :base)
        AND (word.origin = 'refused' OR word.origin IS NULL AND EXISTS
            (SELECT 1 FROM owner WHERE owner.tag = tag.id AND owner.origin <> 'refused'))
        ORDER BY sighting.last DESC, tag.base, tag.detail, sighting.domain LIMIT :limit
        """
}
