import Foundation
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// fsync of one folder, shared by all who ask while one is under way: who comes during a sync waits for the next,
/// and one thread does that next one for all of them.
final class GroupSync: @unchecked Sendable {
    // Sendable by proof: the variables, and the rounds' own, are touched only while `condition` is locked; path is a constant.
    private let condition = NSCondition()
    private let path: String
    /// The round that has not begun: whoever asks now joins it.
    private var next: Round?
    private var isRunning = false
    private var rounds = 0

    /// One real sync. Its callers keep it, so a later success cannot hide its failure.
    private final class Round {
        var isDone = false
        var failure: QueueError?
    }

    init(path: String) { self.path = path }

    /// How often the folder was really synced.
    var syncCount: Int { condition.withLock { rounds } }

    /// Returns when a sync that began after this call has ended. Blocks.
    /// - Throws: ``QueueError`` when that sync failed.
    func sync() throws(QueueError) {
        condition.lock()
        let round = next ?? Round()
        next = round
        while !round.isDone {
            if isRunning { condition.wait() } else { lead(round) }
        }
        let failure = round.failure
        condition.unlock()
        if let failure { throw failure }
    }

    /// Syncs for everyone in the round. Called and left with the lock held; nobody runs, so the round is the next one.
    private func lead(_ round: Round) {
        isRunning = true
        next = nil
        condition.unlock()
        let failure = Self.fsyncFolder(path)
        condition.lock()
        isRunning = false
        rounds += 1
        round.failure = failure
        round.isDone = true
        condition.broadcast()
    }

    private static func fsyncFolder(_ path: String) -> QueueError? {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return .errno("open", path) }
        defer { close(descriptor) }
        return fsync(descriptor) == 0 ? nil : .errno("fsync", path)
    }
}
