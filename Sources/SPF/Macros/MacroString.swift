/// A parsed macro-string (RFC 7208 §7.1): literals and expansions.
struct MacroString: Sendable, Hashable {
    enum Part: Sendable, Hashable {
        case literal(String)
        case expand(Macro)
    }

    struct Macro: Sendable, Hashable {
        /// Lower case: one of s l o d i p h c r t v.
        let letter: Character
        /// Whether the letter was upper case: the value is then URL-escaped (§7.3).
        let isEscaped: Bool
        /// How many right-hand parts to keep; nil for all.
        let keep: Int?
        let isReversed: Bool
        /// What splits the value; `.` unless others were given.
        let delimiters: Set<Character>
    }

    let parts: [Part]
    /// As written.
    let text: String

    var letters: Set<Character> {
        Set(parts.compactMap { if case .expand(let macro) = $0 { macro.letter } else { nil } })
    }

    var endsInMacro: Bool { if case .expand = parts.last { true } else { false } }

    /// Where the text departs from the grammar.
    struct SyntaxError: Error { let reason: String }

    /// What the text is for, which decides the letters and octets allowed.
    enum Use {
        /// c, r and t are only for explanations (§7.2).
        case domainSpec
        case unknownModifier
        /// explain-string: blanks too.
        case explanation
    }

    init(_ text: String, for use: Use) throws(SyntaxError) {
        self.text = text
        var parser = MacroParser(text: Array(text), use: use)
        parts = try parser.parse()
    }
}

private struct MacroParser {
    let text: [Character]
    let use: MacroString.Use
    var position = 0
    var parts: [MacroString.Part] = []
    var literal = ""

    init(text: [Character], use: MacroString.Use) {
        self.text = text
        self.use = use
    }

    mutating func parse() throws(MacroString.SyntaxError) -> [MacroString.Part] {
        while let character = next() {
            guard character == "%" else {
                guard let value = character.asciiValue, (33...126).contains(value) || (value == 32 && use == .explanation) else {
                    throw MacroString.SyntaxError(reason: "it holds an octet outside printable US-ASCII (RFC 7208 section 7.1)")
                }
                literal.append(character)
                continue
            }
            switch next() {
            case "%": literal.append("%")
            case "_": literal.append(" ")
            case "-": literal.append("%20")
            case "{": try expansion()
            default: throw MacroString.SyntaxError(reason: "a '%' is not followed by '{', '%', '_' or '-' (RFC 7208 section 7.1)")
            }
        }
        flush()
        return parts
    }

    /// macro-letter transformers *delimiter "}"
    private mutating func expansion() throws(MacroString.SyntaxError) {
        guard let letter = next(), letter.isASCII, "slodiphvcrt".contains(Character(letter.lowercased())) else {
            throw MacroString.SyntaxError(reason: "it has an unknown macro letter (RFC 7208 section 7.2)")
        }
        let lower = Character(letter.lowercased())
        if use == .domainSpec, "crt".contains(lower) {
            throw MacroString.SyntaxError(reason: "the macro letter '\(letter)' is allowed only in explanation text (RFC 7208 section 7.2)")
        }
        let keep = try digits()
        let isReversed = position < text.count && (text[position] == "r" || text[position] == "R")
        if isReversed { position += 1 }
        var delimiters: Set<Character> = []
        while let character = next(), character != "}" {
            guard ".-+,/_=".contains(character) else {
                throw MacroString.SyntaxError(reason: "'\(character)' is not a macro delimiter (RFC 7208 section 7.1)")
            }
            delimiters.insert(character)
        }
        guard text[position - 1] == "}" else { throw MacroString.SyntaxError(reason: "a macro is not closed by '}' (RFC 7208 section 7.1)") }
        flush()
        parts.append(.expand(.init(
            letter: lower, isEscaped: letter.isUppercase, keep: keep, isReversed: isReversed,
            delimiters: delimiters.isEmpty ? ["."] : delimiters)))
    }

    /// A count must not be zero (§7.3); large ones mean all parts, so they are clamped.
    private mutating func digits() throws(MacroString.SyntaxError) -> Int? {
        var value: Int?
        while position < text.count, let digit = text[position].asciiValue, (48...57).contains(digit) {
            value = min((value ?? 0) * 10 + Int(digit - 48), 1000)
            position += 1
        }
        if value == 0 { throw MacroString.SyntaxError(reason: "a macro keeps zero parts (RFC 7208 section 7.3)") }
        return value
    }

    private mutating func next() -> Character? {
        guard position < text.count else { return nil }
        position += 1
        return text[position - 1]
    }

    private mutating func flush() {
        if !literal.isEmpty { parts.append(.literal(literal)) }
        literal = ""
    }
}
