import Foundation
import NetworkAddress

/// A tag as the ledger keeps it.
public struct TagRecord: Sendable, Hashable {
    public enum State: String, Sendable, Hashable { case open, blocked, revoked }

    public let tag: TagAddress
    public let state: State
    /// Whether it was made by ``TagLedger/mint(for:base:label:at:)``.
    public let isMinted: Bool
    public let created: Date
    public let owners: [TagOwner]
    /// Domains that shall never own it.
    public let refused: [TagOwner]
    /// Who wrote to it, the latest first; empty in listings.
    public let sightings: [TagSighting]
}

/// A domain to which a tag belongs.
public struct TagOwner: Sendable, Hashable {
    public enum Origin: String, Sendable, Hashable {
        /// It wrote first. A guess until somebody confirms it.
        case learned
        /// Named beforehand, or allowed later.
        case declared
        /// Learned, then confirmed.
        case confirmed
        /// Shall never own it; its mail is a leak.
        case refused
    }

    public let domain: DomainName
    public let origin: Origin
    public let since: Date
}

/// A domain that wrote to a tag.
public struct TagSighting: Sendable, Hashable {
    /// nil: everything that was not authenticated.
    public let domain: DomainName?
    /// Whether it wrote to the tag itself; false for mail that a forwarder or a list passed on and for what a rule exempts.
    public let isDirect: Bool
    public let method: SenderIdentity.Method?
    public let first: Date
    public let last: Date
    public let count: Int
    /// The message ids of the first few.
    public let messageIDs: [String]
}

/// A tag that somebody used to whom it does not belong.
public struct TagLeak: Sendable, Hashable {
    public let tag: TagAddress
    /// Who had it.
    public let owners: [TagOwner]
    /// Who used it.
    public let offender: TagSighting
}
