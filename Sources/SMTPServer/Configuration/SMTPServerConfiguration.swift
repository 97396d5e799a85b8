import NIOCore
import NetworkAddress
import SMTPCore

/// Settings of all listeners together.
public struct SMTPServerConfiguration: Sendable {
    public var hostname: DomainName
    /// What follows the host name in the greeting.
    public var banner = "ESMTP Postern"
    public var listeners: [SMTPListener]
    /// Octets; Postfix's `message_size_limit`.
    public var messageSizeLimit = 10_240_000
    /// Postfix's `smtpd_recipient_limit`.
    public var recipientLimit = 1000
    /// Who may relay without logging in, and is not limited in its number of connections; Postfix's `mynetworks`.
    public var ownNetworks: [IPNetwork] = []
    /// Proxies that may say XCLIENT; Postfix's `smtpd_authorized_xclient_hosts`.
    public var xclientNetworks: [IPNetwork] = []
    /// Characters that part a detail from a local part, when a sender's address is looked for among an account's.
    public var recipientDelimiter = ""
    /// How long to wait for a command, or for more of a message (RFC 5321 §4.5.3.2.7: at least 5 minutes).
    public var commandTimeout = TimeAmount.seconds(300)
    /// Octets a second below which a message is too slow, beyond one ``commandTimeout``; as `smtpd_min_data_rate`.
    public var minimumDataRate = 500
    public var connectionLimit = 1000
    /// As `smtpd_client_connection_count_limit`.
    public var connectionLimitPerClient = 50
    /// What a client may do in a length of time.
    public var clientRates = ClientRateLimits()
    /// Where bodies go that exceed ``contentMemoryLimit``.
    public var spoolFolder: String
    /// Octets of a body kept in memory, for each connection.
    public var contentMemoryLimit = 262_144
    /// Keep the log-in name out of the Received field.
    public var hideAuthenticatedUser = true
    /// Received fields beyond which a message goes in circles (RFC 5321 §6.3); Postfix's `hopcount_limit`.
    public var hopLimit = 50
    /// Replies of 4xx and 5xx before a session is closed; `smtpd_hard_error_limit`.
    public var errorLimit = 20
    /// `smtpd_junk_command_limit`
    public var junkLimit = 100
    /// How long the client's name is looked for before it counts as unknown.
    public var reverseNameTimeout = TimeAmount.seconds(5)

    public init(hostname: DomainName, listeners: [SMTPListener], spoolFolder: String) {
        self.hostname = hostname
        self.listeners = listeners
        self.spoolFolder = spoolFolder
    }

    func isOwn(_ client: IPAddress?) -> Bool { client.map { client in ownNetworks.contains { $0.contains(client) } } ?? false }

    func settings(for listener: SMTPListener, client: IPAddress?, hasTLS: Bool) -> ServerSettings {
        var settings = ServerSettings(hostname: hostname.text)
        settings.speaks = listener.speaks
        settings.banner = listener.speaks == .lmtp ? banner.replacing("ESMTP", with: "LMTP", maxReplacements: 1) : banner
        settings.messageSizeLimit = messageSizeLimit
        settings.recipientLimit = recipientLimit
        settings.offersTLS = hasTLS && !listener.implicitTLS
        settings.offersAuthentication = listener.offersAuthentication
        settings.requiresTLS = listener.requiresTLS
        settings.requiresAuthentication = listener.requiresAuthentication
        settings.offersXClient = listener.speaks == .lmtp ? false : client.map { client in xclientNetworks.contains { $0.contains(client) } } ?? false
        settings.errorLimit = errorLimit
        settings.junkLimit = junkLimit
        // An MTA that delivers to many unknown users is no guesser, and closing on it would only cost it a connection.
        if listener.speaks == .lmtp { (settings.errorLimit, settings.junkLimit) = (.max, .max) }
        return settings
    }
}
