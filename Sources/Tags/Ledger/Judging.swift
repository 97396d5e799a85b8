import Foundation
import GRDB
import NetworkAddress

extension TagLedger {
    /// What is known at RCPT, before anything is authenticated. May block, see ``TagLedger``.
    /// - Throws: SQLite's error or ``TagLedgerError/closed``.
    public func status(of tag: TagAddress) throws -> TagRcptStatus {
        switch try entry(of: tag)?.state {
        case .blocked: .blocked
        case .revoked: .revoked
        case .open: .known
        case nil:
            switch mint.examine(tag) {
            case .wrong: .guessed
            case .genuine: .known
            case .notMinted: .unknown
            }
        }
    }

    /// What a message to a tag means, and remembers it. A first-use binding is on disk when this returns.
    ///
    /// Only authenticated identities bind or leak; of the identity the strongest method alone is looked at. May block.
    /// - Throws: SQLite's error or ``TagLedgerError/closed``.
    public func judge(tag: TagAddress, identity: SenderIdentity, messageID: String, at: Date) throws -> TagVerdict {
        let known = try entry(of: tag)
        if known == nil, mint.examine(tag) == .wrong { return Verdicts(tag, []).guessed }
        guard let sender = identity.deciding else {
            if let known { count(known, nil, nil, messageID, at) }
            return Verdicts(tag, known?.owners ?? []).closed(known) ?? Verdicts(tag, known?.owners ?? []).unverified
        }
        var entry = known
        var isNew = false
        if known == nil || known?.state == .open && known?.owners.isEmpty == true {
            (entry, isNew) = try bind(tag, sender.first, at)
            guard entry != nil else { return Verdicts(tag, []).notLearned(sender.first) }
        }
        guard let entry else { return Verdicts(tag, []).unverified }
        let owner = sender.domains.first { domain in entry.owners.contains { $0.domain == domain } }
        count(entry, owner ?? sender.first, sender.method, messageID, at)
        let verdicts = Verdicts(tag, entry.owners)
        if let closed = verdicts.closed(entry) { return closed }
        guard let owner else { return verdicts.leaked(sender.first, sender.method) }
        return isNew ? verdicts.new(owner, sender.method) : verdicts.match(owner, sender.method)
    }

    /// Makes the domain the tag's owner, unless another message or process was faster.
    /// - Returns: the entry as it then is, nil when the limits forbid to learn; and whether it was bound here.
    private func bind(_ tag: TagAddress, _ domain: DomainName, _ at: Date) throws -> (TagEntry?, Bool) {
        let isMinted = mint.examine(tag) == .genuine
        let bound = try writeDurably(tag) { db -> Bool? in
            let present = try TagDatabase.entry(db, tag)
            if let present, !present.owners.isEmpty || present.state != .open { return false }
            // A tag that is declared or minted exists by its owner's will; only those that senders make are limited.
            if present == nil, !isMinted, try !mayLearn(db, tag, domain, at) { return nil }
            let id = try TagDatabase.ensure(db, tag, learned: present == nil && !isMinted, minted: isMinted, at: at)
            try TagDatabase.addOwner(db, id, domain, .learned, at: at)
            return true
        }
        guard let bound else { return (nil, false) }
        return (try entry(of: tag), bound)
    }

    private func mayLearn(_ db: Database, _ tag: TagAddress, _ domain: DomainName, _ at: Date) throws -> Bool {
        let base = tag.base.description, dayBefore = TagDatabase.milliseconds(at) - 86_400_000
        func count(_ sql: String, _ arguments: StatementArguments) throws -> Int {
            try Int.fetchOne(db.cachedStatement(sql: "SELECT count(*) FROM tag " + sql), arguments: arguments) ?? 0
        }
        let limits = options.learning
        guard try count("WHERE base = ? AND learned", [base]) < limits.perBase,
            try count("WHERE base = ? AND learned AND created > ?", [base, dayBefore]) < limits.perBaseAndDay else { return false }
        return try count("JOIN owner ON owner.tag = tag.id WHERE base = ? AND learned AND created > ? AND domain = ?", [base, dayBefore, domain.text])
            < limits.perDomainAndDay
    }
}

/// Verdicts on one tag, each with its sentence.
private struct Verdicts {
    let tag: TagAddress
    let owners: [TagOwner]

    init(_ tag: TagAddress, _ owners: [TagOwner]) {
        self.tag = tag
        self.owners = owners
    }

    private func verdict(_ status: TagStatus, offender: DomainName? = nil, _ explanation: String) -> TagVerdict {
        TagVerdict(status: status, tag: tag, owners: owners.map(\.domain), offender: offender, explanation: explanation)
    }

    private var belonging: String {
        guard !owners.isEmpty else { return "belongs to nobody yet" }
        let guess = owners.allSatisfy { $0.origin == .learned } ? ", who wrote first" : ""
        return "belongs to " + owners.map(\.domain.text).joined(separator: " and ") + guess
    }

    func closed(_ entry: TagEntry?) -> TagVerdict? {
        switch entry?.state {
        case .blocked: verdict(.blocked, "The \(tag) is blocked.")
        case .revoked: verdict(.revoked, "The \(tag) is revoked.")
        case .open, nil: nil
        }
    }

    var guessed: TagVerdict { verdict(.guessed, "The \(tag) looks minted, but its check part is wrong: somebody guessed it.") }

    var unverified: TagVerdict {
        verdict(.unverified, "No sending domain was authenticated, which proves nothing; the \(tag) \(belonging).")
    }

    func notLearned(_ domain: DomainName) -> TagVerdict {
        verdict(.unverified, "\(domain) wrote to the new \(tag), but too many tags of that address were learned lately; nothing was bound.")
    }

    func new(_ domain: DomainName, _ method: SenderIdentity.Method) -> TagVerdict {
        verdict(.new, "First mail to the \(tag): it now belongs to \(domain), authenticated by \(method.name).")
    }

    func match(_ domain: DomainName, _ method: SenderIdentity.Method) -> TagVerdict {
        verdict(.match, "\(domain), authenticated by \(method.name), is an owner of the \(tag).")
    }

    func leaked(_ domain: DomainName, _ method: SenderIdentity.Method) -> TagVerdict {
        verdict(.leaked, offender: domain, "\(domain), authenticated by \(method.name), used the \(tag), which \(belonging).")
    }
}

extension SenderIdentity.Method {
    fileprivate var name: String { rawValue.uppercased() }
}
