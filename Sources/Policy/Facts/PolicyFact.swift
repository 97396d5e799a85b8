/// What a rule may ask by name. The raw value is the name in the language; `header["Subject"]` stands beside these.
///
/// The value that ``PolicyFacts/value(of:)`` gives for a fact must be of the case its documentation names.
public enum PolicyFact: String, Sendable, Hashable, CaseIterable {
    /// `.ip`: the client's address; missing for a UNIX-domain client or mail made here.
    case clientIP = "client.ip"
    /// `.domain`: the client's verified reverse name.
    case clientName = "client.name"
    /// `.flag`: whether the client lies in the configured own networks.
    case clientOwn = "client.own"
    /// `.word`: the listener that took the connection: smtp, submission, submissions, milter, lmtp, local.
    case listener
    /// `.text`: what the client said at HELO or EHLO.
    case helo
    /// `.word`: `TLSv1.3` and its like; missing in the clear.
    case tlsVersion = "tls.version"
    /// `.text`: the cipher suite by OpenSSL's name; missing in the clear.
    case tlsCipher = "tls.cipher"
    /// `.text`: the account that logged in.
    case account
    /// `.address`: the reverse path; missing for the null reverse path `<>`.
    case sender
    /// `.domain`: the reverse path's domain.
    case senderDomain = "sender.domain"
    /// `.word`: where the sender's domain takes mail: `mx`; `address` where it has no MX but an address (RFC 5321 §5.1);
    /// `null` where it says that it takes none (RFC 7505); `none`. Missing for `<>` and when the DNS did not answer.
    case senderMX = "sender.mx"
    /// `.flag`: the sender is of one of our domains and the client a stranger: it neither logged in nor is it own.
    case senderOwn = "sender.own"
    /// `.flag`: whether the account that logged in may write as the sender; missing where nobody did, and for `<>`.
    case senderAllowed = "sender.allowed"
    /// `.number`: octets; the declared SIZE before the message is here, its true size after.
    case size
    /// `.address`: the recipient that is asked about.
    case recipient
    /// `.domain`: its domain.
    case recipientDomain = "recipient.domain"
    /// `.text`: the part of its local part behind the delimiter.
    case recipientDetail = "recipient.detail"
    /// `.list` of `.address`: the recipients taken so far.
    case recipients
    /// `.number`: how many those are.
    case recipientsCount = "recipients.count"
    /// `.word`: the ledger's status; at `rcpt` of this recipient's tag before any authentication, at `message` the most
    /// serious verdict among the recipients. Missing when no recipient bears a tag.
    case tagStatus = "tag.status"
    /// `.word`: SPF of the MAIL FROM identity (RFC 7208 §2.6).
    case spfResult = "spf.result"
    /// `.list` of `.domain`: the d= of each signature that passed.
    case dkimDomains = "dkim.domains"
    /// `.word`: the DMARC result (RFC 8601 §2.7.2's words, RFC 9989's meaning).
    case dmarcResult = "dmarc.result"
    /// `.word`: what the From domain's owner asks for: none, quarantine, reject; missing without a record.
    case dmarcPolicy = "dmarc.policy"
    /// `.address`: the one From address; missing when there is none or more than one.
    case from
    /// `.domain`: its domain.
    case fromDomain = "from.domain"
    /// `.flag`: as ``senderOwn``, of the From address.
    case fromOwn = "from.own"
    /// `.flag`: its domain mixes scripts as no language does, or hides something: ``DomainName/isConfusable``.
    case fromConfusable = "from.confusable"
    /// `.number` of seconds since the Date field's time, below zero when that lies ahead; missing when unreadable.
    case messageAge = "message.age"
    /// `.list` of `.text`: file names of parts and of what lies in archives.
    case attachmentsName = "attachments.name"
    /// `.list` of `.text`: `application/pdf`, of every part.
    case attachmentsType = "attachments.type"
    /// `.flag`: an archive needs a password.
    case attachmentsEncrypted = "attachments.encrypted"
    /// `.flag`: an archive could not be looked through.
    case attachmentsUnreadable = "attachments.unreadable"

    /// The first stage at which it can be asked.
    public var firstStage: PolicyStage {
        switch self {
        case .clientIP, .clientName, .clientOwn, .listener, .tlsVersion, .tlsCipher: .connect
        case .helo: .helo
        case .account, .sender, .senderDomain, .senderMX, .senderOwn, .senderAllowed, .size: .mail
        case .recipient, .recipientDomain, .recipientDetail, .recipients, .recipientsCount, .tagStatus: .rcpt
        case .spfResult, .dkimDomains, .dmarcResult, .dmarcPolicy, .from, .fromDomain, .fromOwn, .fromConfusable, .messageAge,
            .attachmentsName, .attachmentsType, .attachmentsEncrypted, .attachmentsUnreadable: .message
        }
    }

    /// The last stage at which it can be asked: that of one recipient is gone when there are several.
    public var lastStage: PolicyStage {
        switch self {
        case .recipient, .recipientDomain, .recipientDetail: .rcpt
        default: .message
        }
    }

    /// Whether a sender must never be told: it comes from the private ledger.
    var isPrivate: Bool { self == .tagStatus }

    func isKnown(at stage: PolicyStage) -> Bool {
        // The ledger speaks of one recipient at rcpt and of the message at its end; between the two of neither.
        if self == .tagStatus { return stage == .rcpt || stage == .message }
        return firstStage <= stage && stage <= lastStage
    }
}

extension PolicyFact {
    /// The type, and for words which of them there are at that stage.
    func type(at stage: PolicyStage) -> PolicyType {
        switch self {
        case .clientIP: .ip
        case .clientName, .senderDomain, .recipientDomain, .fromDomain: .domain
        case .clientOwn, .senderOwn, .senderAllowed, .fromOwn, .fromConfusable, .attachmentsEncrypted, .attachmentsUnreadable: .flag
        case .listener: .word(Self.listeners, ordered: false)
        case .tlsCipher, .helo, .account, .recipientDetail: .text
        case .senderMX: .word(["mx", "address", "null", "none"], ordered: false)
        case .messageAge: .duration
        case .attachmentsName, .attachmentsType: .list(.text)
        case .tlsVersion: .word(Self.tlsVersions, ordered: true)
        case .sender, .recipient, .from: .address
        case .size, .recipientsCount: .number
        case .recipients: .list(.address)
        case .dkimDomains: .list(.domain)
        case .tagStatus: .word(stage == .rcpt ? Self.tagWordsAtRcpt : Self.tagWordsAtMessage, ordered: false)
        case .spfResult: .word(["pass", "fail", "softfail", "neutral", "none", "temperror", "permerror"], ordered: false)
        case .dmarcResult: .word(["pass", "fail", "none", "temperror", "permerror"], ordered: false)
        case .dmarcPolicy: .word(["none", "quarantine", "reject"], ordered: false)
        }
    }

    static let listeners = ["smtp", "submission", "submissions", "milter", "lmtp", "local"]
    static let tlsVersions = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]
    private static let tagWordsAtRcpt = ["blocked", "revoked", "guessed", "known", "unknown"]
    private static let tagWordsAtMessage = ["new", "match", "leaked", "unverified", "guessed", "blocked", "revoked"]
}
