import InternetMessage

/// A command and the tag that its answer repeats.
public struct TaggedCommand: Sendable, Hashable {
    public let tag: String
    public let command: Command

    public init(tag: String, command: Command) {
        self.tag = tag
        self.command = command
    }
}

/// A command that could not be understood. Answer with ``response``.
public struct CommandError: Error, Sendable, Hashable {
    /// nil when not even the tag could be read; the answer is then an untagged BAD (RFC 3501 §7.1.3).
    public let tag: String?
    public let text: String
    /// Set where the fault is not the syntax but a value: BADCHARSET, TOOBIG. The answer is then NO.
    public let code: ResponseCode?

    public var response: Response {
        let condition = Condition(code == nil ? .bad : .no, code: code, text)
        return tag.map { .tagged($0, condition) } ?? .untagged(condition)
    }
}

/// Turns one framed command (its literals inline, its line end included or not) into a ``Command``.
public enum CommandParser {
    /// How deep search keys may nest.
    public static let nestingLimit = 64

    /// - Throws: ``CommandError``, with the tag whenever there is one.
    /// - Parameter utf8Names: after ENABLE UTF8=ACCEPT or IMAP4rev2 mailbox names are not in modified UTF-7 (RFC 6855 §3).
    public static func parse(_ bytes: [UInt8], utf8Names: Bool = false) throws(CommandError) -> TaggedCommand {
        var scanner = Scanner(bytes)
        scanner.namesAreUTF8 = utf8Names
        guard let tag = takeTag(&scanner) else { throw CommandError(tag: nil, text: "expected a tag and a command", code: nil) }
        do {
            return TaggedCommand(tag: tag, command: try command(&scanner))
        } catch {
            throw CommandError(tag: tag, text: error.text, code: error.code)
        }
    }

    /// The tag in front of whatever follows; nil when the line has none.
    public static func tag(of bytes: [UInt8]) -> String? {
        var scanner = Scanner(bytes)
        return takeTag(&scanner)
    }

    static func takeTag(_ scanner: inout Scanner) -> String? {
        let tag = scanner.run(while: Grammar.isTag)
        guard !tag.isEmpty, tag.count <= 256, scanner.take(32) || scanner.atEnd else { return nil }
        return String(decoding: tag, as: UTF8.self)
    }

    private static func command(_ scanner: inout Scanner) throws(ScanError) -> Command {
        let word = ASCII.upper(try scanner.atom("a command"))
        if word == "UID" {
            try scanner.space()
            let inner = ASCII.upper(try scanner.atom("a command behind UID"))
            guard let command = try numbered(inner, .uid, &scanner) else { throw ScanError("UID \(inner) is no command") }
            try scanner.end()
            return command
        }
        var found = bare(word)
        if found == nil { found = try withArguments(word, &scanner) }
        if found == nil { found = try numbered(word, .sequence, &scanner) }
        guard let found else { throw ScanError("unknown command \(word.prefix(32))") }
        try scanner.end()
        return found
    }

    private static func bare(_ word: String) -> Command? {
        switch word {
        case "CAPABILITY": .capability
        case "NOOP": .noop
        case "LOGOUT": .logout
        case "STARTTLS": .startTLS
        case "CHECK": .check
        case "CLOSE": .close
        case "UNSELECT": .unselect
        case "NAMESPACE": .namespace
        case "IDLE": .idle
        default: nil
        }
    }

