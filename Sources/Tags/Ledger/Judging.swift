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

    /// What the rules made of a message before the ledger remembers it.
    public enum Ruling: Sendable, Hashable {
        case taken
        /// Refused or thrown away: counted, so that a leak stays on record, but nothing is learned from it.
        case refused
        /// A rule says that this message is no evidence, and why.
        case exempt(String)
    }

    /// What a message to a tag would mean if it were taken; remembers nothing. May block.
    /// - Throws: SQLite's error or ``TagLedgerError/closed``.
    public func assess(tag: TagAddress, identity: SenderIdentity) throws -> TagVerdict {
        let known = try entry(of: tag)
        return Verdicts(tag: tag, entry: known).verdict(opinion(tag, identity, known))
    }

    /// What a message to a tag means, and remembers it. A first-use binding is on disk when this returns.
    ///
    /// Only authenticated identities bind or leak: see contrib/docs/tags.md. May block.
    /// - Throws: SQLite's error or ``TagLedgerError/closed``.
    public func judge(tag: TagAddress, identity: SenderIdentity, messageID: String, at: Date, ruling: Ruling = .taken) throws -> TagVerdict {
        var entry = try entry(of: tag), opinion = ruled(self.opinion(tag, identity, entry), ruling)
        if case .binds(let party) = opinion.finding {
            let (present, isBound) = try bind(tag, party.domain, at)
            if !isBound {
                // Another message or process was faster, or nothing more may be learned.
                opinion = ruled(self.opinion(tag, identity, present), ruling)
                if case .binds = opinion.finding { opinion.finding = .provesNothing(.tooMany(party)) }
            }
            entry = present
        }
        if let entry { count(entry, opinion, messageID, at) }
        return Verdicts(tag: tag, entry: entry).verdict(opinion)
    }

    private func opinion(_ tag: TagAddress, _ identity: SenderIdentity, _ entry: TagEntry?) -> Opinion {
        Opinion(identity, entry, isGuess: entry == nil && mint.examine(tag) == .wrong)
    }

    private func ruled(_ opinion: Opinion, _ ruling: Ruling) -> Opinion {
        switch ruling {
        case .taken: opinion
        case .refused: opinion.refused()
        case .exempt(let reason): opinion.exempted(reason)
        }
    }

    /// Makes the domain the tag's owner, unless another message or process was faster.
    /// - Returns: the entry as it then is, nil when the limits forbid to learn; and whether it was bound here.
    private func bind(_ tag: TagAddress, _ domain: DomainName, _ at: Date) throws -> (TagEntry?, Bool) {
        let isMinted = mint.examine(tag) == .genuine
        let bound = try writeDurably(tag) { db -> Bool in
            let present = try TagDatabase.entry(db, tag)
            if let present, !present.owners.isEmpty || present.state != .open || present.refused.contains(domain) { return false }
            // A tag that is declared or minted exists by its owner's will; only those that senders make are limited.
            if present == nil, !isMinted, try !mayLearn(db, tag, domain, at) { return false }
            let id = try TagDatabase.ensure(db, tag, learned: present == nil && !isMinted, minted: isMinted, at: at)
            try TagDatabase.addOwner(db, id, domain, .learned, at: at)
            return true
        }
        return (try entry(of: tag), bound)
    }

    private func mayLearn(_ db: Database, _ tag: TagAddress, _ domain: DomainName, _ at: Date) throws -> Bool {
        let base = tag.base.description, dayBefore = TagDatabase.milliseconds(at) - 86_400_000
        func count(_ sql: String, _ arguments: StatementArguments) throws -> Int {
            try Int.fetchOne(db.cachedStatement(sql: sql), arguments: arguments) ?? 0
        }
        let limits = options.learning
        guard try count(TagDatabase.learnedOfBase, [base]) < limits.perBase,
            try count(TagDatabase.learnedLately, [base, dayBefore]) < limits.perBaseAndDay else { return false }
        return try count(TagDatabase.learnedLatelyFrom, [base, dayBefore, domain.text]) < limits.perDomainAndDay
    }
}
