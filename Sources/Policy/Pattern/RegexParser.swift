/// The regular expressions of rule files: what POSIX and Perl share, without what cannot be matched in linear time.
///
/// `. [a-z] [^a-z] \d \s \w \b ^ $ ( ) (?: ) | * + ? {2,5}`, and a backslash before any other mark.
struct RegexParser {
    static let nestingLimit = 50
    static let repetitionLimit = 1_000

    private let scalars: [Unicode.Scalar]
    private let ignoreCase: Bool
    private var position = 0
    private var depth = 0

    /// - Throws: ``PatternMistake``.
    static func program(_ text: String, ignoreCase: Bool) throws -> PatternProgram {
        var parser = RegexParser(scalars: Array(text.unicodeScalars), ignoreCase: ignoreCase)
        let node = try parser.choice()
        guard parser.peek == nil else { throw PatternMistake(message: "a ')' without its '('", fix: "write \\) for the mark itself") }
        return try PatternCompiler.program(node, ignoreCase: ignoreCase, isAnchored: false)
    }

    private init(scalars: [Unicode.Scalar], ignoreCase: Bool) {
        self.scalars = scalars
        self.ignoreCase = ignoreCase
    }

    private var peek: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek == scalar else { return false }
        position += 1
        return true
    }

    private mutating func choice() throws -> PatternNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.nestingLimit else { throw PatternMistake(message: "the pattern's groups nest too deep", fix: nil) }
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func sequence() throws -> PatternNode {
        var parts: [PatternNode] = []
        while let scalar = peek, scalar != "|", scalar != ")" { parts.append(try repeated(try atom())) }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func repeated(_ atom: PatternNode) throws -> PatternNode {
        let node: PatternNode
        if take("*") { node = .repetition(atom, 0, nil) }
        else if take("+") { node = .repetition(atom, 1, nil) }
        else if take("?") { node = .repetition(atom, 0, 1) }
        else if peek == "{" { node = try counted(atom) }
        else { return atom }
        // Whether a repetition is lazy changes what is captured, never whether there is a match.
        _ = take("?")
        if let next = peek, "*+?{".unicodeScalars.contains(next) {
            throw PatternMistake(message: "two repetitions behind each other", fix: "put the first in a group: (a*)*")
        }
        return node
    }

    private mutating func counted(_ atom: PatternNode) throws -> PatternNode {
        position += 1
        let low = number()
        var high = low
        if take(",") { high = number() }
        guard take("}"), let low else {
            throw PatternMistake(message: "a '{' that is not a repetition", fix: "write {2}, {2,} or {2,5}, or \\{ for the mark itself")
        }
        guard low <= Self.repetitionLimit, (low...Self.repetitionLimit).contains(high ?? low) else {
            throw PatternMistake(message: "a repetition count out of order or above \(Self.repetitionLimit)", fix: nil)
        }
        return .repetition(atom, low, high)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let scalar = peek, (48...57).contains(scalar.value), (value ?? 0) <= Self.repetitionLimit {
            value = (value ?? 0) * 10 + Int(scalar.value - 48)
            position += 1
        }
        return value
    }

    private mutating func atom() throws -> PatternNode {
        guard let scalar = peek else { return .empty }
        position += 1
        switch scalar {
        case ".": return .one(.any)
        case "^": return .one(.lineStart)
        case "$": return .one(.lineEnd)
        case "[": return .one(.set(try bracket()))
        case "(": return try group()
        case "\\": return .one(try escape())
        case "*", "+", "?": throw PatternMistake(message: "'\(scalar)' repeats nothing", fix: "write \\\(scalar) for the mark itself")
        default: return .one(.scalar(ignoreCase ? foldedScalar(scalar) : scalar.value))
        }
    }

    private mutating func group() throws -> PatternNode {
        if take("?"), !take(":") {
            throw PatternMistake(message: "look-around and named groups are not supported", fix: "they cannot be matched in bounded time; combine two conditions with 'and'")
        }
        let inner = try choice()
        guard take(")") else { throw PatternMistake(message: "a '(' without its ')'", fix: "write \\( for the mark itself") }
        return inner
    }

    private mutating func escape() throws -> PatternProgram.Instruction {
        guard let scalar = peek else { throw PatternMistake(message: "a backslash at the end of the pattern", fix: nil) }
        position += 1
        switch scalar {
        case "b": return .wordBoundary
        case "B": return .notWordBoundary
        case "1"..."9": throw PatternMistake(message: "back-references are not supported", fix: "they cannot be matched in bounded time")
        default:
            if let set = Self.classes(scalar) { return .set(set) }
            let literal = try literal(scalar)
            return .scalar(ignoreCase ? foldedScalar(literal) : literal.value)
        }
    }

    private func literal(_ scalar: Unicode.Scalar) throws -> Unicode.Scalar {
        switch scalar {
        case "t": return "\t"
        case _ where scalar.properties.isAlphabetic || (48...57).contains(scalar.value):
            throw PatternMistake(message: "an unknown escape '\\\(scalar)'", fix: "\\d \\s \\w \\b \\t and a backslash before a mark are the escapes")
        default: return scalar
        }
    }

    private static func classes(_ scalar: Unicode.Scalar) -> ScalarSet? {
        switch scalar {
        case "d": .digits
        case "s": .spaces
        case "w": .wordScalars
        case "D": ScalarSet(ranges: ScalarSet.digits.ranges, isNegated: true)
        case "S": ScalarSet(ranges: ScalarSet.spaces.ranges, isNegated: true)
        case "W": ScalarSet(ranges: ScalarSet.wordScalars.ranges, isNegated: true)
        default: nil
        }
    }

    /// `[…]`; a `]` right behind the opening stands for itself.
    private mutating func bracket() throws -> ScalarSet {
        var set = ScalarSet()
        set.isNegated = take("^")
        var isFirst = true
        while let scalar = peek, isFirst || scalar != "]" {
            isFirst = false
            position += 1
            guard let low = try member(scalar, into: &set) else { continue }
            guard peek == "-", position + 1 < scalars.count, scalars[position + 1] != "]" else { set.ranges.append(low.value...low.value); continue }
            position += 1
            set.ranges.append(try range(from: low))
        }
        guard take("]") else { throw PatternMistake(message: "a '[' without its ']'", fix: "write \\[ for the mark itself") }
        return ignoreCase ? set.foldingCase : set
    }

    private mutating func range(from low: Unicode.Scalar) throws -> ClosedRange<UInt32> {
        guard let next = peek else { throw PatternMistake(message: "a '[' without its ']'", fix: nil) }
        position += 1
        var unused = ScalarSet()
        guard let high = try member(next, into: &unused), low.value <= high.value else {
            throw PatternMistake(message: "a range in '[…]' that is out of order", fix: "write the lower end first")
        }
        return low.value...high.value
    }

    /// One member of a class: its scalar, or nil when it was a class of its own and went into the set.
    private mutating func member(_ scalar: Unicode.Scalar, into set: inout ScalarSet) throws -> Unicode.Scalar? {
        guard scalar == "\\" else { return scalar }
        guard let escaped = peek else { throw PatternMistake(message: "a backslash at the end of the pattern", fix: nil) }
        position += 1
        guard let inner = Self.classes(escaped) else { return try literal(escaped) }
        set.ranges += inner.isNegated ? inner.complement : inner.ranges
        return nil
    }
}
