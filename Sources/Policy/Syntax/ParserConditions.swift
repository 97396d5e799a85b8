/// condition = all { "or" all } ; all = one { "and" one } ; one = "not" one | "(" condition ")" | "true" | "false" | comparison
extension Parser {
    mutating func condition() throws -> ConditionSyntax {
        var parts = [try all()]
        while takeWord("or") { parts.append(try all()) }
        return parts.count == 1 ? parts[0] : .any(parts)
    }

    private mutating func all() throws -> ConditionSyntax {
        var parts = [try one()]
        while takeWord("and") { parts.append(try one()) }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private mutating func one() throws -> ConditionSyntax {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.nestingLimit else {
            throw mistake(current.range, "the condition nests deeper than \(Self.nestingLimit) levels", fix: "split the rule, or use a list")
        }
        if takeWord("not") { return .not(try one()) }
        if takeMark("(") {
            let inner = try condition()
            try demandMark(")")
            return inner
        }
        if takeWord("true") { return .constant(true) }
        if takeWord("false") { return .constant(false) }
        return .comparison(try comparison())
    }

    private mutating func comparison() throws -> ComparisonSyntax {
        let name = try name()
        let start = current.range
        guard let comparison = try takeComparison() else { return ComparisonSyntax(name: name, comparison: nil) }
        let range = start.lowerBound..<lastEnd
        return ComparisonSyntax(name: name, comparison: (comparison, range, try operand()))
    }

    mutating func name() throws -> NameSyntax {
        let token = current
        guard case .word(let word) = token.kind, !Self.reserved.contains(word) else {
            throw unexpected("a name such as sender.domain", fix: "the name stands on the left: sender.domain == \"example.org\"")
        }
        advance()
        if word == "dnsbl" { return try blocklistName(from: token.range.lowerBound) }
        if word == "rate" { return try rateName(from: token.range.lowerBound) }
        guard word == "header" else { return NameSyntax(kind: .fact(word), range: token.range) }
        guard takeMark("[") else { throw unexpected("'[' and the header's name", fix: "write header[\"Subject\"]") }
        if case .word(let word) = current.kind { throw unexpected("the header's name in quotes", fix: "write header[\"\(word)\"]") }
        let field = try string("the header's name in quotes").text
        try demandMark("]")
        return NameSyntax(kind: .header(field), range: token.range.lowerBound..<lastEnd)
    }

    private mutating func takeComparison() throws -> Comparison? {
        switch current.kind {
        case .mark(let mark):
            guard let found = Comparison(rawValue: mark) else {
                if mark == "=" { throw mistake(current.range, "'=' does not compare", fix: "write '=='") }
                return nil
            }
            advance()
            return found
        case .word("not"):
            advance()
            guard takeWord("in") else { throw unexpected("'in'", fix: "write 'not in', or put 'not' before the comparison: not recipients contains …") }
            return .notIn
        case .word(let word):
            guard let found = Comparison(rawValue: word) else {
                guard !Self.reserved.contains(word) else { return nil }
                let fix = ["is", "equals", "eq"].contains(word) ? "write '=='" : Spelling.nearest(to: word, among: Self.operatorWords).map { "did you mean '\($0)'?" }
                throw unexpected("an operator, 'and', 'or' or 'then'", fix: fix ?? "the operators are == != < <= > >= in, not in, contains, matches")
            }
            advance()
            return found
        default: return nil
        }
    }

    mutating func operand() throws -> OperandSyntax {
        if isWord("header") { return .header(try name()) }
        let start = current.range
        if takeWord("table") {
            let name = try string("the table's file name in quotes").text
            return .table(name, start.lowerBound..<lastEnd)
        }
        guard takeMark("[") else { return .literal(try literal()) }
        var entries: [LiteralSyntax] = []
        while !isMark("]") {
            entries.append(try literal())
            if !takeMark(",") { break }
        }
        try demandMark("]")
        return .list(entries, start.lowerBound..<lastEnd)
    }

    private mutating func literal() throws -> LiteralSyntax {
        if let number = try signed() { return number }
        let token = current
        switch token.kind {
        case .string, .network, .pattern: break
        // `reject` is an action's word and a DMARC policy too, so words are judged by the checker.
        case .word(let word) where !Self.connectives.contains(word): break
        default: throw unexpected("a value")
        }
        advance()
        return LiteralSyntax(kind: token.kind, range: token.range)
    }

    private static let connectives: Set<String> = ["and", "or", "not", "when", "then", "rule", "stage", "test", "in", "table"]
    static let reserved: Set<String> = connectives.union(["contains", "matches", "true", "false", "missing", "given", "expect"])
    private static let operatorWords = ["in", "not in", "contains", "matches", "and", "or", "then"]
}
