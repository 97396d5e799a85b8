import BlockingPool
import NIOCore
import NetworkAddress
import Synchronization

/// Looks for the client's name while the session goes on; settled by the look-up or by its time-out, whichever is first.
///
/// No promise of the event loop's: a look-up that is under way when the loops end would leave one that nobody can keep.
final class ClientNameLookup: Sendable {
    private struct State {
        var isSettled = false
        var name: String?
        var waiter: CheckedContinuation<String?, Never>?
    }

    private let state = Mutex(State())
    private let tasks = Mutex<(work: Task<Void, Never>, deadline: Scheduled<Void>)?>(nil)

    init(_ address: IPAddress, on loop: any EventLoop, timeout: TimeAmount, _ lookup: @escaping @Sendable (IPAddress) async -> String?) {
        let work = startAtOnce { self.settle(await lookup(address)) }
        // Known already: nobody waits.
        guard !state.withLock({ $0.isSettled }) else { return }
        let deadline = loop.scheduleTask(in: timeout) { self.cancel() }
        tasks.withLock { $0 = (work, deadline) }
    }

    /// The name; nil when there is none or time is over. For one caller.
    var name: String? {
        get async {
            await withCheckedContinuation { continuation in
                let settled = state.withLock { state -> String?? in
                    if !state.isSettled { state.waiter = continuation }
                    return state.isSettled ? .some(state.name) : nil
                }
                if let settled { continuation.resume(returning: settled) }
            }
        }
    }

    /// Nobody asks any more, or time is over.
    func cancel() {
        tasks.withLock { $0 }?.work.cancel()
        settle(nil)
    }

    private func settle(_ name: String?) {
        let waiter = state.withLock { state -> CheckedContinuation<String?, Never>? in
            guard !state.isSettled else { return nil }
            (state.isSettled, state.name) = (true, name)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: name)
        tasks.withLock { $0 }?.deadline.cancel()
    }
}
