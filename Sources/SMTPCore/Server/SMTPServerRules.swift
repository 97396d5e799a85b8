/// What one listener offers and demands. The session reads it; nothing in it changes while a session lives.
public struct SMTPServerRules: Sendable {
    /// In the greeting and the EHLO reply.
    public var hostname: String
    /// Octets; also offered as SIZE (RFC 1870).
    public var messageSizeLimit: Int
    public var recipientLimit: Int
    /// A certificate is there: offer STARTTLS while in the clear.
    public var offersTLS: Bool
    /// Submission: no MAIL before TLS and AUTH (RFC 6409 §4.3, RFC 8314 §3.3).
    public var isSubmission: Bool
    /// Offer AUTH under TLS.
    public var offersAuth: Bool
    /// Commands that were no use (errors, NOOP, RSET without a message) before the client is sent away, as Postfix's
    /// `smtpd_hard_error_limit`.
    public var errorLimit: Int
    /// Failed log-ins before the client is sent away.
    public var authFailureLimit: Int

    public init(hostname: String, messageSizeLimit: Int = 10_240_000, recipientLimit: Int = 1000, offersTLS: Bool = false,
                isSubmission: Bool = false, offersAuth: Bool = false, errorLimit: Int = 20, authFailureLimit: Int = 5) {
        self.hostname = hostname
        self.messageSizeLimit = messageSizeLimit
        self.recipientLimit = recipientLimit
        self.offersTLS = offersTLS
        self.isSubmission = isSubmission
        self.offersAuth = offersAuth
        self.errorLimit = errorLimit
        self.authFailureLimit = authFailureLimit
    }
}