    private static func withArguments(_ word: String, _ scanner: inout Scanner) throws(ScanError) -> Command? {
        switch word {
        case "AUTHENTICATE": return try authenticate(&scanner)
        case "LOGIN":
            try scanner.space()
            let user = try scanner.text()
            try scanner.space()
            return .login(user: user, password: try scanner.text())
        case "SELECT": return .select(try mailbox(&scanner), try SelectParameters.parse(&scanner))
        case "EXAMINE": return .examine(try mailbox(&scanner), try SelectParameters.parse(&scanner))
        case "CREATE": return .create(try mailbox(&scanner), uses: try uses(&scanner))
        case "NOTIFY": return try NotifyParser.parse(&scanner)
        case "DELETE": return .delete(try mailbox(&scanner))
        case "RENAME": return .rename(try mailbox(&scanner), to: try mailbox(&scanner))
        case "SUBSCRIBE": return .subscribe(try mailbox(&scanner))
        case "UNSUBSCRIBE": return .unsubscribe(try mailbox(&scanner))
        case "STATUS": return try status(&scanner)
        case "LIST": return try ListParser.list(&scanner)
        case "LSUB": return try ListParser.lsub(&scanner)
        case "ENABLE": return try enable(&scanner)
        case "COMPRESS":
            try scanner.space()
            return .compress(ASCII.upper(try scanner.atom("a compression mechanism")))
        case "GETQUOTA", "SETQUOTA":
            try scanner.space()
            let root = try scanner.text()
            guard word == "SETQUOTA" else { return .getQuota(root) }
            try scanner.space()
            // Limits are the administrator's: what stands in the list does not matter.
            _ = try scanner.list(allowEmpty: true) { (scanner) throws(ScanError) in _ = try scanner.atom("a resource") }
            return .setQuota(root)
        case "GETQUOTAROOT": return .getQuotaRoot(try mailbox(&scanner))
        case "GETMETADATA": return try MetadataParser.get(&scanner)
        case "SETMETADATA": return try MetadataParser.set(&scanner)
        case "ID": return try id(&scanner)
        case "CANCELUPDATE": return try cancelUpdate(&scanner)
        default: return nil
        }
    }

    /// The commands that UID may stand before, and EXPUNGE.
    private static func numbered(_ word: String, _ numbering: Numbering, _ scanner: inout Scanner) throws(ScanError) -> Command? {
        switch word {
        case "FETCH":
            let set = try sequence(&scanner)
            try scanner.space()
            let attributes = try FetchParser.attributes(&scanner, uid: numbering == .uid)
            let modifiers = try FetchModifiers.parse(&scanner)
            if modifiers.vanished || modifiers.partial != nil, numbering != .uid { throw ScanError("VANISHED and PARTIAL stand with UID FETCH only") }
            return .fetch(set, attributes, numbering, modifiers)
        case "STORE":
            let set = try sequence(&scanner)
            try scanner.space()
            return .store(set, try storeRequest(&scanner), numbering)
        case "COPY": return .copy(try sequence(&scanner), try mailbox(&scanner), numbering)
        case "MOVE": return .move(try sequence(&scanner), try mailbox(&scanner), numbering)
        case "SEARCH": return .search(try SearchParser.request(&scanner), numbering)
        case "SORT": return try SortParser.sort(&scanner, numbering)
        case "THREAD": return try SortParser.thread(&scanner, numbering)
        case "EXPUNGE": return .expunge(uids: numbering == .uid ? try sequence(&scanner) : nil)
        default: return nil
        }
    }

    private static func sequence(_ scanner: inout Scanner) throws(ScanError) -> SequenceSet {
        try scanner.space()
        return try SequenceSet.parse(&scanner)
    }

    private static func mailbox(_ scanner: inout Scanner) throws(ScanError) -> MailboxName {
        try scanner.space()
        return try MailboxName.parse(&scanner)
    }

    /// `[SP "(" "USE" SP "(" [use-attr *(SP use-attr)] ")" ")"]` (RFC 6154 §6, RFC 4466 §2.2).
    private static func uses(_ scanner: inout Scanner) throws(ScanError) -> [ListEntry.Attribute?] {
        guard scanner.take(32) else { return [] }
        return try scanner.list { (scanner) throws(ScanError) in
            guard scanner.keyword("USE") else { throw ScanError("unknown CREATE parameter") }
            try scanner.space()
            return try scanner.list(allowEmpty: true) { (scanner) throws(ScanError) in
                try scanner.expect(92, "\\ before a use")
                return ListEntry.Attribute(use: try scanner.atom("a use"))
            }
        }.flatMap { $0 }
    }

