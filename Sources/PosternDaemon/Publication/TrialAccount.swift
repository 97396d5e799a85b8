import Accounts
import BlockingPool
import Foundation
import InternetMessage
import NetworkAddress

/// An account that `postern doctor` sends itself mail with, for the time of a check: nobody's mailbox is touched, and its
/// password is nowhere but in memory.
public struct TrialAccount: Sendable {
    public let address: EmailAddress
    public let password: String
    /// Where its mail is stored.
    public let mailbox: String
    private let store: AccountStore
    /// Sorts behind every other account: the first one is postmaster.
    private static let prefix = "~postern-doctor-"

    /// Makes the account, after removing what an earlier run left behind. As root the process becomes `user` for good. Blocks.
    /// - Throws: why there can be none, in words.
    public init(_ settings: Settings) throws {
        store = try LiveParts.openAccounts(settings)
        let root = settings[Known.dataDirectory].path + "/mail/"
        for old in try store.list() where old.name.hasPrefix(Self.prefix) { try Self.remove(old.name, root + old.name, store) }
        guard let domain = settings[Known.mydestination].first else { throw Privileges.Failure(description: "mydestination is empty: there is nobody to send to") }
        address = EmailAddress(localPart: Self.prefix + String(UInt64.random(in: 0...UInt64.max), radix: 36), domain: domain).folded
        password = (0..<4).map { _ in String(UInt64.random(in: 0...UInt64.max), radix: 36) }.joined()
        mailbox = root + address.description
        try store.add(address.description, password: password, addresses: [address])
    }

    /// Removes the account and its mail. Blocks.
    public func remove() throws { try Self.remove(address.description, mailbox, store) }

    private static func remove(_ name: String, _ mailbox: String, _ store: AccountStore) throws {
        try store.remove(name)
        if FileManager.default.fileExists(atPath: mailbox) { try FileManager.default.removeItem(atPath: mailbox) }
    }
}
