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
    /// RFC 7162 §3.1.2 and §3.1.3.
    case highestModSequence(UInt64)
    case modified(SequenceSet)
    /// RFC 5182 §2.1.
    case notSaved
    /// RFC 8474 §4.
    case mailboxID(String)
    /// RFC 9585: the command's tag, how much is done, of how much.
    case inProgress(tag: String, done: UInt32, goal: UInt32)
    /// RFC 4469 §4.2: the URL that means nothing.
    case badURL(String)
    /// RFC 4978 §3.
    case compressionActive
    /// RFC 5464 §4.3 and §4.2.1.
    case metadataMaxSize(Int), metadataTooMany, metadataNoPrivate, metadataLongEntries(Int)
    /// RFC 6154 §3: a mailbox cannot be made for that.
    case useAttribute
    /// RFC 5465 §5.8 and §8.
    case notificationOverflow, badEvent([String])
    /// RFC 5267 §4.3.1: the tag of the searching command whose result is not kept up to date.
    case noUpdate(String)

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
        case .highestModSequence(let value): "HIGHESTMODSEQ \(value)"
        case .modified(let set): "MODIFIED \(set)"
        case .mailboxID(let id): "MAILBOXID (\(id))"
        case .inProgress(let tag, let done, let goal): "INPROGRESS (\"\(tag.filter { $0 != "\"" && $0 != "\\" })\" \(done) \(goal))"
        case .badURL(let url): "BADURL \"\(url.filter { $0 != "\"" && $0 != "\\" })\""
        case .metadataMaxSize(let limit): "METADATA MAXSIZE \(limit)"
        case .metadataLongEntries(let size): "METADATA LONGENTRIES \(size)"
        case .noUpdate(let tag): "NOUPDATE \"\(tag.filter { $0 != "\"" && $0 != "\\" })\""
        case .badEvent(let known): "BADEVENT (" + known.joined(separator: " ") + ")"
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
        case .notSaved: "NOTSAVED"
        case .compressionActive: "COMPRESSIONACTIVE"
        case .metadataTooMany: "METADATA TOOMANY"
        case .metadataNoPrivate: "METADATA NOPRIVATE"
        case .useAttribute: "USEATTR"
        case .notificationOverflow: "NOTIFICATIONOVERFLOW"
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
