import NetworkAddress

/// What follows from a sender's identity and what the ledger has on a tag, before anything is written. No database, no
/// clock: the rules of contrib/docs/tags.md, line by line.
struct Opinion: Equatable {
    enum Finding: Equatable {
        /// The check part of a minted tag is wrong.
        case guessed
        /// The tag is blocked or revoked.
        case closed
        /// The domain becomes the owner.
        case binds(SenderIdentity.Party)
        case belongs(SenderIdentity.Party)
        case leaks(SenderIdentity.Party)
        case provesNothing(Reason)
    }

    /// Why a message is no evidence.
    enum Reason: Equatable {
        case unauthenticated
        /// From names an owner, but only that other domain is authenticated: a mailing service of the owner's, somebody
        /// who hands the owner's mail on, or a forger.
        case claimsOwner(SenderIdentity.Party)
        /// It came by a forwarder or a list, and none of those who were authenticated is an owner.
        case passedOn(SenderIdentity.Party)
        case exempted(String)
        /// Nothing is learned from what the rules refused.
        case refused(SenderIdentity.Party)
        /// Too many tags were learned lately.
        case tooMany(SenderIdentity.Party)
    }

    var finding: Finding
    /// Under whose name the message is counted; nil: nobody's.
    var seen: SenderIdentity.Party?
    /// Whether that one wrote to the tag itself. What was passed on or exempted is counted apart and is never a leak.
    var isDirect = true

    /// - Parameter isGuess: the tag looks minted and its check part is wrong.
    init(_ identity: SenderIdentity, _ entry: TagEntry?, isGuess: Bool) {
        if entry == nil, isGuess {
            self.init(finding: .guessed)
            return
        }
        self = identity.passage.map { Self.passedOn(identity, $0, entry) } ?? Self.direct(identity, entry)
        // Whoever writes: its owner wants no more mail. Counted all the same.
        if let entry, entry.state != .open { finding = .closed }
    }

    private init(finding: Finding, seen: SenderIdentity.Party? = nil, isDirect: Bool = true) {
        self.finding = finding
        self.seen = seen
        self.isDirect = isDirect
    }

    private static func direct(_ identity: SenderIdentity, _ entry: TagEntry?) -> Opinion {
        let speakers = identity.speakers
        guard let first = speakers.first else { return Opinion(finding: .provesNothing(.unauthenticated)) }
        if let owner = speakers.first(where: { entry?.isOwned(by: $0.domain) == true }) { return Opinion(finding: .belongs(owner), seen: owner) }
        let acceptable = speakers.first { entry?.refused.contains($0.domain) != true }
        if entry?.owners.isEmpty != false {
            return acceptable.map { Opinion(finding: .binds($0), seen: $0) } ?? Opinion(finding: .leaks(first), seen: first)
        }
        // An accusation needs a sender who speaks for himself.
        if identity.author == nil, let claimed = identity.claimedAuthor, entry?.isOwned(by: claimed) == true, acceptable != nil {
            return Opinion(finding: .provesNothing(.claimsOwner(first)), seen: first, isDirect: false)
        }
        return Opinion(finding: .leaks(first), seen: first)
    }

    /// Of those who had a hand in it any may be the owner: the author, the list, the mailbox that sends on. None of them
    /// is accused: the author need not have known the tag, and whoever passes mail on did not write it.
    private static func passedOn(_ identity: SenderIdentity, _ passage: SenderIdentity.Passage, _ entry: TagEntry?) -> Opinion {
        let everybody = identity.everybody
        guard let first = everybody.first else { return Opinion(finding: .provesNothing(.unauthenticated)) }
        if let owner = everybody.first(where: { entry?.isOwned(by: $0.domain) == true }) {
            return Opinion(finding: .belongs(owner), seen: owner, isDirect: false)
        }
        if entry?.owners.isEmpty != false, let learned = learnable(identity, passage), entry?.refused.contains(learned.domain) != true {
            return Opinion(finding: .binds(learned), seen: learned, isDirect: false)
        }
        return Opinion(finding: .provesNothing(.passedOn(first)), seen: first, isDirect: false)
    }

    /// Of a list the list itself, when it is proven; of a forwarder's mail the proven author. SPF of a forwarder says who
    /// forwarded and nothing else.
    private static func learnable(_ identity: SenderIdentity, _ passage: SenderIdentity.Passage) -> SenderIdentity.Party? {
        switch passage {
        case .list(let list): identity.everybody.first { $0.domain == list }
        case .forwarder: identity.author
        }
    }

    /// As it stands when a rule exempts the message: neither bond nor leak.
    func exempted(_ reason: String) -> Opinion {
        switch finding {
        case .guessed, .closed: self
        default: Opinion(finding: .provesNothing(.exempted(reason)), seen: seen, isDirect: false)
        }
    }

    /// As it stands when the message is refused: whoever was kept out does not become an owner.
    func refused() -> Opinion {
        guard case .binds(let party) = finding else { return self }
        return Opinion(finding: .provesNothing(.refused(party)), seen: party, isDirect: isDirect)
    }
}
