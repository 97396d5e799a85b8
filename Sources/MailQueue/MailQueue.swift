import Foundation
import InternetMessage
import Synchronization
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The durable queue: what ``enqueue(_:message:)`` returned for is on disk and survives a crash.
///
/// Every method that touches files blocks and says so: call it on the blocking pool. Thread-safe. In memory it keeps
/// some 150 octets a message and 16 a recipient; envelopes and bodies stay on disk. One process at a time: ``QueueLock``.
public final class MailQueue: Sendable {
    public struct Settings: Sendable {
        public var root: String
        /// Free space that enqueuing must leave (Postfix: `queue_minfree`).
        public var minimumFreeBytes: Int
        /// Messages at the most; more are refused with a temporary error.
        public var maximumMessages: Int

        public init(root: String, minimumFreeBytes: Int = 64 << 20, maximumMessages: Int = 200_000) {
            self.root = root
            self.minimumFreeBytes = minimumFreeBytes
            self.maximumMessages = maximumMessages
        }
    }

    /// What the scheduler needs to know without reading the file.
    public struct Entry: Sendable, Hashable {
        public let id: String
        public let arrival: Date
        /// When the first of its pending recipients is due.
        public let nextAttempt: Date
        public let pendingRecipients: Int
        /// Octets of the content.
        public let byteCount: Int
        /// Kept back until released.
        public var isHeld = false
    }

    /// Stands for a domain where copies stay here.
    public static let localDomain = "(local)"

    /// What start-up found.
    public let recovery: Recovery
    let settings: Settings
    let folders: QueueFolders
    let index: Mutex<QueueIndex>
    /// What was free when somebody looked last.
    let lastFree = Mutex<(octets: Int, at: ContinuousClock.Instant)?>(nil)

    /// Opens the queue, making its folders, and recovers what a former run left. Blocks.
    /// - Throws: ``QueueError`` when the folders cannot be made or read; never for a damaged file.
    public init(_ settings: Settings) throws(QueueError) {
        self.settings = settings
        folders = QueueFolders(root: settings.root)
        try folders.create()
        let found = try Recovery.run(folders)
        recovery = found.recovery
        index = Mutex(found.index)
    }

    /// Messages in the queue.
    public var count: Int { index.withLock { $0.count } }

    /// All messages, for the scheduler's start and for `mailq`; in no order.
    public func entries() -> [Entry] {
        index.withLock { $0.records.compactMap { id, record in record.map { Self.entry(id, $0) } } }
    }

    public func entry(_ id: String) -> Entry? {
        index.withLock { index in index[id].map { Self.entry(id, $0) } }
    }

    static func entry(_ id: String, _ record: QueueIndex.Record) -> Entry {
        let next = record.recipients.lazy.map(\.due).min() ?? .infinity
        return Entry(id: id, arrival: Date(timeIntervalSince1970: record.arrival), nextAttempt: Date(timeIntervalSince1970: next < .infinity ? next : record.arrival),
                     pendingRecipients: record.pendingCount, byteCount: record.byteCount, isHeld: record.isHeld)
    }

    /// Reads a message's envelope with all steps applied. Blocks.
    /// - Throws: ``QueueError/unknownMessage(_:)``, ``QueueError/corrupt(id:reason:)`` or a system error.
    public func load(_ id: String) throws(QueueError) -> QueuedMessage {
        guard entry(id) != nil else { throw .unknownMessage(id) }
        return try Recovery.read(id: id, path: folders.path(of: id))
    }

    /// Removes a message whatever its state, as `postsuper -d`. Blocks.
    public func remove(_ id: String) throws(QueueError) {
        guard entry(id) != nil else { throw .unknownMessage(id) }
        try unlinkFile(id)
        index.withLock { $0.remove(id) }
    }

    func unlinkFile(_ id: String) throws(QueueError) {
        let path = folders.path(of: id)
        guard unlink(path) == 0 || errno == ENOENT else { throw .errno("unlink", path) }
        try folders.sync(of: id).sync()
    }
}
