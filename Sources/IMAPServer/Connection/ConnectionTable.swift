import NetworkAddress
import Synchronization

/// The listener's open connections: counted, so that one client or many cannot take all there is, and known, so that
/// they can be closed.
final class ConnectionTable: Sendable {
    private struct State {
        var connections: [ObjectIdentifier: Connection] = [:]
        var perClient: [IPAddress?: Int] = [:]
        var isClosing = false
    }

    private let state = Mutex(State())
    private let total: Int
    private let perClient: Int

    init(total: Int, perClient: Int) {
        self.total = total
        self.perClient = perClient
    }

    var count: Int { state.withLock { $0.connections.count } }

    /// Whether the connection may stay; if so it counts until ``remove(_:)``.
    func add(_ connection: Connection) -> Bool {
        state.withLock { state in
            guard !state.isClosing, state.connections.count < total, state.perClient[connection.client, default: 0] < perClient else { return false }
            state.connections[ObjectIdentifier(connection)] = connection
            state.perClient[connection.client, default: 0] += 1
            return true
        }
    }

    func remove(_ connection: Connection) {
        state.withLock { state in
            guard state.connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
            let left = state.perClient[connection.client, default: 1] - 1
            state.perClient[connection.client] = left > 0 ? left : nil
        }
    }

    /// Takes no more, and hands over those that are open.
    func beginClosing() -> [Connection] {
        state.withLock { state in
            state.isClosing = true
            return Array(state.connections.values)
        }
    }
}
