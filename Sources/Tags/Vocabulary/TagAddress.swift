import InternetMessage
import NetworkAddress

/// A tagged address: the base mailbox, and the detail that stood behind the delimiter. Both in lower case, so that
/// `Alice+Shop` and `alice+shop` are one tag. Which characters delimit is the caller's business.
public struct TagAddress: Sendable, Hashable, CustomStringConvertible {
    public let base: EmailAddress
    public let detail: String

    public init(base: EmailAddress, detail: String) {
        self.base = base.folded
        self.detail = detail.lowercased()
    }

    /// The tag that a local part is where a catch-all takes it: all of it is the detail, and the base is `*@domain`,
    /// whichever account the catch-all leads to.
    public init(localPart: String, inCatchAll domain: DomainName) {
        self.init(base: EmailAddress(localPart: "*", domain: domain), detail: localPart)
    }

    /// Whether the address is one of a catch-all's.
    public var isOfCatchAll: Bool { base.localPart == "*" }

    /// `tag "shop" of alice@example.org`
    public var description: String { "tag \"\(detail)\" of \(base)" }
}
