/// test "name" { stage message  given name = value …  expect … }
extension Parser {
    mutating func test() throws -> TestSyntax {
        let start = current.range
        advance()
        var test = TestSyntax(name: try string("the test's name in quotes").text, range: start)
        try demandMark("{")
        while !takeMark("}") {
            if takeWord("stage") { test.stage = try stageName() }
            else if takeWord("given") { test.given.append(try given()) }
            else if takeWord("expect") { test.expected.append(try expectation()) }
            else { throw unexpected("'stage', 'given', 'expect' or '}'") }
        }
        return test
    }

    private mutating func given() throws -> (NameSyntax, OperandSyntax) {
        let name = try name()
        guard takeMark("=") else { throw unexpected("'='", fix: "write: given client.ip = 192.0.2.1") }
        return (name, try operand())
    }

    private mutating func expectation() throws -> TestExpectationSyntax {
        let start = current.range
        if takeWord("action") { return .action(try action()) }
        let matched = !takeWord("not")
        if takeWord("rule") {
            return .rule(try string("the rule's name in quotes").text, matched: matched, start.lowerBound..<lastEnd)
        }
        guard matched, case .word(let word) = current.kind, ["accept", "reject", "tempfail", "discard", "none"].contains(word) else {
            throw unexpected("accept, reject, tempfail, discard, none, rule \"…\", not rule \"…\" or action …")
        }
        advance()
        guard case .number(let code) = current.kind else { return .decision(word: word, code: nil, start) }
        advance()
        return .decision(word: word, code: code, start.lowerBound..<lastEnd)
    }
}
