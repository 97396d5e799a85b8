import Dispatch
import Synchronization

/// One costly step, an fsync of a folder, shared by all who ask while one is under way: who comes during a round waits
/// for the next, and one thread does that next one for all of them.
///
/// The end of a round wakes those whose round it was, and of the next one the thread that does it: nobody wakes in vain.
public final class GroupCommit<Failure: Error>: Sendable {
    private struct State {
        /// The round that has not begun: whoever asks now joins it. None while nobody runs.
        var next: Round?
        var isRunning = false
        var rounds = 0
    }

    /// One real step. Its callers keep it, so a later success cannot hide its failure.
    ///
    /// Sendable by proof: the variables are touched only while `state` is locked; the semaphore is a constant.
    private final class Round: @unchecked Sendable {
        /// Signalled once for the thread that is to lead, then once for each that waits for the end.
        let turn = DispatchSemaphore(value: 0)
        var waiting = 0
        var isDone = false
        var failure: Failure?
    }

    private let work: @Sendable () throws(Failure) -> Void
    private let state = Mutex(State())

    public init(_ work: @escaping @Sendable () throws(Failure) -> Void) { self.work = work }

    /// How often the step was really done.
    public var roundCount: Int { state.withLock { $0.rounds } }

    /// Returns when a round that began after this call has ended. Blocks.
    /// - Throws: what that round failed with.
    public func run() throws(Failure) {
        let (round, mustWait) = join()
        if mustWait {
            round.turn.wait()
            if begin(round) { lead(round) }
        } else {
            lead(round)
        }
        if let failure = state.withLock({ _ in round.failure }) { throw failure }
    }

    private func join() -> (Round, mustWait: Bool) {
        state.withLock { state in
            guard state.isRunning else {
                state.isRunning = true
                return (Round(), false)
            }
            let round = state.next ?? Round()
            state.next = round
            round.waiting += 1
            return (round, true)
        }
    }

    /// - Returns: whether the caller, who woke, is the one to lead; else the round is over.
    private func begin(_ round: Round) -> Bool {
        state.withLock { state in
            guard !round.isDone else { return false }
            state.next = nil
            return true
        }
    }

    /// Works for everyone in the round.
    private func lead(_ round: Round) {
        var failure: Failure?
        do throws(Failure) { try work() } catch { failure = error }
        let (waiting, successor) = state.withLock { state in
            state.rounds += 1
            round.failure = failure
            round.isDone = true
            // Until its leader has begun, others may still join the next round.
            state.isRunning = state.next != nil
            state.next?.waiting -= 1
            return (round.waiting, state.next)
        }
        successor?.turn.signal()
        for _ in 0..<waiting { round.turn.signal() }
    }
}
