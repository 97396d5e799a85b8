import Dispatch
import Foundation
import GRDB
import InternetMessage
import NetworkAddress
import StateFiles
import Synchronization

/// To whom each tag belongs, and who used it.
///
/// Decisions come from memory: a cache of bindings, refilled from SQLite on a miss. What changes a later verdict (a
/// first-use binding, an owner, a block) is committed and synced to disk before the call returns, so an acknowledged
/// message never rests on a binding that a crash can take back. Counters and last-seen times are gathered and written
/// together, at most ``Options/flushInterval`` later; a crash loses those of that time and no more.
///
/// Several processes may use one file: each looks whether another one wrote (see ``Options/refreshInterval``), and then
/// forgets its cache. Every call may block on SQLite, for microseconds as a rule and for five seconds at the
/// most when another process is writing: call from the blocking pool.
public final class TagLedger: Sendable {
    public struct Options: Sendable {
        /// Tags whose binding is kept in memory.
        public var cacheLimit = 16_384
        /// Counters that may wait to be written; the call that reaches the bound writes them.
        public var pendingLimit = 4_096
        /// How long counters wait; nil: until ``TagLedger/flush()`` or ``TagLedger/close()``.
        public var flushInterval: Duration? = .seconds(1)
        /// How long another process's change may go unseen. Zero: each call looks, which costs microseconds, so that a block
        /// made by a command takes effect for the next message.
        public var refreshInterval: Duration = .zero
        public var learning = LearningLimits()
        /// Told when counters could not be written; they are tried again with the next ones.
        public var reportFlushFailure: @Sendable (any Error) -> Void = { _ in }
        public init() {}
    }

    /// How many tags senders may make, so that nobody fills the ledger by writing to alice+1, alice+2 and so on. Past a
    /// limit mail is `unverified`; tags that are declared or minted do not count.
    public struct LearningLimits: Sendable, Hashable {
        /// Learned tags of one base address altogether.
        public var perBase = 5_000
        /// Learned within 24 hours, from anyone.
        public var perBaseAndDay = 200
        /// Learned within 24 hours from one domain.
        public var perDomainAndDay = 20
        public init() {}
    }

    struct State {
        var cache: TagCache
        var pending = PendingSightings()
        var dataVersion: Int?
        var nextLook: ContinuousClock.Instant
        var isClosed = false
    }

    let database: DatabaseQueue
    let options: Options
    let mint: TagMint
    let state: Mutex<State>

    /// Opens the ledger, making its file when there is none. Blocks.
    /// - Parameter mintingKey: at least 16 octets, the same on every node; see ``MintingKey``.
    /// - Throws: ``TagLedgerError``.
    public init(path: String, mintingKey: [UInt8], options: Options = Options()) throws(TagLedgerError) {
        mint = try TagMint(key: mintingKey)
        database = try TagDatabase.open(path)
        self.options = options
        state = Mutex(State(cache: TagCache(limit: options.cacheLimit), nextLook: .now))
        if let interval = options.flushInterval {
            Repeating.every(interval, on: DispatchQueue(label: "postern.tags.flush", qos: .utility), of: self) { ledger in
                guard !ledger.state.withLock({ $0.isClosed }) else { return false }
                ledger.writePending()
                return true
            }
        }
    }

    deinit { writePending() }

    /// Writes what is pending and takes no more. Blocks.
    public func close() {
        writePending()
        let wasOpen = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        if wasOpen { try? database.close() }
    }

    /// Writes the gathered counters. Blocks.
    /// - Throws: SQLite's error; nothing is lost then, up to ``Options/pendingLimit``.
    public func flush() throws {
        let pending = state.withLock { state in
            defer { state.pending = PendingSightings() }
            return state.pending
        }
        guard !pending.isEmpty else { return }
        do {
            try database.write { db in for (key, count) in pending.counts { try TagDatabase.add(db, key, count) } }
        } catch {
            putBack(pending)
            throw error
        }
    }

    private func putBack(_ pending: PendingSightings) {
        state.withLock { state in
            for (key, count) in pending.counts where state.pending.counts.count < options.pendingLimit { state.pending.merge(key, count) }
        }
    }

    private func writePending() {
        do { try flush() } catch { options.reportFlushFailure(error) }
    }
}

// MARK: The cache
extension TagLedger {
    /// What is known of a tag, from memory where it can be.
    func entry(of tag: TagAddress) throws -> TagEntry? {
        try refreshIfDue()
        let cached: TagEntry?? = try state.withLock { state in
            if state.isClosed { throw TagLedgerError.closed }
            return state.cache.find(tag)
        }
        if let cached { return cached }
        return try database.unsafeRead { db in try reload(db, tag) }
    }

    /// Reads a tag anew. Caching happens while the connection is held, so an older reading never covers a newer one.
    @discardableResult
    func reload(_ db: Database, _ tag: TagAddress) throws -> TagEntry? {
        let entry = try TagDatabase.entry(db, tag)
        state.withLock { $0.cache.put(tag, entry) }
        return entry
    }

    /// Forgets the cache when another connection has written since the last look (SQLite's data_version).
    private func refreshIfDue() throws {
        let now = ContinuousClock.now
        let isDue = state.withLock { state in
            guard !state.isClosed, now >= state.nextLook else { return false }
            state.nextLook = now + options.refreshInterval
            return true
        }
        guard isDue else { return }
        try database.unsafeRead { db in
            let version = try Int.fetchOne(db.cachedStatement(sql: "PRAGMA data_version"))
            state.withLock { state in
                if state.dataVersion != version { state.cache.removeAll() }
                state.dataVersion = version
            }
        }
    }

    /// A transaction that is on disk when it returns: WAL with synchronous=NORMAL survives a killed process but not a
    /// power cut, so these commits ask for FULL. The tag's cached entry is read anew.
    func writeDurably<Value>(_ tag: TagAddress, _ change: (Database) throws -> Value) throws -> Value {
        guard !state.withLock({ $0.isClosed }) else { throw TagLedgerError.closed }
        return try database.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA synchronous = FULL")
            defer { try? db.execute(sql: "PRAGMA synchronous = NORMAL") }
            try db.beginTransaction(.immediate)
            do {
                let value = try change(db)
                try db.commit()
                try reload(db, tag)
                return value
            } catch {
                if db.isInsideTransaction { try db.rollback() }
                throw error
            }
        }
    }

    func count(_ entry: TagEntry, _ opinion: Opinion, _ messageID: String, _ at: Date) {
        let isFull = state.withLock { state in
            state.pending.add(entry.id, opinion.seen, isDirect: opinion.isDirect, messageID, at)
            return state.pending.counts.count >= options.pendingLimit
        }
        if isFull { writePending() }
    }
}
