import NetworkAddress

/// Cuts a rule file into tokens. Blanks and line ends only separate; `#` begins a comment up to the line's end.
struct Lexer {
    private let source: SourceText
    private var position = 0
    private(set) var tokens: [Token] = []
    private var bag = DiagnosticBag()

    private init(_ source: SourceText) { self.source = source }

    /// All tokens, the last of them `.end`, and what could not be read.
    static func tokens(of source: SourceText) -> (tokens: [Token], errors: [PolicyDiagnostic]) {
        var lexer = Lexer(source)
        while !lexer.bag.isFull, lexer.next() {}
        // After too many mistakes the rest is not read.
        lexer.position = source.bytes.count
        lexer.add(.end, from: lexer.position)
        return (lexer.tokens, lexer.bag.all)
    }

    private var peek: UInt8? { position < source.bytes.count ? source.bytes[position] : nil }
    private func peek(_ ahead: Int) -> UInt8? { position + ahead < source.bytes.count ? source.bytes[position + ahead] : nil }

    private mutating func add(_ kind: Token.Kind, from start: Int) { tokens.append(Token(kind: kind, range: start..<position)) }

    private mutating func fail(from start: Int, _ message: String, fix: String? = nil) {
        bag.add(source.diagnostic(start..<position, message, fix: fix))
    }

