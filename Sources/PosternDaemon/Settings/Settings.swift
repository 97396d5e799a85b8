import MilterClient
import NetworkAddress
import SMTPClient

/// The settings in force: values from the file, defaults for the rest.
public struct Settings: Sendable {
    private var values: [String: any Sendable]
    /// The settings file's folder: a default that is a relative path is meant from there, too.
    private let baseFolder: String

    public init(values: [String: any Sendable] = [:], baseFolder: String = ".") {
        self.values = values
        self.baseFolder = baseFolder
    }

    public subscript<Value>(_ setting: Setting<Value>) -> Value {
        get { values[setting.key] as? Value ?? fallback(of: setting) }
        set { values[setting.key] = newValue }
    }

    private func fallback<Value>(of setting: Setting<Value>) -> Value {
        (setting.fallback as? FilePath)?.resolved(from: baseFolder) as? Value ?? setting.fallback
    }

    /// Whether the file says it, or the default holds.
    public func isSet(_ setting: any AnySetting) -> Bool { values[setting.key] != nil }

    /// The value in force as the file would write it.
    public func text(of setting: any AnySetting) -> String {
        values[setting.key].map { setting.describe($0) } ?? setting.defaultText
    }

    /// By key.
    static let declared: [String: any AnySetting] = Dictionary(uniqueKeysWithValues: Known.all.map { ($0.key, $0) })
    /// Tables that hold keys of their own: `listen`, `dns`.
    static let tables: [String] = Array(Set(Known.all.compactMap { setting in
        setting.key.split(separator: ".").count > 1 ? setting.key.split(separator: ".").first.map(String.init) : nil
    })).sorted()
}

extension Settings {
    /// The folder of `postern dkim`'s keys.
    public var dkimKeyFolder: String {
        let named = self[Known.dkimKeyDirectory].path
        return named.isEmpty ? self[Known.dataDirectory].path + "/dkim" : named
    }
}

/// When the outgoing side uses TLS, in Postfix's words.
public enum TLSSecurityLevel: String, CaseIterable, Sendable { case none, may, encrypt, verify }

public enum LogLevelName: String, CaseIterable, Sendable { case debug, info, notice, warning, error }

/// Every setting there is. Postfix's word where Postfix has one.
public enum Known {
    // Identity
    public static let myhostname = Setting("myhostname", DomainName("localhost") ?? .root,
        "This server's fully qualified name: in the greeting, in EHLO, in `Received`. It should have an address record, and the address a PTR record with this name.",
        wanted: "a host name such as \"mail.example.org\"") { $0.isHostName }
    public static let mydestination = Setting("mydestination", [DomainName](),
        "Domains whose mail is delivered here. Their recipients are the accounts' addresses.")
    public static let mynetworks = Setting("mynetworks", [IPNetwork]("127.0.0.0/8", "::1/128"),
        "Clients that may send to other domains without logging in. Keep it to this machine.")
    public static let recipientDelimiter = Setting("recipient_delimiter", "+",
        "Characters that separate an address from its tag: with `+`, `alice+shop@example.org` is delivered to `alice`. Each character counts by itself; empty turns tags off.",
        wanted: "punctuation such as \"+\" or \"+-\"") { $0.unicodeScalars.allSatisfy { "!#$%&'*+-/=?^_`{|}~".unicodeScalars.contains($0) } }
    public static let postmaster = Setting("postmaster", "",
        "The account that gets mail for `postmaster` and `abuse` in every local domain, unless an account has the address. Empty: the first account.")
    public static let authservID = Setting("authserv_id", "",
        "The name under which `Authentication-Results` are written, and whose forgeries are removed. Empty: `myhostname`.",
        wanted: "a name such as \"mail.example.org\"") { $0.isEmpty || DomainName($0)?.isHostName == true }

    // Files
    public static let dataDirectory = Setting("data_directory", FilePath("/var/lib/postern"),
        "Holds mail, queue, accounts and ledger. Must be writable.")
    public static let policyDirectory = Setting("policy_directory", FilePath("policies"),
        "Folder of `*.policy` rule files, read in name order. Empty: no rules.")
    public static let user = Setting("user", "", "The user to become after binding the ports, when started as root. Empty: stay.")

