import MailStore

/// Where a server learns how much of its room an account has used. Without one, QUOTA is not offered.
public protocol QuotaSource: Sendable {
    /// nil: the account has no limit. May read files: Blocks.
    func quota(of account: String) throws -> AccountQuota?
}

/// What the store counts (`mailbox_size_limit`).
public struct StoreQuota: QuotaSource {
    private let store: MailStore

    public init(_ store: MailStore) { self.store = store }

    public func quota(of account: String) throws -> AccountQuota? {
        let limit = store.limit.octets
        return limit > 0 ? AccountQuota(used: UInt64(try store.usage(of: account)), limit: UInt64(limit)) : nil
    }
}

/// An account's room.
public struct AccountQuota: Sendable, Hashable {
    /// Octets.
    public let used: UInt64
    public let limit: UInt64

    public init(used: UInt64, limit: UInt64) {
        self.used = used
        self.limit = limit
    }
}
