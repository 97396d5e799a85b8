import InternetMessage

/// An SMTP command, its grammar checked (RFC 5321 §4.1 and the extensions offered).
public enum Command: Sendable, Hashable {
    case helo(String)
    case ehlo(String)
    /// RFC 2033 §4.1
    case lhlo(String)
    case mail(MailCommand)
    case rcpt(RecipientCommand)
    case data
    /// RFC 3030 §2: how many octets follow, and whether they end the message.
    case bdat(count: Int, last: Bool)
    case rset
    case noop
    case quit
    case help
    case vrfy
    case startTLS
    /// RFC 4954 §4: the mechanism in upper case, and the initial response as sent, still base64 (`=` is an empty one).
    case auth(mechanism: String, initialResponse: [UInt8]?)
    /// Postfix's XCLIENT: who the client behind a proxy is.
    case xclient(ClientOverride)
    /// A verb that some standard knows and this server does not do: EXPN, ETRN, TURN, SEND, SOML, SAML.
    case notImplemented(String)
    /// The verb of another protocol: nobody with mail to deliver says it.
    case foreign(String)
    case unknown
}

/// `MAIL FROM:<reverse-path> [parameters]`
public struct MailCommand: Sendable, Hashable {
    /// nil is the null reverse-path.
    public let sender: EmailAddress?
    /// Keyword in upper case → value as given; empty where there is none.
    public let parameters: [String: String]
    /// RFC 1870: the size the client announced, in octets.
    public let size: Int?
    /// RFC 6531: the message may hold UTF-8 in its header and envelope.
    public let smtpUTF8: Bool

    public init(sender: EmailAddress?, parameters: [String: String] = [:], size: Int? = nil, smtpUTF8: Bool = false) {
        self.sender = sender
        self.parameters = parameters
        self.size = size
        self.smtpUTF8 = smtpUTF8
    }
}

/// `RCPT TO:<forward-path> [parameters]`
public struct RecipientCommand: Sendable, Hashable {
    public enum Path: Sendable, Hashable {
        case mailbox(EmailAddress)
        /// `<postmaster>` without a domain: this host's own (RFC 5321 §4.1.1.3).
        case postmaster
    }
    public let path: Path
    public let parameters: [String: String]
    /// Whether it can be said only in a transaction with SMTPUTF8.
    public let needsSMTPUTF8: Bool

    public init(path: Path, parameters: [String: String] = [:], needsSMTPUTF8: Bool = false) {
        self.path = path
        self.parameters = parameters
        self.needsSMTPUTF8 = needsSMTPUTF8
    }
}

/// Why a line is no command.
public enum CommandError: Error, Sendable, Hashable {
    /// Control characters, or octets outside US-ASCII where no extension allows them.
    case badCharacter
    /// The command's syntax, as it should have been.
    case syntax(String)
    /// An argument where there is none.
    case argumentNotAllowed
    /// The path is not in RFC 5321's grammar.
    case badSender
    case badRecipient
    /// RFC 6531 §3.5: a non-ASCII path without SMTPUTF8.
    case needsSMTPUTF8
    case badParameter(String)
    case unknownParameter(String)

    /// RFC 5321 §4.2.3, RFC 3463.
    public var reply: SMTPReply {
        switch self {
        case .badCharacter: SMTPReply(500, "5.5.2", "Error: bad syntax: control or non-ASCII characters in a command")
        case .syntax(let form): SMTPReply(501, "5.5.4", "Syntax: \(form)")
        case .argumentNotAllowed: SMTPReply(501, "5.5.4", "Syntax: no argument allowed")
        case .badSender: SMTPReply(501, "5.1.7", "Bad sender address syntax")
        case .badRecipient: SMTPReply(501, "5.1.3", "Bad recipient address syntax")
        case .needsSMTPUTF8: SMTPReply(553, "5.6.7", "SMTPUTF8 is needed for this address")
        case .badParameter(let keyword): SMTPReply(501, "5.5.4", "Bad parameter \(keyword)")
        case .unknownParameter(let keyword): SMTPReply(555, "5.5.4", "Unsupported option: \(keyword)")
        }
    }
}