    // Listeners
    public static let listenSMTP = Setting("listen.smtp", [ListenAddress(host: nil, port: 25)], "Mail from other servers.")
    public static let listenSubmission = Setting("listen.submission", [ListenAddress(host: nil, port: 587)],
        "Submission by our users: STARTTLS and a log-in are demanded.")
    public static let listenSubmissions = Setting("listen.submissions", [ListenAddress(host: nil, port: 465)],
        "Submission by our users with TLS from the first octet (RFC 8314).")
    public static let listenIMAP = Setting("listen.imap", [ListenAddress(host: nil, port: 143)], "IMAP with STARTTLS.")
    public static let listenIMAPS = Setting("listen.imaps", [ListenAddress(host: nil, port: 993)], "IMAP with TLS from the first octet.")
    public static let listenMilter = Setting("listen.milter", "inet:localhost:12301",
        "Where a Postfix or another MTA reaches the filters, written as its `smtpd_milters` has it. Empty: no milter listener.")
    public static let listenLMTP = Setting("listen.lmtp", [SocketSetting](),
        "Where another MTA hands over mail for our accounts by LMTP: `unix:/path` or `address:port`. For Postfix's chrooted clients the path lies in its queue folder: `unix:/var/spool/postfix/private/postern-lmtp` is its `lmtp:unix:private/postern-lmtp` (`private/lmtp` is a socket of its own). Whoever can connect can deliver: keep it to this machine.")
    public static let listenDovecotAuth = Setting("listen.dovecot_auth", [SocketSetting](),
        "Where Postfix (`smtpd_sasl_type = dovecot`) or Exim has log-ins checked: `unix:/var/spool/postfix/private/auth` is its `smtpd_sasl_path = private/auth`; or `address:port`, which is not encrypted: keep it to this machine.")
    public static let unixSocketMode = Setting("unix_socket_mode", FileMode(bits: 0o660), "Permission bits of the UNIX sockets of `listen.lmtp` and `listen.dovecot_auth`.")
    public static let unixSocketGroup = Setting("unix_socket_group", "postfix", "The group those sockets are given to. Empty: our own.")
    public static let lmtpFilters = Setting("lmtp_filters", false,
        "Whether mail by LMTP goes through the filters. No when its MTA asks us as its milter: then the filters have had their say, and the folder and keywords they wished for are honoured here.")

    // TLS
    public static let certFile = Setting("smtpd_tls_cert_file", FilePath(""),
        "Certificate chain (PEM), as certbot's `fullchain.pem`. Used by SMTP and IMAP. Empty: no TLS, and so no log-in.")
    public static let keyFile = Setting("smtpd_tls_key_file", FilePath(""), "Its private key (PEM), as certbot's `privkey.pem`.")

    // SMTP server
    public static let messageSizeLimit = Setting("message_size_limit", 10_240_000, "Largest message accepted, in octets.",
        wanted: "10000 or more") { $0 >= 10_000 }
    public static let recipientLimit = Setting("smtpd_recipient_limit", 1000, "Recipients per message.",
        wanted: "1 or more") { $0 >= 1 }
    public static let clientConnectionLimit = Setting("smtpd_client_connection_count_limit", 50, "Connections at once from one client address. 0: no limit.")
    public static let connectionLimit = Setting("smtpd_connection_limit", 1000, "SMTP connections at once in all. 0: no limit.")
    public static let smtpdTimeout = Setting("smtpd_timeout", TimeSpan(seconds: 300), "How long to wait for a client's next line or data.",
        wanted: "at least \"1s\"") { $0.seconds >= 1 }
    public static let xclientHosts = Setting("smtpd_authorized_xclient_hosts", [IPNetwork](),
        "Proxies that may say with XCLIENT who the client is: its name, address, HELO and log-in are then believed.")
    public static let trustedRelays = Setting("trusted_relays", [IPNetwork](),
        "Servers of yours that pass on mail from elsewhere, a secondary MX for one. Of their mail the client's address, HELO and TLS are taken from the `Received` field that they wrote, so that SPF and DMARC stay right.")
    public static let receivedHeaderUser = Setting("smtpd_sasl_authenticated_header", false,
        "Whether `Received` names the account that logged in.")

    public static let hopcountLimit = Setting("hopcount_limit", 50, "`Received` fields beyond which a message is taken to go in circles.",
        wanted: "1 or more") { $0 >= 1 }

    // Filters
    public static let milters = Setting("milters", [MilterLink.builtIn],
        "Filters of mail that comes over our own SMTP ports, in their order: `builtin`, and milters as `inet:host:port` or `unix:/path`, or as `{ inet:host:port, default_action=accept, content_timeout=60s }` where one has settings of its own.")
    public static let milterDefaultAction = Setting("milter_default_action", Choice(MilterClientConfiguration.DefaultAction.tempfail),
        "What happens to mail when one of those milters cannot be asked.")
    public static let milterConnectTimeout = Setting("milter_connect_timeout", TimeSpan(seconds: 30), "How long to wait for a milter to take the connection.")
    public static let milterCommandTimeout = Setting("milter_command_timeout", TimeSpan(seconds: 30), "How long to wait for its word on a command.")
    public static let milterContentTimeout = Setting("milter_content_timeout", TimeSpan(seconds: 300), "How long to wait for its word on content and at end of message.")