    /// Reads one token or one stretch of blanks; false at the end.
    private mutating func next() -> Bool {
        guard let byte = peek else { return false }
        switch byte {
        case 9, 10, 13, 32: position += 1
        case UInt8(ascii: "#"): skip { $0 != 10 }
        case UInt8(ascii: "\"") where TextBlock.begins(at: position, in: source): block()
        case UInt8(ascii: "\""): string()
        case UInt8(ascii: "/"): pattern()
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: ":"): numeric(from: position)
        case _ where Self.startsWord(byte): word()
        default: mark()
        }
        return true
    }

    private mutating func skip(_ wanted: (UInt8) -> Bool) {
        while let byte = peek, wanted(byte) { position += 1 }
    }

    private mutating func word() {
        let start = position
        skip { Self.startsWord($0) || (48...57).contains($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
        // An IPv6 address may begin with a letter: `fe80::/10`. Nothing else in the language has a colon.
        if peek == UInt8(ascii: ":"), position - start <= 4 { return numeric(from: start) }
        add(.word(source.text(start..<position)), from: start)
    }

    /// A number, a number with a unit, an IP address or a range.
    private mutating func numeric(from start: Int) {
        skip { Self.startsWord($0) || (46...58).contains($0) }
        let text = source.text(start..<position)
        if let number = Self.number(text) { return add(.number(number), from: start) }
        if let seconds = PolicyDuration.seconds(text) { return add(.duration(seconds), from: start) }
        if let range = Self.addresses(text) { return add(.addresses(range), from: start) }
        guard let network = IPNetwork(text) else {
            return fail(from: start, "'\(text)' is neither a number, a size, a length of time, an IP address nor a range",
                        fix: "write 10M, 5m, 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32; text goes in quotes")
        }
        guard network.isCanonical else {
            return fail(from: start, "'\(text)' has address bits behind its prefix", fix: "write \(network.canonical)")
        }
        add(.network(network), from: start)
    }

    private mutating func string() {
        let start = position
        position += 1
        var out: [UInt8] = []
        while let byte = peek, byte != 10 {
            position += 1
            if byte == UInt8(ascii: "\"") { return finish(string: out, from: start) }
            guard byte == UInt8(ascii: "\\") else { out.append(byte); continue }
            guard let escaped = Self.escape(peek) else {
                position += peek == nil || peek == 10 ? 0 : 1
                return fail(from: position - 2, "an unknown escape in a string", fix: #"\" \\ \t and \{ are the escapes; a backslash itself is \\"#)
            }
            position += 1
            out.append(escaped)
        }
        fail(from: start, "the string does not end on its line", fix: "close it with \"")
    }

    private mutating func block() {
        let start = position
        do {
            let (block, end) = try TextBlock.read(from: start, in: source)
            position = end
            add(.block(block), from: start)
        } catch {
            // What follows is the text, most likely: one mistake is told, not one for each of its lines.
            position = source.bytes.count
            bag.add(source.diagnostic(error.range, error.message, fix: error.fix))
        }
    }

    private mutating func finish(string out: [UInt8], from start: Int) {
        guard let text = String(validating: out, as: UTF8.self), !out.contains(0) else {
            return fail(from: start, "the string is not UTF-8 text", fix: "save the file as UTF-8")
        }
        add(.string(text), from: start)
    }

    /// `/…/` or `/…/i` on one line; `\/` is a slash inside.
    private mutating func pattern() {
        let start = position
        position += 1
        var out: [UInt8] = []
        while let byte = peek, byte != 10, byte != UInt8(ascii: "/") {
            if byte == UInt8(ascii: "\\"), peek(1) == UInt8(ascii: "/") { position += 1 }
            else if byte == UInt8(ascii: "\\"), let next = peek(1), next != 10 { out.append(byte); position += 1 }
            out.append(source.bytes[position])
            position += 1
        }
        guard peek == UInt8(ascii: "/") else { return fail(from: start, "the pattern does not end on its line", fix: "close it with /") }
        position += 1
        let flags = position
        skip(Self.startsWord)
        let text = source.text(flags..<position)
        guard text.isEmpty || text == "i" else {
            return fail(from: flags, "unknown pattern flag '\(text)'", fix: "'i' (ignore case) is the only one")
        }
        guard let body = String(validating: out, as: UTF8.self) else { return fail(from: start, "the pattern is not UTF-8 text") }
        add(.pattern(body, ignoreCase: text == "i"), from: start)
    }

    private mutating func mark() {
        let start = position
        let two = source.text(start..<min(start + 2, source.bytes.count))
        if ["==", "!=", "<=", ">="].contains(two) {
            position += 2
            return add(.mark(two), from: start)
        }
        let one = source.text(start..<(start + 1))
        position += 1
        if ["(", ")", "[", "]", "{", "}", ",", "<", ">", "=", "-"].contains(one) { return add(.mark(one), from: start) }
        skip { $0 >= 0x80 && $0 < 0xC0 }
        fail(from: start, "'\(source.text(start..<position))' has no meaning here", fix: Self.marksOfOthers[two] ?? Self.marksOfOthers[source.text(start..<position)])
    }

    private static let typographic = "write straight quotes: \""

    /// What people bring along from other languages.
    private static let marksOfOthers = [
        "&&": "write 'and'", "||": "write 'or'", "!": "write 'not'", "=~": "write 'matches'", ";": "a rule needs no end mark; write ',' between actions",
        "'": "strings stand in double quotes", "“": typographic, "”": typographic, "„": typographic,
    ]

    private static func startsWord(_ byte: UInt8) -> Bool {
        (97...122).contains(byte) || (65...90).contains(byte) || byte == UInt8(ascii: "_")
    }

    private static func escape(_ byte: UInt8?) -> UInt8? {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "{"), UInt8(ascii: "}"): byte
        case UInt8(ascii: "t"): 9
        default: nil
        }
    }

    /// `127.0.0.2..127.0.0.11`
    private static func addresses(_ text: String) -> ClosedRange<UInt32>? {
        guard let dots = text.firstRange(of: ".."), let low = IPAddress(text[..<dots.lowerBound]), let high = IPAddress(text[dots.upperBound...]),
            low.family == .v4, high.family == .v4, low.v4Number <= high.v4Number else { return nil }
        return low.v4Number...high.v4Number
    }

    /// Digits, with K, M or G (times 1024, 1024², 1024³; a B behind may follow). nil when it is not one or does not fit.
    static func number(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty, let value = Int(digits) else { return nil }
        let scale: Int
        switch text.dropFirst(digits.count).uppercased() {
        case "": scale = 1
        case "K", "KB": scale = 1 << 10
        case "M", "MB": scale = 1 << 20
        case "G", "GB": scale = 1 << 30
        default: return nil
        }
        let (product, overflow) = value.multipliedReportingOverflow(by: scale)
        return overflow ? nil : product
    }
}

extension IPNetwork {
    /// The range with the bits behind its prefix cleared.
    var canonical: IPNetwork {
        var octets = address.octets
        for index in octets.indices {
            let bits = min(max(prefixLength - index * 8, 0), 8)
            octets[index] &= UInt8(truncatingIfNeeded: 0xff00 >> bits)
        }
        return IPAddress(octets: octets).flatMap { IPNetwork($0, prefixLength: prefixLength) } ?? self
    }

    var isCanonical: Bool { canonical == self }
}
