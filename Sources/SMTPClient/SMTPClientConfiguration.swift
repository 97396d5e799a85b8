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
    /// By next-hop domain, where it differs (`smtp_tls_policy_maps`).
    public var tlsPolicies: [DomainName: TLSLevel] = [:]
    public var timeouts = ClientTimeouts()
    /// For one destination with all its hosts; then the rest is left for the next attempt.
    public var overallDeadline: Duration = .seconds(900)
    /// The port where none is given.
    public var port = 25
    /// Everything that no transport names goes here (`relayhost`).
    public var relayHost: NextHop?
    /// By recipient domain (`transport_maps`).
    public var transports: [DomainName: NextHop] = [:]
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
    /// Puts equal MX hosts in some order (RFC 5321 §5.1: at random).
    public var shuffle: @Sendable ([MXRecord]) -> [MXRecord] = { $0.shuffled() }

    /// `smtp_tls_security_level`.
    public enum TLSLevel: String, Sendable, Hashable, CaseIterable {
        case none
        /// Encrypt where the server offers it, whoever it is; in clear otherwise.
        case may
        /// Encrypt or leave the message queued.
        case encrypt
        /// Encrypt, and the certificate must prove the server's name.
        case verify
    }

    /// `smtp_address_preference` and `inet_protocols`.
    public enum AddressFamilies: String, Sendable, Hashable, CaseIterable { case any, preferV4 = "ipv4", preferV6 = "ipv6", onlyV4, onlyV6 }

    public init(heloName: String) { self.heloName = heloName }

    /// Where mail for a recipient's domain goes.
    public func nextHop(for domain: EmailAddress.Domain) -> NextHop {
        if case .name(let name) = domain, let transport = transports[name] { return transport }
        return relayHost ?? NextHop(domain)
    }

    func tlsLevel(for hop: NextHop) -> TLSLevel {
        switch hop {
        case .mailExchangers(let name, _), .host(let name, _): tlsPolicies[name] ?? tlsLevel
        case .address: tlsLevel
        }
    }
}
