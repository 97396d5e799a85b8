import Foundation
import GRDB
import InternetMessage
import NetworkAddress

/// What the owner of the tags and the administrator do. Every change is on disk when its call returns. All block.
extension TagLedger {
    /// Makes `label-check` for the base address, owned by that domain and nobody else.
    /// - Parameter label: nil takes the domain's first label.
    /// - Throws: ``TagLedgerError`` or SQLite's error.
    public func mint(for owner: DomainName, base: EmailAddress, label: String? = nil, at: Date) throws -> TagAddress {
        let tag = try mint.mint(label ?? owner.labels.first.map(String.init) ?? "", base: base)
        try writeDurably(tag) { db in
            if try TagDatabase.entry(db, tag)?.state == .revoked { throw TagLedgerError.revokedLabel(label ?? tag.detail) }
            try TagDatabase.addOwner(db, TagDatabase.ensure(db, tag, minted: true, at: at), owner, .declared, at: at)
        }
        return tag
    }

    /// Adds an owner, beforehand or later: a shop's mailing service. Makes the tag when there is none.
    public func allow(_ tag: TagAddress, _ domain: DomainName, at: Date) throws {
        try writeDurably(tag) { db in
            try TagDatabase.addOwner(db, TagDatabase.ensure(db, tag, at: at), domain, .declared, at: at)
        }
    }

    /// ``allow(_:_:at:)`` for many at once, in one transaction: the addresses of a whole address book.
    public func declare(_ tags: [TagAddress], _ domain: DomainName, at: Date) throws {
        guard let last = tags.last else { return }
        try writeDurably(last) { db in
            for tag in tags { try TagDatabase.addOwner(db, TagDatabase.ensure(db, tag, at: at), domain, .declared, at: at) }
        }
        state.withLock { $0.cache.removeAll() }
    }

    /// Takes an owner away; from then on its mail is a leak, unless it was the only owner: then the tag is free again.
    /// - Throws: ``TagLedgerError/unknownTag(_:)``, ``TagLedgerError/notAnOwner(_:_:)``.
    public func disallow(_ tag: TagAddress, _ domain: DomainName) throws {
        try change(tag) { db, id in
            try db.execute(sql: "DELETE FROM owner WHERE tag = ? AND domain = ? AND origin <> 'refused'", arguments: [id, domain.text])
            guard db.changesCount > 0 else { throw TagLedgerError.notAnOwner(domain, tag) }
        }
    }

    /// The domain shall never own the tag: an owner no more, and its mail is a leak, what it wrote before included.
    /// Makes the tag when there is none.
    public func refuse(_ tag: TagAddress, _ domain: DomainName, at: Date) throws {
        try writeDurably(tag) { db in
            try TagDatabase.addOwner(db, TagDatabase.ensure(db, tag, at: at), domain, .refused, at: at)
        }
    }

    /// Confirms what was learned.
    /// - Parameter domain: nil confirms the owners there are. A domain becomes the owner, and owners that were only
    ///   learned go: this sets right what a stranger who wrote first has spoilt, and makes that stranger a leak.
    public func confirm(_ tag: TagAddress, _ domain: DomainName? = nil, at: Date) throws {
        try change(tag) { db, id in
            if let domain {
                try TagDatabase.addOwner(db, id, domain, .confirmed, at: at)
                try db.execute(sql: "DELETE FROM owner WHERE tag = ? AND origin = 'learned'", arguments: [id])
            } else {
                try db.execute(sql: "UPDATE owner SET origin = 'confirmed' WHERE tag = ? AND origin = 'learned'", arguments: [id])
            }
        }
    }

    /// No more mail to the tag, from anyone. Makes the tag when there is none.
    public func block(_ tag: TagAddress, at: Date) throws { try setState(tag, .blocked, at) }
    /// As ``block(_:at:)``, for good: a minted label is not minted again.
    public func revoke(_ tag: TagAddress, at: Date) throws { try setState(tag, .revoked, at) }
    /// Opens a blocked or revoked tag again.
    public func unblock(_ tag: TagAddress) throws {
        try change(tag) { db, id in try db.execute(sql: "UPDATE tag SET state = 'open' WHERE id = ?", arguments: [id]) }
    }

    /// Removes everything about a tag; the next authenticated sender binds it anew.
    public func forget(_ tag: TagAddress) throws {
        try change(tag) { db, id in try db.execute(sql: "DELETE FROM tag WHERE id = ?", arguments: [id]) }
    }

    /// Tags in the order of their addresses, without sightings.
    public func list(base: EmailAddress? = nil, limit: Int = 1_000, offset: Int = 0) throws -> [TagRecord] {
        try reading { db in
            let sql = "SELECT * FROM tag WHERE (:base IS NULL OR base = :base) ORDER BY base, detail LIMIT :limit OFFSET :offset"
            return try Row.fetchAll(db, sql: sql, arguments: ["base": base?.folded.description, "limit": limit, "offset": offset])
                .compactMap { try TagDatabase.record(db, $0, withSightings: false) }
        }
    }

    /// All about one tag; nil when it is not in the ledger.
    public func show(_ tag: TagAddress) throws -> TagRecord? {
        try reading { db in
            let sql = "SELECT * FROM tag WHERE base = ? AND detail = ?"
            return try Row.fetchOne(db, sql: sql, arguments: [tag.base.description, tag.detail]).flatMap { try TagDatabase.record(db, $0, withSightings: true) }
        }
    }

    private func setState(_ tag: TagAddress, _ state: TagRecord.State, _ at: Date) throws {
        try writeDurably(tag) { db in
            let id = try TagDatabase.ensure(db, tag, minted: mint.examine(tag) == .genuine, at: at)
            try db.execute(sql: "UPDATE tag SET state = ? WHERE id = ?", arguments: [state.rawValue, id])
        }
    }

    /// A durable change of a tag that must be there.
    private func change(_ tag: TagAddress, _ change: (Database, Int64) throws -> Void) throws {
        try writeDurably(tag) { db in
            guard let entry = try TagDatabase.entry(db, tag) else { throw TagLedgerError.unknownTag(tag) }
            try change(db, entry.id)
        }
    }

    /// Reads with all counters written, those of other processes aside.
    func reading<Value>(_ body: (Database) throws -> Value) throws -> Value {
        guard !state.withLock({ $0.isClosed }) else { throw TagLedgerError.closed }
        try flush()
        return try database.read(body)
    }
}
