import InternetMessage

/// A server response (RFC 3501 §7). FETCH has ``FetchResponse``, since its data may be streamed.
public enum Response: Sendable, Hashable {
    case tagged(String, Condition)
    case untagged(Condition)
    /// `+ text`; for SASL the base64 of a challenge. Empty text gives `+ ` with its space, as RFC 3501 §9 demands.
    case continuation(String)
    case capability([String])
    case enabled([String])
    case flags([Flag])
    case exists(UInt32), recent(UInt32), expunge(UInt32)
    case list(ListEntry)
    case lsub(ListEntry)
    case status(MailboxName, [(StatusItem, StatusValue)])
    /// RFC 7162 §3.1.5: with the highest mod-sequence of what was found, where MODSEQ was among the keys.
    case search([UInt32], modSequence: UInt64? = nil)
    /// RFC 5256 §4.
    case sort([UInt32], modSequence: UInt64? = nil)
    case thread(ThreadList)
    /// RFC 7162 §3.2.10.
    case vanished(SequenceSet, earlier: Bool)
    /// RFC 4731: the tag of the command that it answers.
    case esearch(tag: String, Numbering, SearchResult)
    /// RFC 5267 §4.3: how the result of that command changed, to be taken in as it stands.
    case esearchUpdate(tag: String, Numbering, [ResultUpdate])
    case namespace(personal: [Namespace], otherUsers: [Namespace], shared: [Namespace])
    case id([IDField])
    /// RFC 9208 §4.2: a root with what is used and allowed of each resource.
    case quota(root: String, [QuotaResource])
    case quotaRoot(MailboxName, roots: [String])
    /// RFC 5464 §4.4: with values, or (for what changed) names only.
    case metadata(MailboxName, [(name: String, value: [UInt8]?)])
    case metadataChanged(MailboxName, [String])

    /// Appends the response with its line end.
    public func encode(into writer: inout ResponseWriter) {
        switch self {
        case .tagged(let tag, let condition): writer.condition(tag, condition)
        case .untagged(let condition): writer.condition("*", condition)
        case .continuation(let text): writer.raw("+ " + ResponseWriter.line(text))
        default:
            writer.raw("* ")
            data(into: &writer)
        }
        writer.raw("\r\n")
    }

    /// The response as octets, mailbox names in modified UTF-7.
    public var bytes: [UInt8] {
        var writer = ResponseWriter()
        encode(into: &writer)
        return writer.bytes
    }

    private func data(into writer: inout ResponseWriter) {
        switch self {
        case .capability(let names): writer.raw("CAPABILITY " + names.joined(separator: " "))
        case .enabled(let names): writer.raw((["ENABLED"] + names).joined(separator: " "))
        case .flags(let flags): writer.raw("FLAGS (" + flags.map(\.text).joined(separator: " ") + ")")
        case .exists(let count): writer.raw("\(count) EXISTS")
        case .recent(let count): writer.raw("\(count) RECENT")
        case .expunge(let number): writer.raw("\(number) EXPUNGE")
        case .list(let entry): entry.encode("LIST", into: &writer)
        case .lsub(let entry): entry.encode("LSUB", into: &writer)
        case .status(let name, let items):
            writer.raw("STATUS ")
            writer.mailbox(name)
            writer.raw(" (" + items.map { "\($0.0.rawValue) \($0.1.text)" }.joined(separator: " ") + ")")
        case .search(let numbers, let modSequence): Self.encode("SEARCH", numbers, modSequence, into: &writer)
        case .sort(let numbers, let modSequence): Self.encode("SORT", numbers, modSequence, into: &writer)
        case .thread(let threads):
            writer.raw(threads.roots.isEmpty ? "THREAD" : "THREAD ")
            threads.encode(into: &writer)
        case .vanished(let uids, let earlier): writer.raw((earlier ? "VANISHED (EARLIER) " : "VANISHED ") + uids.description)
        case .esearch(let tag, let numbering, let result): result.encode(tag, numbering, into: &writer)
        case .esearchUpdate(let tag, let numbering, let updates):
            SearchResult.head(tag, numbering, into: &writer)
            for update in updates { update.encode(into: &writer) }
        case .namespace(let personal, let others, let shared):
            writer.raw("NAMESPACE")
            for group in [personal, others, shared] { Namespace.encode(group, into: &writer) }
        case .id(let fields): encodeID(fields, into: &writer)
        case .quota, .quotaRoot, .metadata, .metadataChanged: annotation(into: &writer)
        case .tagged, .untagged, .continuation: break
        }
    }

