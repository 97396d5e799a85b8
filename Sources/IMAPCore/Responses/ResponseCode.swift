/// `resp-text-code` (RFC 3501 §7.1; UIDPLUS RFC 4315, RFC 5530, RFC 7889 and others as named).
public enum ResponseCode: Sendable, Hashable {
    case alert, parse, readOnly, readWrite, tryCreate
    case badCharset([String])
    case capability([String])
    /// Nothing in the list but `\*` when `allowsNew`: clients may make keywords.
    case permanentFlags([Flag], allowsNew: Bool)
    case uidNext(UInt32), uidValidity(UInt32), unseen(UInt32)
    /// RFC 4315 §3. Numbers ascending.
    case appendUID(validity: UInt32, uids: SequenceSet)
    /// RFC 4315 §3: source and destination in the same order.
    case copyUID(validity: UInt32, source: SequenceSet, destination: SequenceSet)
    case uidNotSticky
    /// RFC 5530.
    case unavailable, authenticationFailed, authorizationFailed, expired, privacyRequired, contactAdmin, noPerm, inUse, expungeIssued
    case corruption, serverBug, clientBug, cannot, limit, overQuota, alreadyExists, nonExistent
    /// RFC 3516.
    case unknownCTE
    /// RFC 4469.
    case tooBig
    /// RFC 9051: the selected mailbox is closed now (by a SELECT).
    case closed

    /// The text between the brackets.
    public var text: String {
        switch self {
        case .badCharset(let names): names.isEmpty ? "BADCHARSET" : "BADCHARSET (" + names.joined(separator: " ") + ")"
        case .capability(let names): "CAPABILITY " + names.joined(separator: " ")
        case .permanentFlags(let flags, let allowsNew):
            "PERMANENTFLAGS (" + (flags.map(\.text) + (allowsNew ? ["\\*"] : [])).joined(separator: " ") + ")"
        case .uidNext(let uid): "UIDNEXT \(uid)"
        case .uidValidity(let value): "UIDVALIDITY \(value)"
        case .unseen(let number): "UNSEEN \(number)"
        case .appendUID(let validity, let uids): "APPENDUID \(validity) \(uids)"
        case .copyUID(let validity, let source, let destination): "COPYUID \(validity) \(source) \(destination)"
        default: word
        }
    }

    private var word: String {
        switch self {
        case .alert: "ALERT"
        case .parse: "PARSE"
        case .readOnly: "READ-ONLY"
        case .readWrite: "READ-WRITE"
        case .tryCreate: "TRYCREATE"
        case .uidNotSticky: "UIDNOTSTICKY"
        case .unavailable: "UNAVAILABLE"
        case .authenticationFailed: "AUTHENTICATIONFAILED"
        case .authorizationFailed: "AUTHORIZATIONFAILED"
        case .expired: "EXPIRED"
        case .privacyRequired: "PRIVACYREQUIRED"
        case .contactAdmin: "CONTACTADMIN"
        case .noPerm: "NOPERM"
        case .inUse: "INUSE"
        case .expungeIssued: "EXPUNGEISSUED"
        case .corruption: "CORRUPTION"
        case .serverBug: "SERVERBUG"
        case .clientBug: "CLIENTBUG"
        case .cannot: "CANNOT"
        case .limit: "LIMIT"
        case .overQuota: "OVERQUOTA"
        case .alreadyExists: "ALREADYEXISTS"
        case .nonExistent: "NONEXISTENT"
        case .unknownCTE: "UNKNOWN-CTE"
        case .tooBig: "TOOBIG"
        case .closed: "CLOSED"
        default: ""
        }
    }
}

/// `resp-cond`: status, optional code, text for people.
public struct Condition: Sendable, Hashable {
    public enum Status: String, Sendable, Hashable { case ok = "OK", no = "NO", bad = "BAD", bye = "BYE", preauth = "PREAUTH" }

    public let status: Status
    public let code: ResponseCode?
    public let text: String

    public init(_ status: Status, code: ResponseCode? = nil, _ text: String) {
        self.status = status
        self.code = code
        self.text = text
    }

    public static func ok(_ text: String, code: ResponseCode? = nil) -> Condition { Condition(.ok, code: code, text) }
    public static func no(_ text: String, code: ResponseCode? = nil) -> Condition { Condition(.no, code: code, text) }
    public static func bad(_ text: String, code: ResponseCode? = nil) -> Condition { Condition(.bad, code: code, text) }
}
