import BlockingPool
import Dispatch
import Synchronization

/// Carries a value from a task to the thread that waits for it.
private final class Handover<Value: Sendable>: Sendable {
    let ready = DispatchSemaphore(value: 0)
    private let value = Mutex<Value?>(nil)

    func put(_ new: Value) {
        value.withLock { $0 = new }
        ready.signal()
    }

    func take() -> Value? { value.withLock { $0 } }
}

/// Runs async work on the pool and blocks the calling thread until it is done: for libmilter's own threads only,
/// which may wait.
/// - Parameters:
///   - deadline: then the work is cancelled and nobody reads its value.
///   - interval: how often `stillWaiting` is called meanwhile.
/// - Returns: the value; or, past the deadline, nil and the task that still runs.
func waitFor<Value: Sendable>(
    on pool: BlockingPool, deadline: Duration, interval: Duration, stillWaiting: () -> Void,
    _ work: @escaping @Sendable () async -> Value
) -> (value: Value?, late: Task<Void, Never>?) {
    let handover = Handover<Value>()
    let task = Task(executorPreference: pool) { handover.put(await work()) }
    let end = ContinuousClock.now + deadline
    while true {
        let left = end - ContinuousClock.now
        if handover.ready.wait(timeout: .now() + min(left, interval).inSeconds) == .success { return (handover.take(), nil) }
        guard ContinuousClock.now < end else { break }
        stillWaiting()
    }
    task.cancel()
    return (nil, task)
}

extension Duration {
    /// Seconds as a number; never negative.
    fileprivate var inSeconds: Double {
        let (seconds, attoseconds) = components
        return max(Double(seconds) + Double(attoseconds) * 1e-18, 0)
    }
}