    // Relay
    public static let relayhost = Setting("relayhost", "",
        "Next hop for all outgoing mail: `host`, `[host]:port`. Empty: the recipient domain's MX.",
        wanted: "a host such as \"mail.example.org\" or \"[192.0.2.1]:25\"") { $0.isEmpty || NextHop($0) != nil }
    public static let smtpPort = Setting("smtp_port", 25, "Port of other domains' mail servers. Anything but 25 is for tests.",
        wanted: "from 1 to 65535") { (1...65535).contains($0) }
    public static let smtpBindAddress = Setting("smtp_bind_address", "", "Source IPv4 address for outgoing mail. Empty: the system chooses.",
        wanted: "an IPv4 address of this machine, such as \"192.0.2.1\"") { $0.isEmpty || IPAddress($0)?.family == .v4 }
    public static let smtpTLSSecurityLevel = Setting("smtp_tls_security_level", Choice(TLSSecurityLevel.may),
        "TLS towards other servers: `none`; `may`, when offered; `encrypt`, always; `verify`, always and with a valid certificate.")
    public static let minimalBackoffTime = Setting("minimal_backoff_time", TimeSpan(seconds: 300), "First delay before a delivery is tried again.",
        wanted: "at least \"1s\"") { $0.seconds >= 1 }
    public static let maximalBackoffTime = Setting("maximal_backoff_time", TimeSpan(seconds: 4000), "Longest delay between two tries.",
        wanted: "at least \"1s\"") { $0.seconds >= 1 }
    public static let maximalQueueLifetime = Setting("maximal_queue_lifetime", TimeSpan(seconds: 432_000), "When a message is given up and returned to its sender.")
    public static let queueMinfree = Setting("queue_minfree", 50_000_000, "Free octets of disk below which new mail is refused with 452.")

    // DNS
    public static let dnsForwarders = Setting("dns.forwarders", [String](),
        "Resolvers to ask, `address` or `address@port`. Empty: those of /etc/resolv.conf.",
        wanted: "addresses such as \"192.0.2.53\" or \"127.0.0.1@5353\"") { $0.allSatisfy(isResolver) }
    public static let dnsTrustAnchorFile = Setting("dns.trust_anchor_file", FilePath(""),
        "The root's DNSSEC key, as Debian's `/usr/share/dns/root.key`. Empty: nothing is validated.")
    public static let dnsTimeout = Setting("dns.timeout", TimeSpan(seconds: 10), "How long one look-up may take.",
        wanted: "at least \"1s\"") { $0.seconds >= 1 }
    public static let dnsZoneFile = Setting("dns.zone_file", FilePath(""),
        "Records answered from this file instead of the DNS, one `name TYPE data` a line. For tests.")
    public static let dnsOffline = Setting("dns.offline", false, "Ask no other server: only the zone file answers. For tests.")

    // DKIM
    public static let dkimKeys = Setting("dkim", [DKIMKeySetting](),
        "Signing keys in files of your own. All keys that fit the `From:` domain of our own mail sign it, as do those that `postern dkim` keeps.")
    public static let dkimKeyDirectory = Setting("dkim_key_directory", FilePath(""),
        "Where `postern dkim` keeps keys and their states. Empty: `dkim` in `data_directory`.")
    public static let dkimRetirementTime = Setting("dkim_retirement_time", TimeSpan(seconds: 604_800),
        "How long a replaced key's DNS record stays published: longer than any message may be under way.")

    public static let dkimSignatureLimit = Setting("dkim_signature_limit", 10,
        "Signatures of one message that are checked; further ones are told as not checked. Each costs a DNS look-up and a hash of the body.",
        wanted: "1 to 100") { (1...100).contains($0) }

    // DMARC
    public static let dmarcRecordLifetime = Setting("dmarc_record_lifetime", TimeSpan(seconds: 2_592_000),
        "How long a row about each message that DMARC was asked about is kept, for aggregate reports and `postern dmarc`. 0: none is written.")

    // Operation
    public static let logLevel = Setting("log_level", Choice(LogLevelName.info), "Least level that is logged.")
    public static let shutdownTimeout = Setting("shutdown_timeout", TimeSpan(seconds: 30), "How long transactions in flight may take to finish at shutdown.")

    @Sendable private static func isResolver(_ text: String) -> Bool {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        return IPAddress(parts[0]) != nil && (parts.count == 1 || UInt16(parts[1]).map { $0 > 0 } == true)
    }

    /// In the order of the reference.
    public static let all: [any AnySetting] = [
        myhostname, mydestination, mynetworks, recipientDelimiter, postmaster, authservID,
        dataDirectory, policyDirectory, user,
        listenSMTP, listenSubmission, listenSubmissions, listenIMAP, listenIMAPS, listenMilter, listenLMTP, listenDovecotAuth,
        unixSocketMode, unixSocketGroup, lmtpFilters,
        certFile, keyFile,
        messageSizeLimit, recipientLimit, clientConnectionLimit, connectionLimit, smtpdTimeout, receivedHeaderUser, xclientHosts, trustedRelays, hopcountLimit,
        milters, milterDefaultAction, milterConnectTimeout, milterCommandTimeout, milterContentTimeout,
        relayhost, smtpPort, smtpBindAddress, smtpTLSSecurityLevel, minimalBackoffTime, maximalBackoffTime, maximalQueueLifetime, queueMinfree,
        dnsForwarders, dnsTrustAnchorFile, dnsTimeout, dnsZoneFile, dnsOffline,
        dkimKeys, dkimKeyDirectory, dkimRetirementTime, dkimSignatureLimit, dmarcRecordLifetime,
        logLevel, shutdownTimeout,
    ]
}

extension [IPNetwork] {
    /// From literals known to parse; one that does not is left out.
    fileprivate init(_ texts: String...) { self = texts.compactMap { IPNetwork($0) } }
}
