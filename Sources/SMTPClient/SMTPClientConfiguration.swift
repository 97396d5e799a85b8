import DNS
import InternetMessage
import NetworkAddress
import SMTPCore

/// How we speak to other servers.
public struct SMTPClientConfiguration: Sendable {
    /// What EHLO says (Postfix: `smtp_helo_name`).
    public var heloName: String
    /// Local addresses to connect from, by family (`smtp_bind_address`, `smtp_bind_address6`).
    public var bindAddress4: IPAddress?
    public var bindAddress6: IPAddress?
    public var tlsLevel: TLSLevel = .may
    /// By next hop, where it differs (`smtp_tls_policy_maps`).
    public var tlsPolicies = TLSPolicyTable()
    public var timeouts = ClientTimeouts()
    /// For one destination with all its hosts; then the rest is left for the next attempt.
    public var overallDeadline: Duration = .seconds(900)
    /// The port where none is given.
    public var port = 25
    /// Everything that no transport names goes here (`relayhost`).
    public var relayHost: NextHop?
    /// By recipient domain (`transport_maps`).
    public var transports = TransportTable()
    /// For the relay host or a transport, by its notation: `[mail.example.org]:587`.
    public var credentials: [NextHop: ClientCredentials] = [:]
    public var families: AddressFamilies = .any
    /// Names and addresses that are this server's own: an MX that leads to one of them is a loop (RFC 5321 §5.1).
    public var ownNames: Set<DomainName> = []
    public var ownAddresses: Set<IPAddress> = []
    /// Addresses tried for one destination (`smtp_mx_address_limit`).
    public var addressLimit = 5
    /// Sessions that got as far as a greeting, for one destination (`smtp_mx_session_limit`).
    public var sessionLimit = 2
    /// Connections to one server at once, at the beginning and at the most; 0: no limit. See ``ConcurrencyWindow``.
    public var initialHostConcurrency = 5
    public var hostConcurrency = 20
    /// How long a delivery stands in line for a server that has as many connections as it may.
    public var hostPatience: Duration = .seconds(60)
    /// How long a connection waits for the next message to the same server (`smtp_connection_cache_time_limit`); zero: none does.
    public var cacheTime: Duration = .seconds(2)
    /// Messages over one connection (`smtp_connection_reuse_count_limit`).
    public var reuseLimit = 100
    /// How long a connection is used (`smtp_connection_reuse_time_limit`): a server changes its mind, its certificate, its tables.
    public var reuseTime: Duration = .seconds(300)
    /// Puts equal MX hosts in some order (RFC 5321 §5.1: at random).
    public var shuffle: @Sendable ([MXRecord]) -> [MXRecord] = { $0.shuffled() }

    /// `smtp_address_preference` and `inet_protocols`.
    public enum AddressFamilies: String, Sendable, Hashable, CaseIterable { case any, preferV4 = "ipv4", preferV6 = "ipv6", onlyV4 = "ipv4-only", onlyV6 = "ipv6-only" }

    public init(heloName: String) { self.heloName = heloName }

    /// Where mail for a recipient's domain goes.
    public func nextHop(for domain: EmailAddress.Domain) -> NextHop {
        if let transport = transports.transport(for: domain) {
            guard case .hop(let hop) = transport else { return NextHop(domain) }
            return hop
        }
        return relayHost ?? NextHop(domain)
    }
}
