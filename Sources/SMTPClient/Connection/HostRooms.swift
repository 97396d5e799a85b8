import NetworkAddress
import Synchronization

/// How many connections one server gets from us at once, whichever domains' mail they carry: a thousand domains may have
/// the same provider for their MX. Who finds a server full stands in line; a slot goes to who has stood longest.
final class HostRooms: Sendable {
    /// Names that lead to the same address and port are the same server.
    struct Key: Sendable, Hashable {
        let address: IPAddress
        let port: Int
    }

    private struct Room {
        var window: ConcurrencyWindow
        var running = 0
        /// Longest first.
        var line: [(number: Int, turn: CheckedContinuation<Bool, Never>)] = []
    }

    private struct State {
        var rooms: [Key: Room] = [:]
        var next = 0
    }

    private let limits: ConcurrencyWindow.Limits
    private let state = Mutex(State())

    /// - Parameter most: connections to one server; 0: no limit.
    init(initial: Int, most: Int) { limits = .init(initial: initial, most: most, failedCohorts: 0) }

    /// The server's key; nil where nothing is limited: a socket of this machine.
    func key(_ server: ServerFacts) -> Key? {
        limits.most > 0 ? server.address.map { Key(address: $0, port: server.port) } : nil
    }

    /// Takes a slot, which ``leave(_:reached:)`` gives back.
    /// - Returns: false when none became free in time, or the task was cancelled.
    func enter(_ key: Key, until end: ContinuousClock.Instant) async -> Bool {
        if enterAtOnce(key) { return true }
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        let patience = Task { [weak self] in
            try? await Task.sleep(until: end, clock: .continuous)
            self?.giveUp(number, key)
        }
        defer { patience.cancel() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { turn in
                let entered = state.withLock { state -> Bool? in
                    var room = state.rooms[key] ?? Room(window: ConcurrencyWindow(limits))
                    defer { state.rooms[key] = room }
                    if Task.isCancelled { return false }
                    if room.running < room.window.size {
                        room.running += 1
                        return true
                    }
                    room.line.append((number, turn))
                    return nil
                }
                if let entered { turn.resume(returning: entered) }
            }
        } onCancel: {
            giveUp(number, key)
        }
    }

    private func enterAtOnce(_ key: Key) -> Bool {
        state.withLock { state in
            var room = state.rooms[key] ?? Room(window: ConcurrencyWindow(limits))
            guard room.running < room.window.size else { return false }
            room.running += 1
            state.rooms[key] = room
            return true
        }
    }

    /// - Parameter reached: whether the server spoke with us; nil: it was not asked.
    func leave(_ key: Key, reached: Bool?) {
        let turns = state.withLock { state -> [CheckedContinuation<Bool, Never>] in
            guard var room = state.rooms[key] else { return [] }
            switch reached {
            case true?: room.window.reached(running: room.running)
            case false?: _ = room.window.failed()
            case nil: break
            }
            room.running -= 1
            let free = min(max(0, room.window.size - room.running), room.line.count)
            let turns = room.line.prefix(free).map(\.turn)
            room.line.removeFirst(free)
            room.running += free
            // A server that has nobody is forgotten, and what was learnt of it.
            state.rooms[key] = room.running == 0 && room.line.isEmpty ? nil : room
            return turns
        }
        for turn in turns { turn.resume(returning: true) }
    }

    private func giveUp(_ number: Int, _ key: Key) {
        let turn = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard let index = state.rooms[key]?.line.firstIndex(where: { $0.number == number }) else { return nil }
            return state.rooms[key]?.line.remove(at: index).turn
        }
        turn?.resume(returning: false)
    }

    /// Slots taken, and how many stand in line.
    func occupancy(_ key: Key) -> (running: Int, waiting: Int) {
        state.withLock { state in state.rooms[key].map { ($0.running, $0.line.count) } ?? (0, 0) }
    }
}
