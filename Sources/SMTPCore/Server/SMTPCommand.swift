import InternetMessage

/// A client's command (RFC 5321 §4.1 and its extensions).
public enum SMTPCommand: Sendable, Hashable {
    case helo(String)
    case ehlo(String)
    case mail(sender: EmailAddress?, parameters: [String: String])
    case rcpt(RecipientPath, parameters: [String: String])
    case data
    /// RFC 3030 §2.
    case bdat(size: Int, last: Bool)
    case rset
    case noop
    case quit
    case help
    case vrfy
    case expn
    case startTLS
    /// RFC 4954 §4; the initial response still in base64, `=` for an empty one.
    case auth(mechanism: String, initialResponse: String?)
    /// A verb that nobody here knows.
    case unknown(String)
    /// A known verb whose arguments are wrong, and the reply that says so.
    case malformed(SMTPReply)

    public enum RecipientPath: Sendable, Hashable {
        case mailbox(EmailAddress)
        /// `<postmaster>` without a domain (RFC 5321 §4.1.1.3).
        case postmaster
    }
}
