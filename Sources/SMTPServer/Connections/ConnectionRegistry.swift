import NIOCore
import NetworkAddress
import Synchronization

/// Told to sessions through their pipeline when the server goes down.
struct DrainRequested: Sendable {}

/// Counts connections, in all and by client, and knows those that stand.
final class ConnectionRegistry: Sendable {
    enum Admission: Sendable, Hashable { case admitted, tooMany, tooManyFromClient, shuttingDown }

    private struct State {
        var byClient: [ArraySlice<UInt8>: Int] = [:]
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isDraining = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let limit: Int
    private let limitPerClient: Int

    init(limit: Int, limitPerClient: Int) {
        self.limit = limit
        self.limitPerClient = limitPerClient
    }

    var count: Int { state.withLock { $0.channels.count } }

    /// - Parameter client: nil is not limited by itself: own networks, sockets without an address.
    func admit(_ channel: any Channel, client: IPAddress?) -> Admission {
        state.withLock { state in
            if state.isDraining { return .shuttingDown }
            guard state.channels.count < limit else { return .tooMany }
            if let client {
                let count = state.byClient[client.countedAs, default: 0]
                guard count < limitPerClient else { return .tooManyFromClient }
                state.byClient[client.countedAs] = count + 1
            }
            state.channels[ObjectIdentifier(channel)] = channel
            return .admitted
        }
    }

    /// Once for each admission, with the same client.
    func release(_ channel: any Channel, client: IPAddress?) {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.channels[ObjectIdentifier(channel)] = nil
            if let client = client?.countedAs, let count = state.byClient[client] { state.byClient[client] = count > 1 ? count - 1 : nil }
            return Self.waitersToWake(&state)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Admits nobody any more and tells all sessions to come to an end.
    func drain() {
        let channels = state.withLock { state in
            state.isDraining = true
            return Array(state.channels.values)
        }
        for channel in channels { channel.pipeline.fireUserInboundEventTriggered(DrainRequested()) }
    }

    func closeAll() {
        for channel in state.withLock({ Array($0.channels.values) }) { channel.close(promise: nil) }
    }

    /// Returns when the last connection is gone. Call ``closeAll()`` to bound the wait.
    func waitUntilEmpty() async {
        await withCheckedContinuation { continuation in
            let waiters = state.withLock { state in
                state.waiters.append(continuation)
                return Self.waitersToWake(&state)
            }
            for waiter in waiters { waiter.resume() }
        }
    }

    private static func waitersToWake(_ state: inout State) -> [CheckedContinuation<Void, Never>] {
        guard state.channels.isEmpty else { return [] }
        defer { state.waiters = [] }
        return state.waiters
    }
}