    private static func encode(_ word: String, _ numbers: [UInt32], _ modSequence: UInt64?, into writer: inout ResponseWriter) {
        writer.raw(word)
        for number in numbers { writer.raw(" \(number)") }
        if let modSequence, !numbers.isEmpty { writer.raw(" (MODSEQ \(modSequence))") }
    }

    private func encodeID(_ fields: [IDField], into writer: inout ResponseWriter) {
        guard !fields.isEmpty else { return writer.raw("ID NIL") }
        writer.raw("ID (")
        for (index, field) in fields.enumerated() {
            if index > 0 { writer.raw(" ") }
            writer.string(Array(field.name.utf8))
            writer.raw(" ")
            writer.nstring(field.value.map { Array($0.utf8) })
        }
        writer.raw(")")
    }

    public static func == (a: Response, b: Response) -> Bool { a.bytes == b.bytes }
    public func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}

/// What STATUS says of an item.
public enum StatusValue: Sendable, Hashable, ExpressibleByIntegerLiteral {
    case number(UInt64)
    /// RFC 8474 §4.3.
    case objectID(String)
    /// RFC 7889 §3.2: without limit.
    case none

    public init(integerLiteral value: UInt64) { self = .number(value) }

    var text: String {
        switch self {
        case .number(let value): String(value)
        case .objectID(let id): "(\(id))"
        case .none: "NIL"
        }
    }
}

/// One mailbox in a LIST or LSUB answer (RFC 3501 §7.2.2).
public struct ListEntry: Sendable, Hashable {
    /// Name attributes (RFC 3501 §7.2.2, RFC 3348, RFC 5258, RFC 6154).
    public enum Attribute: String, Sendable, Hashable {
        case noInferiors = "\\Noinferiors", noSelect = "\\Noselect", marked = "\\Marked", unmarked = "\\Unmarked"
        case hasChildren = "\\HasChildren", hasNoChildren = "\\HasNoChildren"
        case nonExistent = "\\NonExistent", subscribed = "\\Subscribed"
        case all = "\\All", archive = "\\Archive", drafts = "\\Drafts", flagged = "\\Flagged", junk = "\\Junk", sent = "\\Sent", trash = "\\Trash"
    }

    public let attributes: [Attribute]
    /// nil: a flat name space.
    public let delimiter: Character?
    public let name: MailboxName
    /// RFC 5258 §3.5: selection criteria that names below this one fulfil, for RECURSIVEMATCH.
    public let childInfo: [ListRequest.Selection]
    /// RFC 9051 §6.3.9.7: what it was called before RENAME.
    public let oldName: MailboxName?

    public init(
        _ name: MailboxName, delimiter: Character?, attributes: [Attribute], childInfo: [ListRequest.Selection] = [], oldName: MailboxName? = nil
    ) {
        self.oldName = oldName
        self.name = name
        self.delimiter = delimiter
        self.attributes = attributes
        self.childInfo = childInfo
    }

    func encode(_ word: String, into writer: inout ResponseWriter) {
        writer.raw(word + " (" + attributes.map(\.rawValue).joined(separator: " ") + ") ")
        writer.nstring(delimiter.map { Array(String($0).utf8) })
        writer.raw(" ")
        writer.mailbox(name)
        if !childInfo.isEmpty { writer.raw(" (\"CHILDINFO\" (" + childInfo.map { "\"\($0.rawValue)\"" }.joined(separator: " ") + "))") }
        if let oldName {
            writer.raw(" (\"OLDNAME\" (")
            writer.mailbox(oldName)
            writer.raw("))")
        }
    }
}

extension ListEntry.Attribute {
    /// What a mailbox may be for (RFC 6154 §2).
    public static let uses: [Self] = [.all, .archive, .drafts, .flagged, .junk, .sent, .trash]

    /// - Parameter use: without its backslash, in any case.
    init?(use: String) {
        guard let known = Self.uses.first(where: { ASCII.equal($0.rawValue.dropFirst(), use) }) else { return nil }
        self = known
    }
}

/// RFC 2342 §5: a prefix with its delimiter.
public struct Namespace: Sendable, Hashable {
    public let prefix: MailboxName
    public let delimiter: Character?

    public init(prefix: MailboxName, delimiter: Character?) {
        self.prefix = prefix
        self.delimiter = delimiter
    }

    static func encode(_ group: [Namespace], into writer: inout ResponseWriter) {
        guard !group.isEmpty else { return writer.raw(" NIL") }
        writer.raw(" (")
        for namespace in group {
            writer.raw("(")
            writer.string(namespace.prefix.wire(utf8: writer.utf8))
            writer.raw(" ")
            writer.nstring(namespace.delimiter.map { Array(String($0).utf8) })
            writer.raw(")")
        }
        writer.raw(")")
    }
}
