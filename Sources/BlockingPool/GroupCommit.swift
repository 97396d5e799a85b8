import Foundation

/// One costly step, an fsync of a folder, shared by all who ask while one is under way: who comes during a round waits
/// for the next, and one thread does that next one for all of them.
public final class GroupCommit<Failure: Error>: @unchecked Sendable {
    // Sendable by proof: the variables, and the rounds' own, are touched only while `condition` is locked; work is a constant.
    private let condition = NSCondition()
    private let work: @Sendable () throws(Failure) -> Void
    /// The round that has not begun: whoever asks now joins it.
    private var next: Round?
    private var isRunning = false
    private var rounds = 0

    /// One real step. Its callers keep it, so a later success cannot hide its failure.
    private final class Round {
        var isDone = false
        var failure: Failure?
    }

    public init(_ work: @escaping @Sendable () throws(Failure) -> Void) { self.work = work }

    /// How often the step was really done.
    public var roundCount: Int { condition.withLock { rounds } }

    /// Returns when a round that began after this call has ended. Blocks.
    /// - Throws: what that round failed with.
    public func run() throws(Failure) {
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

    /// Works for everyone in the round. Called and left with the lock held; nobody runs, so the round is the next one.
    private func lead(_ round: Round) {
        isRunning = true
        next = nil
        condition.unlock()
        var failure: Failure?
        do throws(Failure) { try work() } catch { failure = error }
        condition.lock()
        isRunning = false
        rounds += 1
        round.failure = failure
        round.isDone = true
        condition.broadcast()
    }
}
