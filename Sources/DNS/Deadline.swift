import BlockingPool
import Synchronization

/// Waits for work no longer than a duration, even where the work ignores cancellation.
///
/// One ticking task serves all waits and ends with the last of them. A timer for each wait would be simpler, but a
/// cancelled `Task.sleep` keeps its memory until its time has come: 800 octets a message for the whole duration.
package final class Deadline: Sendable {
    private struct Wait {
        let end: ContinuousClock.Instant
        let expire: @Sendable () -> Void
    }

    private struct State {
        var waits: [UInt64: Wait] = [:]
        var nextID: UInt64 = 0
        var isTicking = false
    }

    private let limit: Duration
    private let state = Mutex(State())

    package init(_ limit: Duration) { self.limit = limit }

    /// Returns when `work` does or when the duration is over (late by an eighth of it at the most), having called
    /// `onTimeout` and cancelled the work in the latter case.
    package func run(onTimeout: @escaping @Sendable () -> Void, _ work: @escaping @Sendable () async -> Void) async {
        let first = FirstResume()
        await withCheckedContinuation { continuation in
            first.hold(continuation)
            // The answer is often there already: then nobody waits, and no other thread is woken.
            let worker = startAtOnce {
                await work()
                first.resume()
            }
            guard !first.isDone else { return }
            let id = add {
                onTimeout()
                worker.cancel()
                first.resume()
            }
            first.onResume { self.remove(id) }
        }
    }

    /// Cancels the work at the deadline, or when the caller is cancelled, and returns what the work makes of that: work that
    /// ignores cancellation is waited for.
    package func cancelling<Value: Sendable>(_ work: @escaping @Sendable () async -> Value) async -> Value {
        let early = EarlyValue<Value>()
        let worker = startAtOnce {
            let value = await work()
            early.value = value
            return value
        }
        if let value = early.value { return value }
        let id = add { worker.cancel() }
        defer { remove(id) }
        return await withTaskCancellationHandler { await worker.value } onCancel: { worker.cancel() }
    }

    private func add(_ expire: @escaping @Sendable () -> Void) -> UInt64 {
        let wait = Wait(end: .now + limit, expire: expire)
        let (id, mustStart) = state.withLock { state in
            state.nextID += 1
            state.waits[state.nextID] = wait
            defer { state.isTicking = true }
            return (state.nextID, !state.isTicking)
        }
        if mustStart { startTicking() }
        return id
    }

    private func remove(_ id: UInt64) { state.withLock { $0.waits[id] = nil } }

    private func startTicking() {
        let interval = max(min(limit / 8, .seconds(1)), .milliseconds(1))
        Task {
            repeat { try? await Task.sleep(for: interval) } while expireDue()
        }
    }

    /// - Returns: whether anybody is still waiting.
    private func expireDue() -> Bool {
        let now = ContinuousClock.now
        let (due, goesOn) = state.withLock { state in
            let due = state.waits.filter { $0.value.end <= now }
            for id in due.keys { state.waits[id] = nil }
            state.isTicking = !state.waits.isEmpty
            return (due.values.map(\.expire), state.isTicking)
        }
        for expire in due { expire() }
        return goesOn
    }
}

/// What a task made, for whoever looks before waiting for it.
private final class EarlyValue<Value: Sendable>: Sendable {
    private let state = Mutex<Value?>(nil)

    var value: Value? {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}

/// A continuation that is resumed once, by whoever comes first.
private final class FirstResume: Sendable {
    private struct State {
        var continuation: CheckedContinuation<Void, Never>?
        var cleanup: (@Sendable () -> Void)?
        var isDone = false
    }
    private let state = Mutex(State())

    var isDone: Bool { state.withLock { $0.isDone } }

    func hold(_ continuation: CheckedContinuation<Void, Never>) { state.withLock { $0.continuation = continuation } }

    /// Runs at the resumption, or now if that has been.
    func onResume(_ cleanup: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            if !state.isDone { state.cleanup = cleanup }
            return state.isDone
        }
        if isLate { cleanup() }
    }

    func resume() {
        let (continuation, cleanup) = state.withLock { state in
            defer { (state.continuation, state.cleanup, state.isDone) = (nil, nil, true) }
            return (state.continuation, state.cleanup)
        }
        cleanup?()
        continuation?.resume()
    }
}
