/// An annotation's name (RFC 5464 §3.2): `/private/comment`, in lower case, since case does not count.
public struct MetadataEntry: Sendable, Hashable {
    public let name: String

    public var isPrivate: Bool { name.hasPrefix("/private/") || name == "/private" }

    init(_ text: String) throws(ScanError) {
        let name = text.lowercased()
        guard name.utf8.count <= 256 else { throw ScanError("the entry name is too long") }
        guard name.utf8.allSatisfy({ $0 > 31 && $0 < 127 && $0 != 42 && $0 != 37 }) else { throw ScanError("an entry name has a forbidden character") }
        guard name.hasPrefix("/"), !name.hasSuffix("/"), !name.contains("//") else { throw ScanError("an entry name is a path: /private/comment") }
        guard ["private", "shared"].contains(name.dropFirst().prefix { $0 != "/" }) else { throw ScanError("an entry begins with /private or /shared") }
        self.name = name
    }
}

/// GETMETADATA's options (RFC 5464 §4.2).
public struct MetadataOptions: Sendable, Hashable {
    public enum Depth: String, Sendable, Hashable { case none = "0", one = "1", infinity = "INFINITY" }

    /// Octets; larger values are left out.
    public let maximumSize: UInt32?
    public let depth: Depth

    public init(maximumSize: UInt32? = nil, depth: Depth = .none) {
        self.maximumSize = maximumSize
        self.depth = depth
    }
}

/// An annotation and its value; nil removes it.
public struct MetadataValue: Sendable, Hashable {
    public let entry: MetadataEntry
    public let value: [UInt8]?
}

/// GETMETADATA and SETMETADATA (RFC 5464 §5).
enum MetadataParser {
    /// `"GETMETADATA" [SP options] SP mailbox SP entries`; the RFC's examples have the options behind the mailbox, too.
    static func get(_ scanner: inout Scanner) throws(ScanError) -> Command {
        try scanner.space()
        var options: MetadataOptions?
        if scanner.peek == 40 {
            options = try self.options(&scanner)
            try scanner.space()
        }
        let mailbox = try MailboxName.parse(&scanner)
        try scanner.space()
        if options == nil, beginsOptions(scanner) {
            options = try self.options(&scanner)
            try scanner.space()
        }
        let entries = scanner.peek == 40
            ? try scanner.list { (scanner) throws(ScanError) in try MetadataEntry(try scanner.text()) } : [try MetadataEntry(try scanner.text())]
        return .getMetadata(mailbox, entries, options ?? MetadataOptions())
    }

    /// `"SETMETADATA" SP mailbox SP "(" entry SP value *(SP entry SP value) ")"`
    static func set(_ scanner: inout Scanner) throws(ScanError) -> Command {
        try scanner.space()
        let mailbox = try MailboxName.parse(&scanner)
        try scanner.space()
        let values = try scanner.list { (scanner) throws(ScanError) in
            let entry = try MetadataEntry(try scanner.text())
            try scanner.space()
            return MetadataValue(entry: entry, value: try scanner.nstring())
        }
        // `/private` and `/shared` are not entries themselves.
        guard values.allSatisfy({ $0.entry.name.dropFirst().contains("/") }) else { throw ScanError("an entry has a name behind /private or /shared") }
        return .setMetadata(mailbox, values)
    }

    private static func beginsOptions(_ scanner: Scanner) -> Bool {
        var scanner = scanner
        return scanner.take(40) && (scanner.keyword("MAXSIZE") || scanner.keyword("DEPTH"))
    }

    private static func options(_ scanner: inout Scanner) throws(ScanError) -> MetadataOptions {
        var size: UInt32?
        var depth = MetadataOptions.Depth.none
        _ = try scanner.list { (scanner) throws(ScanError) in
            let word = ASCII.upper(try scanner.atom("a GETMETADATA option"))
            try scanner.space()
            switch word {
            case "MAXSIZE": size = try scanner.number()
            case "DEPTH":
                guard let known = MetadataOptions.Depth(rawValue: ASCII.upper(try scanner.atom("a depth"))) else { throw ScanError("DEPTH is 0, 1 or infinity") }
                depth = known
            default: throw ScanError("unknown GETMETADATA option \(word.prefix(32))")
            }
        }
        return MetadataOptions(maximumSize: size, depth: depth)
    }
}
