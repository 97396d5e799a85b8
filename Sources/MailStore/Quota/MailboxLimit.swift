import Synchronization

/// How much mail each account may have.
public struct MailboxLimit: Sendable, Hashable {
    /// On disk; 0: no limit.
    public let octets: Int
    /// Whether mail beyond it is to be tried again, rather than returned.
    public let isTemporary: Bool

    public init(octets: Int = 0, isTemporary: Bool = false) {
        self.octets = octets
        self.isTemporary = isTemporary
    }
}

extension MailStore {
    /// The limit in force.
    public var limit: MailboxLimit { limitInForce.value }
    public func setLimit(_ limit: MailboxLimit) { limitInForce.set(limit) }

    /// Octets of an account's mail on disk, in all folders; what other programs brought and took away included. Blocks.
    public func usage(of account: String) throws(StoreError) -> Int { try maildir(for: account).usage() }

    /// Whether the account has room for nothing more. Never looks where there is no limit. Blocks.
    public func isFull(_ account: String) throws(StoreError) -> Bool {
        let limit = limit
        guard limit.octets > 0 else { return false }
        return try usage(of: account) >= limit.octets
    }
}

/// The limit, as everybody of a store sees it.
final class LimitInForce: Sendable {
    private let limit = Mutex(MailboxLimit())
    var value: MailboxLimit { limit.withLock { $0 } }
    func set(_ fresh: MailboxLimit) { limit.withLock { $0 = fresh } }
}

extension Mailboxes {
    /// - Throws: ``StoreError/overQuota(isTemporary:)`` when the account has no room for so many octets more. Blocks.
    func checkRoom(for octets: Int) throws(StoreError) {
        guard let limit = limit?.value, limit.octets > 0, try usage() + octets > limit.octets else { return }
        throw .overQuota(isTemporary: limit.isTemporary)
    }

    /// Octets on disk in all folders. Blocks.
    func usage() throws(StoreError) -> Int {
        var total = 0
        for name in [FolderName.inbox] + (try folders()) {
            let paths = paths(name)
            for path in [paths.new, paths.cur] { total += try sizes.octets(in: path) }
        }
        return total
    }
}

/// What lies in each `new` and `cur` of an account. One that did not change since it was read is not read again.
final class FolderSizes: Sendable {
    private struct Known: Sendable {
        let stamp: FileStamp
        let readAt: Int
        let octets: Int
    }

    private let known = Mutex<[String: Known]>([:])

    func octets(in path: String) throws(StoreError) -> Int {
        let stamp = try FileStamp.of(path), now = FileStamp.now
        guard stamp != .missing else { return 0 }
        if let last = known.withLock({ $0[path] }), last.stamp == stamp, stamp.isSettled(at: last.readAt) { return last.octets }
        var octets = 0
        for name in try Files.fileNames(in: path) where !name.hasPrefix(".") {
            // As Dovecot and Courier count: the name says it; a file that another program put there is asked.
            if let told = MaildirFileName(base: name).physicalSize { octets += told } else { octets += Int(max(try FileStamp.of(path + "/" + name).size, 0)) }
        }
        let fresh = Known(stamp: stamp, readAt: now, octets: octets)
        known.withLock { table in
            // Folders that were renamed or removed must not gather.
            if table.count > 4096 { table = [:] }
            table[path] = fresh
        }
        return octets
    }
}
