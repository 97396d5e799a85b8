import NIOCore
import Synchronization

/// Connections that wait a moment for the next message to the same server (Postfix's connection cache): bounded in number
/// and time. A connection is with one delivery or here, never both.
final class IdleConnections: Sendable {
    /// What makes two connections interchangeable.
    struct Key: Sendable, Hashable {
        let server: ServerFacts
        let demand: TLSDemand
        /// The relay host whose password it is logged in with.
        let hop: NextHop?
    }

    private struct State {
        var waiting: [Key: [(number: Int, connection: SMTPConnection)]] = [:]
        /// How many wait for each host, by name and port.
        var hosts: [String: Int] = [:]
        var count = 0
        var next = 0
    }

    private static let limit = 100
    private let time: Duration
    private let state = Mutex(State())

    init(time: Duration) { self.time = time }

    /// Takes one out; nil when none waits.
    func take(_ key: Key) -> SMTPConnection? {
        while true {
            let found = state.withLock { state -> SMTPConnection? in
                guard let last = state.waiting[key]?.popLast() else { return nil }
                Self.forget(key, &state)
                return last.connection
            }
            guard let found else { return nil }
            // The server may have hung up meanwhile.
            if found.isOpen { return found }
        }
    }

    /// Lets a connection wait; says QUIT when there is no room, or when nobody has come in time.
    func put(_ connection: SMTPConnection, _ key: Key) {
        let number = state.withLock { state -> Int? in
            guard time > .zero, state.count < Self.limit else { return nil }
            state.next += 1
            state.waiting[key, default: []].append((state.next, connection))
            state.hosts[Self.host(key), default: 0] += 1
            state.count += 1
            return state.next
        }
        guard let number else { return connection.quit() }
        connection.schedule(in: TimeAmount(time)) { [weak self] in self?.expire(number, key) }
    }

    private func expire(_ number: Int, _ key: Key) {
        let found = state.withLock { state -> SMTPConnection? in
            guard let index = state.waiting[key]?.firstIndex(where: { $0.number == number }) else { return nil }
            let connection = state.waiting[key]?.remove(at: index).connection
            Self.forget(key, &state)
            return connection
        }
        found?.quit()
    }

    private static func forget(_ key: Key, _ state: inout State) {
        if state.waiting[key]?.isEmpty == true { state.waiting[key] = nil }
        state.count -= 1
        let host = host(key)
        state.hosts[host] = state.hosts[host].flatMap { $0 > 1 ? $0 - 1 : nil }
    }

    private static func host(_ key: Key) -> String { "\(key.server.name):\(key.server.port)" }

    /// Of equally preferred hosts those first to which a connection waits: RFC 5321 §5.1 leaves their order to us.
    func preferred(_ hosts: [MailHost]) -> [MailHost] {
        let warm = state.withLock { $0.hosts }
        guard !warm.isEmpty, let best = hosts.first?.preference else { return hosts }
        let equal = hosts.prefix { $0.preference == best }
        let isWarm = { (host: MailHost) in warm["\(host.name):\(host.port)"] != nil }
        return equal.filter(isWarm) + equal.filter { !isWarm($0) } + hosts.dropFirst(equal.count)
    }
}
