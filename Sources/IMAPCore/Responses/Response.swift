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
    case status(MailboxName, [(StatusItem, UInt64)])
    case search([UInt32])
    /// RFC 4731: the tag of the command that it answers.
    case esearch(tag: String, Numbering, SearchResult)
    case namespace(personal: [Namespace], otherUsers: [Namespace], shared: [Namespace])
    case id([IDField])

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
            writer.raw(" (" + items.map { "\($0.0.rawValue) \($0.1)" }.joined(separator: " ") + ")")
        case .search(let numbers): writer.raw((["SEARCH"] + numbers.map { String($0) }).joined(separator: " "))
        case .esearch(let tag, let numbering, let result): result.encode(tag, numbering, into: &writer)
        case .namespace(let personal, let others, let shared):
            writer.raw("NAMESPACE")
            for group in [personal, others, shared] { Namespace.encode(group, into: &writer) }
        case .id(let fields): encodeID(fields, into: &writer)
        case .tagged, .untagged, .continuation: break
        }
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

    public init(_ name: MailboxName, delimiter: Character?, attributes: [Attribute], childInfo: [ListRequest.Selection] = []) {
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

/// What an ESEARCH reports (RFC 4731 §3.1): only what was asked for; MIN, MAX and ALL are left out when nothing matched.
public struct SearchResult: Sendable, Hashable {
    public let returns: [SearchRequest.Return]
    /// Ascending.
    public let numbers: [UInt32]

    public init(_ numbers: [UInt32], returns: [SearchRequest.Return]) {
        self.numbers = numbers
        self.returns = returns
    }

    func encode(_ tag: String, _ numbering: Numbering, into writer: inout ResponseWriter) {
        writer.raw("ESEARCH (TAG ")
        writer.string(Array(tag.utf8))
        writer.raw(numbering == .uid ? ") UID" : ")")
        if returns.contains(.min), let first = numbers.first { writer.raw(" MIN \(first)") }
        if returns.contains(.max), let last = numbers.last { writer.raw(" MAX \(last)") }
        if returns.contains(.all), let set = SequenceSet.compact(numbers) { writer.raw(" ALL \(set)") }
        if returns.contains(.count) { writer.raw(" COUNT \(numbers.count)") }
    }
}
