import Foundation
import GRDB
import InternetMessage
import NetworkAddress
import StateFiles

/// The tables and the statements over them.
enum TagDatabase {
    /// Domains remembered for one tag: the addresses of a leaked list's spammers are many.
    static let sightingLimit = 1_000

    /// Opens or makes the file, readable by its owner only. Blocks.
    /// - Throws: ``TagLedgerError/cannotOpen(_:_:)``.
    static func open(_ path: String) throws(TagLedgerError) -> DatabaseQueue {
        do { return try DatabaseFile.open(path, label: "tags", migrations: migrations) } catch { throw .cannotOpen(path, error.reason) }
    }

    static let migrations = [(name: "1", sql: schema), (name: "passed-on", sql: passedOn)]

    /// Sightings are told apart by whether the domain wrote itself (`direct`) or had a hand in mail that was passed on.
    private static let passedOn = """
        CREATE TABLE seen (
            tag INTEGER NOT NULL REFERENCES tag ON DELETE CASCADE, domain TEXT NOT NULL, direct INTEGER NOT NULL, method TEXT,
            first INTEGER NOT NULL, last INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (tag, domain, direct)) WITHOUT ROWID;
        INSERT INTO seen SELECT tag, domain, 1, method, first, last, count FROM sighting;
        CREATE TABLE heard (
            tag INTEGER NOT NULL, domain TEXT NOT NULL, direct INTEGER NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL,
            FOREIGN KEY (tag, domain, direct) REFERENCES seen ON DELETE CASCADE);
        INSERT INTO heard SELECT tag, domain, 1, id, at FROM message;
        DROP TABLE message;
        DROP TABLE sighting;
        ALTER TABLE seen RENAME TO sighting;
        ALTER TABLE heard RENAME TO message;
        CREATE INDEX message_sighting ON message (tag, domain, direct);
        """

    /// Times are milliseconds since 1970. AUTOINCREMENT: the id of a forgotten tag must not come to mean another one
    /// while another process still counts for it.
    private static let schema = """
        CREATE TABLE tag (
            id INTEGER PRIMARY KEY AUTOINCREMENT, base TEXT NOT NULL, detail TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'open',
            minted INTEGER NOT NULL DEFAULT 0, learned INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL, UNIQUE (base, detail));
        CREATE INDEX tag_learned ON tag (base, created) WHERE learned;
        CREATE TABLE owner (
            tag INTEGER NOT NULL REFERENCES tag ON DELETE CASCADE, domain TEXT NOT NULL, origin TEXT NOT NULL, since INTEGER NOT NULL,
            PRIMARY KEY (tag, domain)) WITHOUT ROWID;
        CREATE TABLE sighting (
            tag INTEGER NOT NULL REFERENCES tag ON DELETE CASCADE, domain TEXT NOT NULL, method TEXT, first INTEGER NOT NULL,
            last INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (tag, domain)) WITHOUT ROWID;
        CREATE TABLE message (
            tag INTEGER NOT NULL, domain TEXT NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL,
            FOREIGN KEY (tag, domain) REFERENCES sighting ON DELETE CASCADE);
        CREATE INDEX message_sighting ON message (tag, domain);
        """

    static func milliseconds(_ date: Date) -> Int64 { Int64((date.timeIntervalSince1970 * 1_000).rounded()) }
    static func date(_ milliseconds: Int64) -> Date { Date(timeIntervalSince1970: Double(milliseconds) / 1_000) }

    // MARK: What a decision reads

    static let findTag = "SELECT id, state FROM tag WHERE base = ? AND detail = ?"
    static let findOwners = "SELECT domain, origin, since FROM owner WHERE tag = ? ORDER BY since, domain"
    static let learnedOfBase = "SELECT count(*) FROM tag WHERE base = ? AND learned"
    static let learnedLately = "SELECT count(*) FROM tag WHERE base = ? AND learned AND created > ?"
    static let learnedLatelyFrom = "SELECT count(*) FROM tag JOIN owner ON owner.tag = tag.id WHERE base = ? AND learned AND created > ? AND domain = ?"

    static func entry(_ db: Database, _ tag: TagAddress) throws -> TagEntry? {
        let found = try db.cachedStatement(sql: findTag)
        guard let row = try Row.fetchOne(found, arguments: [tag.base.description, tag.detail]) else { return nil }
        let id: Int64 = row["id"]
        let all = try owners(db, id)
        return TagEntry(id: id, state: TagRecord.State(rawValue: row["state"]) ?? .blocked, owners: all.filter { $0.origin != .refused },
                        refused: Set(all.filter { $0.origin == .refused }.map(\.domain)))
    }

