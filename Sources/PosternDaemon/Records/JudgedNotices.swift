import Milter
import Synchronization

/// What the filters made of notifications, from their judging to their records. Between the two lies the delivery, which
/// knows nothing of filters; one that fails leaves its entry behind, so the oldest go.
final class JudgedNotices: Sendable {
    struct Judged: Sendable {
        /// As it was made.
        let made: Transaction
        /// As the filters left it.
        let transaction: Transaction
    }

    private struct State {
        var judged: [String: Judged] = [:]
        /// Ids in the order they came.
        var order: [String] = []
    }

    private let state = Mutex(State())
    private let capacity: Int

    init(capacity: Int = 100) { self.capacity = capacity }

    func note(_ judged: Judged) {
        let id = judged.made.id
        state.withLock { state in
            if state.judged.updateValue(judged, forKey: id) == nil { state.order.append(id) }
            if state.order.count > capacity { state.judged[state.order.removeFirst()] = nil }
        }
    }

    func take(_ id: String) -> Judged? {
        state.withLock { state in
            state.order.removeAll { $0 == id }
            return state.judged.removeValue(forKey: id)
        }
    }
}
