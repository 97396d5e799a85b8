import NetworkAddress
import SMTPClient

extension Known {
    static let relay: [any AnySetting] = [
        relayhost, transport, smtpSASLPasswordFile, smtpSASLWithoutTLS, smtpPort, smtpBindAddress, smtpBindAddress6, smtpAddressPreference,
        smtpTLSSecurityLevel, smtpTLSPolicy, smtpTLSCAFile, smtpMTASTS, smtpConnectionCacheTime, smtpConnectionReuseCount,
        smtpConnectionReuseTime,
        minimalBackoffTime, maximalBackoffTime, maximalQueueLifetime, queueMinfree,
    ]

    public static let relayhost = Setting("relayhost", "",
        "Next hop for all outgoing mail: `host`, `[host]:port`. Empty: the recipient domain's MX.",
        wanted: "a host such as \"mail.example.org\" or \"[192.0.2.1]:25\"") { $0.isEmpty || NextHop($0) != nil }
    public static let transport = Setting("transport", KeyedTable<TransportEntry>(),
        "How single domains' mail leaves, by domain, `.domain` or `*`: `smtp:[host]:port`, `smtp:` (by MX, though there is a relayhost), `lmtp:unix:/path`, `lmtp:host:port`, `discard:`, `error:text`. See [relay.md](relay.md).")
    public static let smtpSASLPasswordFile = Setting("smtp_sasl_password_file", FilePath(""),
        "Log-ins for relay hosts, a line each: `[host]:port user:password`, the host as `relayhost` or `transport` writes it. Not readable by everybody.")
    public static let smtpSASLWithoutTLS = Setting("smtp_sasl_without_tls", false,
        "Send those passwords though the connection is not encrypted. For a relay on this machine.")
    public static let smtpPort = Setting("smtp_port", 25, "Port of other domains' mail servers. Anything but 25 is for tests.",
        wanted: "from 1 to 65535") { (1...65535).contains($0) }
    public static let smtpBindAddress = Setting("smtp_bind_address", "", "Source IPv4 address for outgoing mail. Empty: the system chooses.",
        wanted: "an IPv4 address of this machine, such as \"192.0.2.1\"") { $0.isEmpty || IPAddress($0)?.family == .v4 }
    public static let smtpBindAddress6 = Setting("smtp_bind_address6", "", "Source IPv6 address for outgoing mail. Empty: the system chooses.",
        wanted: "an IPv6 address of this machine, such as \"2001:db8::1\"") { $0.isEmpty || IPAddress($0)?.family == .v6 }
    public static let smtpAddressPreference = Setting("smtp_address_preference", Choice(SMTPClientConfiguration.AddressFamilies.any),
        "Which addresses of a server come first: `ipv4`, `ipv6`, or `any`, in turn; `ipv4-only` and `ipv6-only` leave the other out.")
    public static let smtpTLSSecurityLevel = Setting("smtp_tls_security_level", Choice(TLSLevel.dane),
        "TLS towards other servers: `none`; `may`, when offered; `encrypt`, always; `dane`, by TLSA records where DNSSEC proves them (needs `dns.trust_anchor_file`), else as `may`; `dane-only`; `verify`, a valid certificate for the server's name; `secure`, one for the recipient's domain.")
    public static let smtpTLSPolicy = Setting("smtp_tls_policy", KeyedTable<TLSPolicyEntry>(),
        "The level for single destinations, as Postfix's `smtp_tls_policy_maps`: by domain, `.domain` or next hop; `secure match=example.org:.example.org` names whose certificate it must be. See [relay.md](relay.md).")
    public static let smtpTLSCAFile = Setting("smtp_tls_CAfile", FilePath(""),
        "Authorities (PEM) that other servers' certificates are verified with, for SMTP and for MTA-STS policies. Empty: the system's.")
    public static let smtpMTASTS = Setting("smtp_mta_sts", true,
        "Fetch, keep and obey other domains' MTA-STS policies (RFC 8461), where neither `smtp_tls_policy` nor DANE decides.")
    public static let smtpConnectionCacheTime = Setting("smtp_connection_cache_time_limit", TimeSpan(seconds: 2),
        "How long a connection is kept open for the next message to the same server. 0: it is not.")
    public static let smtpConnectionReuseCount = Setting("smtp_connection_reuse_count_limit", 100, "Messages sent over one connection.",
        wanted: "1 or more") { $0 >= 1 }
    public static let smtpConnectionReuseTime = Setting("smtp_connection_reuse_time_limit", TimeSpan(seconds: 300), "How long one connection is used.",
        wanted: "at least \"1s\"") { $0.seconds >= 1 }
    public static let minimalBackoffTime = Setting("minimal_backoff_time", TimeSpan(seconds: 300), "First delay before a delivery is tried again.",
        wanted: "at least \"1s\"") { $0.seconds >= 1 }
    public static let maximalBackoffTime = Setting("maximal_backoff_time", TimeSpan(seconds: 4000), "Longest delay between two tries.",
        wanted: "at least \"1s\"") { $0.seconds >= 1 }
    public static let maximalQueueLifetime = Setting("maximal_queue_lifetime", TimeSpan(seconds: 432_000), "When a message is given up and returned to its sender.")
    public static let queueMinfree = Setting("queue_minfree", 50_000_000, "Free octets of disk below which new mail is refused with 452.")
}