    /// The owners and the refused.
    static func owners(_ db: Database, _ id: Int64) throws -> [TagOwner] {
        let statement = try db.cachedStatement(sql: findOwners)
        return try Row.fetchAll(statement, arguments: [id]).compactMap { row in
            DomainName(row["domain"] as String).map {
                TagOwner(domain: $0, origin: TagOwner.Origin(rawValue: row["origin"]) ?? .learned, since: date(row["since"]))
            }
        }
    }

    static func sightings(_ db: Database, _ id: Int64) throws -> [TagSighting] {
        let statement = try db.cachedStatement(sql: "SELECT * FROM sighting WHERE tag = ? ORDER BY last DESC, domain")
        let messages = try db.cachedStatement(sql: "SELECT id FROM message WHERE tag = ? AND domain = ? AND direct = ? ORDER BY at, rowid")
        return try Row.fetchAll(statement, arguments: [id]).map { row in
            let domain: String = row["domain"], direct: Bool = row["direct"]
            return TagSighting(
                domain: domain.isEmpty ? nil : DomainName(domain), isDirect: direct, method: (row["method"] as String?).flatMap { SenderIdentity.Method(rawValue: $0) },
                first: date(row["first"]), last: date(row["last"]), count: row["count"],
                messageIDs: try String.fetchAll(messages, arguments: [id, domain, direct]))
        }
    }

    static func record(_ db: Database, _ row: Row, withSightings: Bool) throws -> TagRecord? {
        guard let base = EmailAddress(row["base"] as String) else { return nil }
        let id: Int64 = row["id"], all = try owners(db, id)
        return TagRecord(
            tag: TagAddress(base: base, detail: row["detail"]), state: TagRecord.State(rawValue: row["state"]) ?? .blocked,
            isMinted: row["minted"], created: date(row["created"]), owners: all.filter { $0.origin != .refused },
            refused: all.filter { $0.origin == .refused },
            sightings: withSightings ? try sightings(db, id) : [])
    }

    // MARK: Writing

    /// The tag's row, made when there is none.
    static func ensure(_ db: Database, _ tag: TagAddress, learned: Bool = false, minted: Bool = false, at: Date) throws -> Int64 {
        let arguments: StatementArguments = [tag.base.description, tag.detail, minted, learned, milliseconds(at)]
        let sql = """
            INSERT INTO tag (base, detail, minted, learned, created) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (base, detail) DO UPDATE SET minted = max(minted, excluded.minted) RETURNING id
            """
        guard let id = try Int64.fetchOne(db.cachedStatement(sql: sql), arguments: arguments) else { throw DatabaseError(message: "no row for \(tag)") }
        return id
    }

    static func addOwner(_ db: Database, _ id: Int64, _ domain: DomainName, _ origin: TagOwner.Origin, at: Date) throws {
        let sql = "INSERT INTO owner (tag, domain, origin, since) VALUES (?, ?, ?, ?) ON CONFLICT (tag, domain) DO UPDATE SET origin = excluded.origin"
        try db.cachedStatement(sql: sql).execute(arguments: [id, domain.text, origin.rawValue, milliseconds(at)])
    }

    /// Adds to a sighting. A tag that was forgotten meanwhile gets none, and one with too many domains no further ones.
    static func add(_ db: Database, _ key: PendingSightings.Key, _ count: PendingSightings.Count) throws {
        let sql = """
            INSERT INTO sighting (tag, domain, direct, method, first, last, count)
            SELECT :tag, :domain, :direct, :method, :first, :last, :count WHERE EXISTS (SELECT 1 FROM tag WHERE id = :tag) AND (
                EXISTS (SELECT 1 FROM sighting WHERE tag = :tag AND domain = :domain AND direct = :direct)
                OR (SELECT count(*) FROM sighting WHERE tag = :tag) < :limit)
            ON CONFLICT (tag, domain, direct) DO UPDATE SET
                method = excluded.method, first = min(first, excluded.first), last = max(last, excluded.last), count = count + excluded.count
            """
        try db.cachedStatement(sql: sql).execute(arguments: [
            "tag": key.tag, "domain": key.domain, "direct": key.isDirect, "method": count.method?.rawValue, "first": milliseconds(count.first),
            "last": milliseconds(count.last), "count": count.count, "limit": sightingLimit,
        ])
        guard db.changesCount > 0 else { return }
        let message = """
            INSERT INTO message (tag, domain, direct, id, at) SELECT :tag, :domain, :direct, :id, :at
            WHERE (SELECT count(*) FROM message WHERE tag = :tag AND domain = :domain AND direct = :direct) < :limit
            """
        for (id, at) in count.messages {
            try db.cachedStatement(sql: message).execute(arguments: [
                "tag": key.tag, "domain": key.domain, "direct": key.isDirect, "id": id, "at": milliseconds(at), "limit": PendingSightings.messageLimit,
            ])
        }
    }
}
