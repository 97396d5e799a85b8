import Dispatch
import Foundation
import GRDB
import StateFiles
import Synchronization

/// The records of messages, in SQLite, until they are too old.
///
/// ``record(_:)`` only fills a bounded buffer: the record is written with its neighbours, on a thread of its own, each second
/// or sooner when many wait, and at ``close()``. A crash loses those of the last second: nothing that
/// a client was promised rests on them. What the buffer has no room for is lost and counted; mail never waits for it.
public final class DecisionRecordStore: BufferedStore {
    public struct Options: Sendable {
        /// Records older than this are removed.
        public var keep: Duration = .seconds(30 * 86_400)
        /// Records and delivery results that may wait.
        public var bufferLimit = 20_000
        /// Octets that they may hold in memory, about.
        public var bufferOctets = 32 << 20
        /// Records that are removed at most with each writing, at the least; more when more came.
        public var purgeStep = 500
        /// nil: until ``DecisionRecordStore/flush()`` or ``DecisionRecordStore/close()``.
        public var flushInterval: Duration? = .seconds(1)
        /// Told when records could not be written or were lost.
        public var report: @Sendable (String) -> Void = { _ in }
        /// Milliseconds since 1970.
        public var now: @Sendable () -> Int = { Int(Date().timeIntervalSince1970 * 1000) }
        public init() {}
    }

    private enum Item: Sendable {
        case decision(StoredDecision)
        case delivery(DeliveryRecord)
    }

    private struct State {
        var waiting: [Item] = []
        var octets = 0
        var lost = 0
        var isLosing = false
        var isClosed = false
        var isKicked = false
        var nextPurge = 0
    }

    package let database: DatabaseQueue
    private let options: Options
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "postern.decisions", qos: .utility)
    /// So many waiting are written before the second is over: enough to share a transaction's cost, and few enough that
    /// neither they nor the pages that it changes are much memory.
    private static let kick = 100
    /// What a record holds in memory beside its header, about.
    private static let weight = 4096
    private static let purgeInterval = 60_000

    /// Opens the file, making it when there is none. Blocks.
    /// - Throws: ``DecisionRecordError``.
    public init(path: String, options: Options = Options()) throws(DecisionRecordError) {
        database = try DecisionDatabase.open(path)
        self.options = options
        write(every: options.flushInterval, on: queue)
    }

    deinit { writeWhatWaits() }

    /// Takes a record. Does not block.
    public func record(_ decision: StoredDecision) { add(.decision(decision), decision.header.count + Self.weight) }

    /// Takes what became of a queued copy. Does not block.
    public func record(_ delivery: DeliveryRecord) { add(.delivery(delivery), 256) }

    private func add(_ item: Item, _ octets: Int) {
        let kicks = state.withLock { state in
            guard !state.isClosed else { return false }
            guard state.waiting.count < options.bufferLimit, state.octets + octets <= options.bufferOctets else {
                state.lost += 1
                return false
            }
            state.waiting.append(item)
            state.octets += octets
            guard options.flushInterval != nil, !state.isKicked, state.waiting.count >= Self.kick else { return false }
            state.isKicked = true
            return true
        }
        if kicks { queue.async { [weak self] in _ = self?.writeWhatWaits() } }
    }

    /// Writes what waits, and removes some of what is too old. Blocks.
    /// - Throws: SQLite's error; what waited waits on then, as far as there is room.
    public func flush() throws {
        let (items, octets, lost, purges) = state.withLock { state in
            defer { (state.waiting, state.octets, state.lost, state.isKicked) = ([], 0, 0, false) }
            return (state.waiting, state.octets, state.lost, options.now() >= state.nextPurge)
        }
        tell(lost: lost)
        guard !items.isEmpty || purges else { return }
        do {
            try write(items)
            if purges { try purge(inserted: items.count) }
        } catch {
            state.withLock { state in
                let room = items.prefix(max(options.bufferLimit - state.waiting.count, 0))
                state.waiting.insert(contentsOf: room, at: 0)
                state.octets += octets
                state.lost += items.count - room.count
            }
            throw error
        }
    }

    private func write(_ items: [Item]) throws {
        guard !items.isEmpty else { return }
        try database.write { db in
            var place = try DecisionDatabase.place(db, DecisionDatabase.lastPlace) ?? 0
            for item in items {
                switch item {
                case .decision(let decision):
                    place = DecisionPlace.next(after: place, at: decision.record.time)
                    try DecisionDatabase.insert(db, decision, at: place)
                case .delivery(let delivery): try DecisionDatabase.upsert(db, delivery)
                }
            }
        }
    }

    /// In steps of its own, so that a long absence or a shortened lifetime does not hold up what comes next.
    private func purge(inserted: Int) throws {
        let now = options.now(), limit = max(options.purgeStep, 2 * inserted)
        let (seconds, attoseconds) = options.keep.components
        let age = Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
        let removed = try database.write { try DecisionDatabase.purge($0, before: now - age, atMost: limit) }
        // Something was left perhaps: go on with the next writing, else look again in a minute.
        state.withLock { $0.nextPurge = removed >= limit ? 0 : now + Self.purgeInterval }
    }

    /// Once for each time that it begins, not once a record.
    private func tell(lost: Int) {
        let begins = state.withLock { state in
            defer { state.isLosing = lost > 0 }
            return lost > 0 && !state.isLosing
        }
        if begins { options.report("\(lost) records were lost: messages come faster than records can be written; mail is not affected") }
    }

    /// Writes what waits and takes no more. Blocks.
    public func close() { end() }

    package var report: @Sendable (String) -> Void { options.report }
    package var isClosed: Bool { state.withLock { $0.isClosed } }

    package func endTaking() -> Bool {
        state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
    }
}
