/// What is wrong with a command's text. The words go to the client behind `BAD`.
struct ScanError: Error, Equatable {
    let text: String
    var code: ResponseCode?

    init(_ text: String, code: ResponseCode? = nil) {
        self.text = text
        self.code = code
    }
}

/// A cursor over one framed command, literals included, with the terminals of RFC 3501 §9.
struct Scanner {
    let bytes: [UInt8]
    private(set) var position = 0
    /// Whether mailbox names are UTF-8 and nothing else (RFC 6855 §3).
    var namesAreUTF8 = false

    init(_ bytes: [UInt8], at position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// Whether nothing but the line end is left.
    var atEnd: Bool { position >= bytes.count || bytes[position] == 10 || (bytes[position] == 13 && position + 1 < bytes.count && bytes[position + 1] == 10) }

    mutating func skip(_ count: Int = 1) { position = min(position + count, bytes.count) }

    mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    mutating func expect(_ byte: UInt8, _ what: String) throws(ScanError) {
        guard take(byte) else { throw ScanError("expected \(what)") }
    }

    mutating func space() throws(ScanError) {
        guard take(32) else { throw ScanError(atEnd ? "an argument is missing" : "expected a space between arguments") }
    }

    mutating func end() throws(ScanError) {
        guard atEnd else { throw ScanError("unexpected text behind the command") }
    }

    /// Takes the word if it stands here, ASCII case ignored, and no further atom octet follows it.
    mutating func keyword(_ word: String) -> Bool {
        let start = position
        for byte in word.utf8 {
            guard let here = peek, ASCII.lower(here) == ASCII.lower(byte) else {
                position = start
                return false
            }
            position += 1
        }
        if let last = word.utf8.last, Grammar.isAtom(last), let next = peek, Grammar.isAtom(next), next != 91 {
            position = start
            return false
        }
        return true
    }

    mutating func run(while matches: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let start = position
        while position < bytes.count, matches(bytes[position]) { position += 1 }
        return bytes[start..<position]
    }

    /// `1*ATOM-CHAR`.
    mutating func atom(_ what: String = "an atom") throws(ScanError) -> String {
        let word = run(while: Grammar.isAtom)
        guard !word.isEmpty else { throw ScanError("expected \(what)") }
        return String(decoding: word, as: UTF8.self)
    }

    /// `number`: unsigned 32 bits, no sign.
    mutating func number() throws(ScanError) -> UInt32 {
        let digits = run(while: ASCII.isDigit)
        guard !digits.isEmpty else { throw ScanError("expected a number") }
        guard digits.count <= 20, let value = UInt32(String(decoding: digits, as: UTF8.self)) else { throw ScanError("number out of range") }
        return value
    }

    /// `mod-sequence-valzer` (RFC 7162 §7): unsigned 63 bits.
    mutating func modSequence() throws(ScanError) -> UInt64 {
        let digits = run(while: ASCII.isDigit)
        guard !digits.isEmpty else { throw ScanError("expected a mod-sequence") }
        guard digits.count <= 20, let value = Int64(String(decoding: digits, as: UTF8.self)) else { throw ScanError("mod-sequence out of range") }
        return UInt64(value)
    }

    /// `number64` (RFC 9051 §9): unsigned 63 bits.
    mutating func number64() throws(ScanError) -> UInt64 { try modSequence() }

    /// `nz-number`.
    mutating func positiveNumber() throws(ScanError) -> UInt32 {
        let value = try number()
        guard value > 0 else { throw ScanError("expected a number above zero") }
        return value
    }

    /// `string = quoted / literal`; the octets it stands for.
    mutating func string() throws(ScanError) -> [UInt8] {
        switch peek {
        case 34: return try quoted()
        case 123, 126: return try literal()
        default: throw ScanError("expected a quoted string or a literal")
        }
    }

    /// `astring = 1*ASTRING-CHAR / string`. Octets above 127 are taken too: clients send UTF-8 names unasked.
    mutating func astring() throws(ScanError) -> [UInt8] {
        if peek == 34 || peek == 123 { return try string() }
        let word = run { Grammar.isAtom($0) || $0 == 93 || $0 >= 0x80 }
        guard !word.isEmpty else { throw ScanError(atEnd ? "an argument is missing" : "expected a string") }
        return Array(word)
    }

    /// `nstring = string / nil`.
    mutating func nstring() throws(ScanError) -> [UInt8]? {
        if keyword("NIL") { return nil }
        return try string()
    }

    /// An astring that has to be text.
    mutating func text() throws(ScanError) -> String {
        guard let text = String(validating: try astring(), as: UTF8.self) else { throw ScanError("a string is not valid UTF-8") }
        return text
    }

    private mutating func quoted() throws(ScanError) -> [UInt8] {
        skip()
        var out: [UInt8] = []
        while let byte = peek {
            position += 1
            switch byte {
            case 34: return out
            case 92:
                guard let next = peek, next == 34 || next == 92 else { throw ScanError("only \\\" and \\\\ may follow a backslash") }
                position += 1
                out.append(next)
            case 10, 13, 0: throw ScanError("a quoted string may not contain line ends")
            default: out.append(byte)
            }
        }
        throw ScanError("a quoted string does not end")
    }

    private mutating func literal() throws(ScanError) -> [UInt8] {
        guard let size = try literalSize() else { throw ScanError("malformed literal") }
        guard bytes.count - position >= size else { throw ScanError("a literal is cut short") }
        defer { position += size }
        return Array(bytes[position..<position + size])
    }

    /// `["~"] "{" number ["+"] "}" CRLF`; leaves the position at the literal's first octet.
    mutating func literalSize() throws(ScanError) -> Int? {
        _ = take(126)
        guard take(123) else { return nil }
        let size = try number()
        _ = take(43)
        guard take(125) else { return nil }
        _ = take(13)
        guard take(10) else { return nil }
        return Int(size)
    }

    /// `"(" item *(SP item) ")"`, with the list bounded by the command's own size.
    mutating func list<Item>(allowEmpty: Bool = false, _ item: (inout Scanner) throws(ScanError) -> Item) throws(ScanError) -> [Item] {
        try expect(40, "(")
        if take(41) {
            guard allowEmpty else { throw ScanError("a list is empty") }
            return []
        }
        var items = [try item(&self)]
        while !take(41) {
            try space()
            items.append(try item(&self))
        }
        return items
    }
}

/// Character classes of RFC 3501 §9.
enum Grammar {
    /// `ATOM-CHAR`: any CHAR except `( ) {` SP CTL `% * " \ ]`.
    static func isAtom(_ byte: UInt8) -> Bool {
        guard byte > 32, byte < 127 else { return false }
        switch byte {
        case 40, 41, 123, 37, 42, 34, 92, 93: return false
        default: return true
        }
    }

    /// `tag`: ASTRING-CHARs except `+`.
    static func isTag(_ byte: UInt8) -> Bool { byte != 43 && (isAtom(byte) || byte == 93) }
}

enum ASCII {
    static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }
    static func lower(_ byte: UInt8) -> UInt8 { byte >= 65 && byte <= 90 ? byte | 0x20 : byte }
    static func equal(_ a: some StringProtocol, _ b: some StringProtocol) -> Bool { a.utf8.count == b.utf8.count && zip(a.utf8, b.utf8).allSatisfy { lower($0) == lower($1) } }
    static func upper(_ text: some StringProtocol) -> String { String(decoding: text.utf8.map { $0 >= 97 && $0 <= 122 ? $0 & 0xdf : $0 }, as: UTF8.self) }
}
