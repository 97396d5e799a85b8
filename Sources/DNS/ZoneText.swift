import NetworkAddress

/// One resource record of a zone file, class IN.
public struct ZoneRecord: Sendable, Hashable {
    public let name: DomainName
    /// Seconds.
    public let timeToLive: UInt32
    public let type: DNSRecordType
    /// Wire form, names uncompressed.
    public let rdata: [UInt8]

    public init(name: DomainName, timeToLive: UInt32, type: DNSRecordType, rdata: [UInt8]) {
        self.name = name
        self.timeToLive = timeToLive
        self.type = type
        self.rdata = rdata
    }
}

/// Where a zone text is wrong, and how.
public struct ZoneTextError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Counted from 1.
    public let line: Int
    public let reason: String

    public init(line: Int, reason: String) {
        self.line = line
        self.reason = reason
    }

    public var description: String { "zone text, line \(line): \(reason)" }
}

/// Master files (RFC 1035 §5): records in presentation format to RDATA.
///
/// Understands `$ORIGIN` and `$TTL`, `@`, a blank owner (the one before), comments, quoted strings, `\DDD` and `\X`
/// escapes, parentheses over several lines, TTLs with units (`1h30m`), class IN in either place, and RFC 3597's
/// `TYPEnnn \# length hex`. `$INCLUDE` and `$GENERATE` are refused: the text must stand alone.
public enum ZoneText {
    /// - Parameters:
    ///   - origin: completes names without a final dot; the root by default, so that `example.org` is absolute too.
    ///   - timeToLive: seconds, for records before any `$TTL` that name none.
    /// - Throws: ``ZoneTextError`` at the first wrong line.
    public static func parse(_ text: some StringProtocol, origin: DomainName = .root, timeToLive: UInt32 = 3600) throws -> [ZoneRecord] {
        var reader = ZoneReader(origin: origin, defaultTimeToLive: timeToLive)
        for entry in try ZoneTokenizer.entries(of: Array(text.utf8)) { try reader.read(entry) }
        return reader.records
    }
}

/// Turns entries into records, carrying the state that RFC 1035 §5.1 carries: origin, TTL, last owner.
struct ZoneReader {
    var origin: DomainName
    var defaultTimeToLive: UInt32
    var owner: DomainName?
    var records: [ZoneRecord] = []

    mutating func read(_ entry: ZoneEntry) throws {
        var words = entry.tokens[...]
        guard let first = words.first else { return }
        if !first.isQuoted, first.bytes.first == 36, !entry.beginsWithBlank { return try directive(entry) }
        if !entry.beginsWithBlank {
            owner = try name(first, line: entry.line)
            words.removeFirst()
        }
        guard let owner else { throw ZoneTextError(line: entry.line, reason: "the first record has no owner name") }
        let (timeToLive, type) = try header(&words, line: entry.line)
        let rdata = try RDATAEncoder(origin: origin, line: entry.line).encode(type, Array(words))
        records.append(ZoneRecord(name: owner, timeToLive: timeToLive, type: type, rdata: rdata))
    }

    /// `$ORIGIN name` and `$TTL seconds` (RFC 1035 §5.1, RFC 2308 §4).
    private mutating func directive(_ entry: ZoneEntry) throws {
        let words = entry.tokens
        switch (words[0].text.uppercased(), words.count) {
        case ("$ORIGIN", 2): origin = try name(words[1], line: entry.line)
        case ("$TTL", 2):
            guard let seconds = Self.seconds(words[1].text) else {
                throw ZoneTextError(line: entry.line, reason: "$TTL wants a number of seconds, not '\(words[1].text)'")
            }
            defaultTimeToLive = seconds
        default: throw ZoneTextError(line: entry.line, reason: "directive '\(words[0].text)' is not supported here")
        }
    }

    /// `[TTL] [class] type` or `[class] [TTL] type`.
    private func header(_ words: inout ArraySlice<ZoneToken>, line: Int) throws -> (UInt32, DNSRecordType) {
        var timeToLive = defaultTimeToLive
        while let word = words.popFirst() {
            let text = word.text
            if text.uppercased() == "IN" { continue }
            if let seconds = Self.seconds(text) { timeToLive = seconds; continue }
            guard !word.isQuoted, let type = DNSRecordType(text) else {
                throw ZoneTextError(line: line, reason: "'\(text)' is not a record type")
            }
            return (timeToLive, type)
        }
        throw ZoneTextError(line: line, reason: "the record has no type")
    }

    private func name(_ token: ZoneToken, line: Int) throws -> DomainName {
        try RDATAEncoder(origin: origin, line: line).name(token)
    }

    /// `3600`, `1h`, `1w2d3h4m5s`.
    static func seconds(_ text: String) -> UInt32? {
        var total: UInt64 = 0, number: UInt64?
        for byte in text.lowercased().utf8 {
            if (48...57).contains(byte) {
                number = (number ?? 0) * 10 + UInt64(byte - 48)
            } else {
                let units: [UInt8: UInt64] = [115: 1, 109: 60, 104: 3600, 100: 86400, 119: 604_800]
                guard let unit = units[byte], let count = number else { return nil }
                total += count * unit
                number = nil
            }
            guard total + (number ?? 0) <= UInt32.max else { return nil }
        }
        guard !text.isEmpty else { return nil }
        return UInt32(total + (number ?? 0))
    }
}
