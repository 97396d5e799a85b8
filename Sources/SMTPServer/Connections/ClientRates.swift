import InternetMessage
import NetworkAddress
import Synchronization

/// What one client may do within a length of time, as Postfix's anvil(8) counts; 0 for no limit.
public struct ClientRateLimits: Sendable, Hashable {
    /// `smtpd_client_connection_rate_limit`
    public var connections: Int
    /// `smtpd_client_message_rate_limit`
    public var messages: Int
    /// `smtpd_client_recipient_rate_limit`
    public var recipients: Int
    /// `anvil_rate_time_unit`
    public var window: Duration

    public init(connections: Int = 0, messages: Int = 0, recipients: Int = 0, window: Duration = .seconds(60)) {
        self.connections = connections
        self.messages = messages
        self.recipients = recipients
        self.window = window
    }

    subscript(_ event: ClientRates.Event) -> Int {
        switch event {
        case .connection: connections
        case .message: messages
        case .recipient: recipients
        }
    }
}

/// Counts what clients do; an IPv6 client is its /64. Bounded: of two generations of clients the older one is forgotten.
final class ClientRates: Sendable {
    enum Event: Sendable, Hashable, CaseIterable { case connection, message, recipient }

    static let clientLimit = 100_000

    private struct Count {
        var began: ContinuousClock.Instant
        var events: [Event: Int] = [:]
    }

    private struct State {
        var young: [ArraySlice<UInt8>: Count] = [:]
        var old: [ArraySlice<UInt8>: Count] = [:]
    }

    let limits: ClientRateLimits
    private let state = Mutex(State())

    init(_ limits: ClientRateLimits) { self.limits = limits }

    /// Counts an event; the window begins with a client's first.
    /// - Returns: whether it is beyond the limit.
    func isExceeded(_ event: Event, by client: IPAddress, at now: ContinuousClock.Instant = .now) -> Bool {
        let limit = limits[event]
        guard limit > 0 else { return false }
        let key = client.countedAs
        return state.withLock { state in
            var count = state.young[key] ?? state.old.removeValue(forKey: key) ?? Count(began: now)
            if count.began.duration(to: now) >= limits.window { count = Count(began: now) }
            count.events[event, default: 0] += 1
            state.young[key] = count
            if state.young.count >= Self.clientLimit / 2 { (state.old, state.young) = (state.young, [:]) }
            return count.events[event, default: 0] > limit
        }
    }

    /// Clients that are known now.
    var count: Int { state.withLock { $0.young.count + $0.old.count } }
}

extension IPAddress {
    /// The client that an address stands for where clients are counted: of IPv6 a /64, within which a host takes what
    /// address it likes.
    var countedAs: ArraySlice<UInt8> { octets.prefix(family == .v6 ? 8 : 4) }
}

extension SMTPSession {
    /// Clients of the own networks are not limited (`smtpd_client_event_limit_exceptions`), nor is an MTA that hands over by LMTP.
    func rateIsExceeded(_ event: ClientRates.Event) -> Bool {
        guard !filters.facts.isOwnNetwork, listener.speaks != .lmtp, let client = filters.facts.clientAddress else { return false }
        guard environment.rates.isExceeded(event, by: client) else { return false }
        environment.logger.notice("rate limit exceeded", metadata: [
            "client": "\(client)", "of": "\(event)s", "limit": "\(environment.rates.limits[event])", "listener": "\(listener.name)",
        ])
        return true
    }

    /// Postfix's words.
    func rateReply(_ what: String) -> SMTPReply {
        SMTPReply(450, "4.7.1", "Error: \(what) from \(filters.facts.clientAddress?.description ?? "you")")
    }
}
