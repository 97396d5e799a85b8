/// Names that are looked up: `dnsbl["spam"]`, `dnsbl["names", sender.domain]`, `rate(client.ip, 1h)`; and the
/// declaration of DNS lists.
extension Parser {
    /// `dnsbl "spam" { "zen.example" weight 3 for 127.0.0.2..127.0.0.11, 127.0.1.2  "bl.example" }`
    mutating func blocklist() throws -> BlocklistSyntax {
        advance()
        let name = try string("the name of the lists in quotes").literal
        try demandMark("{")
        var lists: [BlocklistSyntax.List] = []
        while !takeMark("}") { lists.append(try listEntry()) }
        return BlocklistSyntax(name: name, lists: lists)
    }

    private mutating func listEntry() throws -> BlocklistSyntax.List {
        var list = BlocklistSyntax.List(zone: try string("a list's domain in quotes, or '}'").literal)
        if takeWord("weight") { list.weight = try number("the weight, such as 2 or -1") }
        guard takeWord("for") else { return list }
        repeat { list.answers.append(try answerRange()) } while takeMark(",")
        return list
    }

    private mutating func answerRange() throws -> LiteralSyntax {
        let token = current
        switch token.kind {
        case .network, .addresses: break
        default: throw unexpected("an answer such as 127.0.0.2 or 127.0.0.2..127.0.0.11")
        }
        advance()
        return LiteralSyntax(kind: token.kind, range: token.range)
    }

    /// A number, perhaps below zero.
    mutating func number(_ wanted: String) throws -> LiteralSyntax {
        let literal = try signed()
        guard case .number = literal?.kind, let literal else { throw unexpected(wanted) }
        return literal
    }

    /// A number or a length of time with its sign; nil where none stands.
    mutating func signed() throws -> LiteralSyntax? {
        let start = current.range
        let isNegative = takeMark("-")
        let token = current, range = start.lowerBound..<token.range.upperBound
        switch token.kind {
        case .number(let number):
            advance()
            return LiteralSyntax(kind: .number(isNegative ? -number : number), range: range)
        case .duration(let seconds):
            advance()
            return LiteralSyntax(kind: .duration(isNegative ? -seconds : seconds), range: range)
        default:
            if isNegative { throw unexpected("a number") }
            return nil
        }
    }

    /// Behind `dnsbl`.
    mutating func blocklistName(from start: Int) throws -> NameSyntax {
        guard takeMark("[") else { throw unexpected("'[' and the lists' name", fix: "write dnsbl[\"spam\"]") }
        let set = try string("the lists' name in quotes").literal
        let subject = takeMark(",") ? try name() : nil
        try demandMark("]")
        return NameSyntax(kind: .blocklist(set, about: subject.map { [$0] } ?? []), range: start..<lastEnd)
    }

    /// Behind `rate`.
    mutating func rateName(from start: Int) throws -> NameSyntax {
        let example = "write rate(client.ip, 1h)"
        guard takeMark("(") else { throw unexpected("'('", fix: example) }
        var names: [NameSyntax] = []
        while case .word = current.kind {
            names.append(try name())
            guard takeMark(",") else { throw unexpected("',' and a length of time", fix: example) }
        }
        guard !names.isEmpty else { throw unexpected("a name", fix: example) }
        guard let window = try signed() else { throw unexpected("a length of time", fix: example) }
        try demandMark(")")
        return NameSyntax(kind: .rate(names, window), range: start..<lastEnd)
    }
}
