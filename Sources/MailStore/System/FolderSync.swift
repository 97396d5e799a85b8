import Foundation
import Synchronization

/// Group commit for folders: concurrent callers share fsyncs, and each returns only after an fsync of the folder that
/// began after its call. With 50 deliveries into one mailbox that is two or three fsyncs, not 50.
final class FolderSync: Sendable {
    private let rounds = Mutex<[String: (round: SyncRounds, users: Int)]>([:])

    /// Makes what was renamed or linked into the folder durable. Blocks.
    func sync(_ path: String) throws(StoreError) {
        let round = rounds.withLock { table in
            let entry = table[path] ?? (SyncRounds(path: path), 0)
            table[path] = (entry.round, entry.users + 1)
            return entry.round
        }
        defer {
            rounds.withLock { table in
                if let entry = table[path] { table[path] = entry.users > 1 ? (entry.round, entry.users - 1) : nil }
            }
        }
        try round.sync { path throws(StoreError) in try Files.syncFolder(path) }
    }
}

/// The rounds of one folder. `NSCondition` guards the counters: `Mutex` has no way to wait.
final class SyncRounds: @unchecked Sendable {
    // Sendable by proof: the variables are touched only between `condition.lock()` and `unlock()`.
    private let condition = NSCondition()
    private let path: String
    private var started = 0
    private var completed = 0
    private var running = false
    private var failures: [Int: StoreError] = [:]

    init(path: String) { self.path = path }

    func sync(_ work: (String) throws(StoreError) -> Void) throws(StoreError) {
        condition.lock()
        defer { condition.unlock() }
        // A round that is running now may have begun before our rename: only the next one counts.
        let needed = started + 1
        while completed < needed {
            if running { condition.wait() } else { runRound(work) }
        }
        if let failure = failures[needed] { throw failure }
    }

    /// Called with the lock held; gives it up while the disk works.
    private func runRound(_ work: (String) throws(StoreError) -> Void) {
        running = true
        started += 1
        let round = started
        condition.unlock()
        var failure: StoreError?
        do throws(StoreError) { try work(path) } catch { failure = error }
        condition.lock()
        failures[round] = failure
        failures[round - 64] = nil
        completed = round
        running = false
        condition.broadcast()
    }
}
