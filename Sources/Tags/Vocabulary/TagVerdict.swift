import NetworkAddress

/// What the ledger says of a message to a tag. The raw values are the words of rules and headers.
public enum TagStatus: String, Sendable, Hashable, CaseIterable {
    /// First authenticated mail: the tag now belongs to its sender.
    case new
    /// From an owner.
    case match
    /// From an authenticated domain that is no owner.
    case leaked
    /// Nothing was authenticated, or nothing more may be learned: it proves nothing, neither bond nor leak.
    case unverified
    /// Looks minted, and its check part is wrong.
    case guessed
    case blocked
    case revoked

    /// Orders statuses where one must speak for several recipients: the higher the graver.
    public var severity: Int {
        switch self {
        case .match: 0
        case .new: 1
        case .unverified: 2
        case .leaked: 3
        case .guessed: 4
        case .revoked: 5
        case .blocked: 6
        }
    }
}

/// What is known at RCPT, before any authentication.
public enum TagRcptStatus: String, Sendable, Hashable, CaseIterable {
    case blocked, revoked, guessed
    /// In the ledger, or minted with this installation's key.
    case known
    case unknown
}

public struct TagVerdict: Sendable, Hashable {
    public let status: TagStatus
    public let tag: TagAddress
    /// To whom the tag belongs after this message, in the order in which they became owners.
    public let owners: [DomainName]
    /// The domain to which it does not belong, when leaked.
    public let offender: DomainName?
    /// One sentence for the tag's owner and the administrator. Never for the sender.
    public let explanation: String

    public init(status: TagStatus, tag: TagAddress, owners: [DomainName] = [], offender: DomainName? = nil, explanation: String) {
        self.status = status
        self.tag = tag
        self.owners = owners
        self.offender = offender
        self.explanation = explanation
    }
}
