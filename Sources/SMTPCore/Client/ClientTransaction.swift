import InternetMessage

/// One mail transaction as a client wants it: envelope and what must be known of the content before it is sent.
public struct ClientTransaction: Sendable, Hashable {
    /// nil for the null reverse-path.
    public var sender: EmailAddress?
    /// `FULL` or `HDRS` (RFC 3461 §4.3).
    public var returnContent: String?
    /// `ENVID`'s value in xtext (RFC 3461 §4.4).
    public var envelopeID: String?
    /// The submitter asked for REQUIRETLS (RFC 8689).
    public var requireTLS: Bool
    /// The submitter declared SMTPUTF8 (RFC 6531 §3.4).
    public var smtpUTF8: Bool
    public var recipients: [ClientRecipient]
    /// Octets of the content before dot-stuffing.
    public var byteCount: Int
    public var headerIs8Bit: Bool
    public var bodyIs8Bit: Bool

    public init(sender: EmailAddress?, recipients: [ClientRecipient], byteCount: Int, headerIs8Bit: Bool = false, bodyIs8Bit: Bool = false,
                returnContent: String? = nil, envelopeID: String? = nil, requireTLS: Bool = false, smtpUTF8: Bool = false) {
        self.sender = sender
        self.recipients = recipients
        self.byteCount = byteCount
        self.headerIs8Bit = headerIs8Bit
        self.bodyIs8Bit = bodyIs8Bit
        self.returnContent = returnContent
        self.envelopeID = envelopeID
        self.requireTLS = requireTLS
        self.smtpUTF8 = smtpUTF8
    }
}

/// One RCPT.
public struct ClientRecipient: Sendable, Hashable {
    public var address: EmailAddress
    /// `NOTIFY`'s value: `NEVER` or a list of `SUCCESS`, `FAILURE`, `DELAY`.
    public var notify: String?
    /// `ORCPT`'s value: `rfc822;xtext`.
    public var originalRecipient: String?

    public init(_ address: EmailAddress, notify: String? = nil, originalRecipient: String? = nil) {
        self.address = address
        self.notify = notify
        self.originalRecipient = originalRecipient
    }
}

/// What a transaction ended with for one recipient.
public enum RecipientOutcome: Sendable, Hashable {
    /// The server took the message for this recipient; its reply to the content.
    case accepted(SMTPReply)
    /// The server refused, at whatever command; its code says whether for ever.
    case refused(SMTPReply)
    /// This message cannot go through this server: found by us, permanent. Enhanced status code and why.
    case impossible(status: String, text: String)
    /// The session ended before the server had decided.
    case lost(SessionFailure)

    var isLost: Bool { if case .lost = self { true } else { false } }
}

/// What a transaction ended with.
public struct TransactionReport: Sendable, Hashable {
    /// In the order of ``ClientTransaction/recipients``.
    public let outcomes: [RecipientOutcome]
    /// Whether the server promised to send status notifications, so that we owe none for what it accepted (RFC 3461 §5.2.2).
    public let serverNotifies: Bool
    /// Whether the server has had the whole content: if its verdict was lost then, it may have taken the message, and
    /// asking another server at once would make a second copy likely (RFC 5321 §4.5.3.2.6, RFC 1047).
    public let contentWasSent: Bool

    /// Whether the connection broke before the server said anything to this transaction: one that had waited may have been
    /// closed long before (RFC 5321 §4.5.3.2.7 lets servers hang up on the idle).
    public let wasDeadAtStart: Bool

    init(outcomes: [RecipientOutcome], serverNotifies: Bool, contentWasSent: Bool, wasDeadAtStart: Bool = false) {
        self.wasDeadAtStart = wasDeadAtStart
        self.outcomes = outcomes
        self.serverNotifies = serverNotifies
        self.contentWasSent = contentWasSent
    }

    /// A transaction that never began, for want of a connection.
    public init(unsent transaction: ClientTransaction, _ failure: SessionFailure) {
        self.init(outcomes: transaction.recipients.map { _ in .lost(failure) }, serverNotifies: false, contentWasSent: false, wasDeadAtStart: true)
    }
}