    private static func authenticate(_ scanner: inout Scanner) throws(ScanError) -> Command {
        try scanner.space()
        let mechanism = ASCII.upper(try scanner.atom("a SASL mechanism"))
        guard scanner.take(32) else { return .authenticate(mechanism: mechanism, initialResponse: nil) }
        let encoded = scanner.run { $0 > 32 && $0 < 127 }
        if encoded.elementsEqual([61]) { return .authenticate(mechanism: mechanism, initialResponse: []) }
        guard !encoded.isEmpty, let response = Base64.decodeStrictly(encoded) else { throw ScanError("the initial response is not base64") }
        return .authenticate(mechanism: mechanism, initialResponse: response)
    }

    private static func status(_ scanner: inout Scanner) throws(ScanError) -> Command {
        let name = try mailbox(&scanner)
        try scanner.space()
        return .status(name, try statusItems(&scanner))
    }

    static func statusItems(_ scanner: inout Scanner) throws(ScanError) -> [StatusItem] {
        try scanner.list { (scanner) throws(ScanError) in
            let word = ASCII.upper(try scanner.atom("a status item"))
            guard let item = StatusItem(rawValue: word) else { throw ScanError("unknown status item \(word.prefix(32))") }
            return item
        }
    }

    private static func enable(_ scanner: inout Scanner) throws(ScanError) -> Command {
        var names: [String] = []
        repeat {
            try scanner.space()
            names.append(ASCII.upper(try scanner.atom("a capability")))
        } while !scanner.atEnd
        return .enable(names)
    }

    /// `"CANCELUPDATE" 1*(SP quoted)` (RFC 5267 §5).
    private static func cancelUpdate(_ scanner: inout Scanner) throws(ScanError) -> Command {
        var tags: [String] = []
        repeat {
            try scanner.space()
            tags.append(String(decoding: try scanner.string(), as: UTF8.self))
        } while scanner.peek == 32
        return .cancelUpdate(tags)
    }

    /// RFC 2971 §3.1: at most 30 pairs, field names at most 30 octets, values at most 1024.
    private static func id(_ scanner: inout Scanner) throws(ScanError) -> Command {
        try scanner.space()
        if scanner.keyword("NIL") { return .id([]) }
        let fields = try scanner.list(allowEmpty: true) { (scanner) throws(ScanError) in
            let name = try scanner.string()
            try scanner.space()
            return IDField(String(decoding: name, as: UTF8.self), try scanner.nstring().map { String(decoding: $0, as: UTF8.self) })
        }
        guard fields.count <= 30, fields.allSatisfy({ $0.name.utf8.count <= 30 && ($0.value?.utf8.count ?? 0) <= 1024 }) else {
            throw ScanError("ID takes at most 30 fields of 30 octets with values of 1024")
        }
        return .id(fields)
    }

    private static func storeRequest(_ scanner: inout Scanner) throws(ScanError) -> StoreRequest {
        let limit = try unchangedSince(&scanner)
        let operation: StoreRequest.Operation = scanner.take(43) ? .add : scanner.take(45) ? .remove : .replace
        let silent = scanner.keyword("FLAGS.SILENT")
        guard silent || scanner.keyword("FLAGS") else { throw ScanError("expected FLAGS or FLAGS.SILENT") }
        try scanner.space()
        if scanner.peek == 40 { return StoreRequest(operation, try flagList(&scanner), silent: silent, unchangedSince: limit) }
        var flags = [try Flag.parse(&scanner)]
        while scanner.take(32) { flags.append(try Flag.parse(&scanner)) }
        return StoreRequest(operation, flags, silent: silent, unchangedSince: limit)
    }

    /// `"(UNCHANGEDSINCE" SP mod-sequence-valzer ")" SP` (RFC 7162 §3.1.3).
    private static func unchangedSince(_ scanner: inout Scanner) throws(ScanError) -> UInt64? {
        guard scanner.take(40) else { return nil }
        guard scanner.keyword("UNCHANGEDSINCE") else { throw ScanError("unknown STORE modifier") }
        try scanner.space()
        let limit = try scanner.modSequence()
        try scanner.expect(41, ") behind UNCHANGEDSINCE")
        try scanner.space()
        return limit
    }

    static func flagList(_ scanner: inout Scanner) throws(ScanError) -> [Flag] {
        try scanner.list(allowEmpty: true) { (scanner) throws(ScanError) in try Flag.parse(&scanner) }
    }
}
