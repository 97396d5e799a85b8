/// Which of the two protocols a listener speaks.
public enum ServerProtocol: Sendable, Hashable {
    /// RFC 5321
    case smtp
    /// RFC 2033: LHLO for the greeting, and a reply for each recipient after the message.
    case lmtp
}

/// What one listener's sessions go by.
public struct ServerSettings: Sendable {
    /// The name in the greeting and the EHLO reply.
    public var hostname: String
    public var speaks = ServerProtocol.smtp
    /// What follows the name in the greeting.
    public var banner = "ESMTP Postern"
    /// Octets of a message (RFC 1870).
    public var messageSizeLimit = 10_240_000
    /// Recipients of a message; RFC 5321 §4.5.3.1.8 wants at least 100.
    public var recipientLimit = 1000
    /// Whether there is a certificate, so that STARTTLS can be offered.
    public var offersTLS = false
    public var offersAuthentication = false
    /// Whether SCRAM keys can be had, beside passwords.
    public var offersSCRAM = false
    /// Whether this client may say XCLIENT.
    public var offersXClient = false
    /// Refuse mail on clear text (RFC 3207 §4; never set it where strangers deliver).
    public var requiresTLS = false
    public var requiresAuthentication = false
    /// Replies of 4xx and 5xx in one session before it is closed, as Postfix's `smtpd_hard_error_limit`.
    public var errorLimit = 20
    /// Commands that move no mail before each of them counts as an error, as `smtpd_junk_command_limit`.
    public var junkLimit = 100
    /// Wrong passwords in one session.
    public var authenticationFailureLimit = 3

    /// RFC 5321 §4.5.3.1.4's 512 octets, and what RFC 1870, 3461, 4954, 6152 and 6531 add to MAIL and RCPT.
    public static let commandLineLimit = 2048
    /// RFC 4954 §4: base64 lines.
    public static let authenticationLineLimit = 12288
    /// Octets of one overlong line that are read over before the connection is closed.
    public static let skipLimit = 131_072

    public init(hostname: String) { self.hostname = hostname }
}
