import InternetMessage

/// A tagged address: the base mailbox, and the detail that stood behind the delimiter. Both in lower case, so that
/// `Alice+Shop` and `alice+shop` are one tag. Which characters delimit is the caller's business.
public struct TagAddress: Sendable, Hashable, CustomStringConvertible {
    public let base: EmailAddress
    public let detail: String

    public init(base: EmailAddress, detail: String) {
        self.base = base.folded
        self.detail = detail.lowercased()
    }

    /// `tag "shop" of alice@example.org`
    public var description: String { "tag \"\(detail)\" of \(base)" }
}
