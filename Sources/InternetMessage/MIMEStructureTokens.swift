/// A cursor over a header field's value with the lexical tokens that structured fields share: RFC 5322 §3.2 (atoms,
/// quoted strings, comments, folding white space) and RFC 2045 §5.1 (tokens).
struct FieldScanner {
    let bytes: [UInt8]
    var position = 0
    /// What the last ``skipCFWS()`` saw inside comments, outermost text only; for display names in comments.
    private(set) var lastComment: [UInt8] = []

    /// Set when a quoted string was found not to end: then none that begins later ends either (a quote inside the
    /// first was escaped, so both readings run in step), and looking again would make the time quadratic.
    private var noQuoteEnds = false

    /// Comments nested deeper than this end the comment: the text is hostile.
    static let commentDepth = 32

    init(_ bytes: some Collection<UInt8>) { self.bytes = Array(bytes) }

    var peek: UInt8? { position < bytes.count ? bytes[position] : nil }
    var atEnd: Bool { position >= bytes.count }

    mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    mutating func run(while matches: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let start = position
        while position < bytes.count, matches(bytes[position]) { position += 1 }
        return bytes[start..<position]
    }

    /// `[CFWS]`. Returns whether anything was skipped.
    @discardableResult
    mutating func skipCFWS() -> Bool {
        let start = position
        while let byte = peek {
            if Self.isBlank(byte) { position += 1 } else if byte == 40 { skipComment() } else { break }
        }
        return position > start
    }

    mutating func forgetComment() { lastComment = [] }

    /// `"(" *([FWS] ccontent) [FWS] ")"`; one that does not end takes the rest.
    private mutating func skipComment() {
        var depth = 0
        var text: [UInt8] = []
        while let byte = peek {
            position += 1
            switch byte {
            case 40:
                depth += 1
                if depth > Self.commentDepth { position = bytes.count }
                if depth > 1 { text.append(byte) }
            case 41:
                depth -= 1
                if depth == 0 { lastComment = text; return }
                text.append(byte)
            case 92:
                if let next = peek { text.append(next); position += 1 }
            case 13, 10: break
            default: text.append(byte)
            }
        }
        lastComment = text
    }

    /// A quoted string's content, unfolded, quoted-pairs resolved. nil when there is none here or it does not end.
    mutating func quotedString() -> [UInt8]? {
        let start = position
        guard !noQuoteEnds, take(34) else { return nil }
        var out: [UInt8] = []
        while let byte = peek {
            position += 1
            switch byte {
            case 34: return out
            case 92:
                guard let next = peek else { break }
                position += 1
                out.append(next)
            case 13, 10: break
            default: out.append(byte)
            }
        }
        position = start
        noQuoteEnds = true
        return nil
    }

    /// RFC 5322 atext, with UTF-8 (RFC 6532).
    mutating func atom() -> ArraySlice<UInt8>? {
        let word = run(while: PathParser.isAtext)
        return word.isEmpty ? nil : word
    }

    /// RFC 2045 `token`: printable US-ASCII but tspecials.
    mutating func token() -> String? {
        let word = run(while: Self.isToken)
        return word.isEmpty ? nil : String(decoding: word, as: UTF8.self)
    }

    /// RFC 2045 `value`: token or quoted string. Octets above 127 are taken: 8-bit file names exist.
    mutating func value() -> [UInt8]? {
        if peek == 34 { return quotedString() }
        let word = run { Self.isToken($0) || $0 >= 0x80 }
        return word.isEmpty ? nil : Array(word)
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 13 || byte == 10 }

    static func isToken(_ byte: UInt8) -> Bool {
        guard byte > 32, byte < 127 else { return false }
        switch byte {
        case 40, 41, 60, 62, 64, 44, 59, 58, 92, 34, 47, 91, 93, 63, 61: return false
        default: return true
        }
    }
}
