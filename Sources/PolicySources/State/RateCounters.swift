import Policy
import Synchronization

/// The counters behind `rate(…)`. In memory and bounded; those of accounts are written down from time to time, so that
/// a restart does not forgive a stolen password its mail.
public final class RateCounters: Sendable {
    /// Counters of strangers. Two generations: what is in use stays, however many clients pass by.
    static let strangerLimit = 100_000
    static let accountLimit = 100_000

    struct Counter: Sendable, Hashable {
        var count: SlidingCount
        let window: Int
    }

    private struct State {
        var young: [String: Counter] = [:]
        var old: [String: Counter] = [:]
        var accounts: [String: Counter] = [:]
        /// Of accounts, not written yet.
        var changed: Set<String> = []
    }

    private let state: Mutex<State>

    init(accounts: [String: Counter] = [:]) { state = Mutex(State(accounts: accounts)) }

    /// Adds an event to its counter.
    /// - Returns: how many there were in the window, this one included.
    func count(_ event: RateEvent, at now: Int) -> Int {
        state.withLock { state in
            if event.isOfAccount, let count = Self.countAccount(event, now, &state) { return count }
            let key = event.counter
            var counter = state.young[key] ?? state.old.removeValue(forKey: key) ?? Self.fresh(event, now)
            let count = counter.count.add(at: now, window: event.window)
            state.young[key] = counter
            if state.young.count >= Self.strangerLimit / 2 { (state.old, state.young) = (state.young, [:]) }
            return count
        }
    }

    /// Counters there are.
    var size: Int { state.withLock { $0.young.count + $0.old.count + $0.accounts.count } }

    /// nil when there is no room for another account's counter.
    private static func countAccount(_ event: RateEvent, _ now: Int, _ state: inout State) -> Int? {
        let key = event.counter
        if state.accounts[key] == nil, state.accounts.count >= accountLimit {
            state.accounts = state.accounts.filter { !$0.value.count.isOver(at: now, window: $0.value.window) }
            guard state.accounts.count < accountLimit else { return nil }
        }
        var counter = state.accounts[key] ?? fresh(event, now)
        let count = counter.count.add(at: now, window: event.window)
        state.accounts[key] = counter
        state.changed.insert(key)
        return count
    }

    private static func fresh(_ event: RateEvent, _ now: Int) -> Counter {
        Counter(count: SlidingCount(stretch: now / event.window), window: event.window)
    }

    /// Those of accounts that moved since the last call.
    func takeChanged() -> [(key: String, counter: Counter)] {
        state.withLock { state in
            defer { state.changed = [] }
            return state.changed.compactMap { key in state.accounts[key].map { (key, $0) } }
        }
    }

    /// They could not be written: next time.
    func putBack(_ keys: [String]) { state.withLock { $0.changed.formUnion(keys) } }
}
