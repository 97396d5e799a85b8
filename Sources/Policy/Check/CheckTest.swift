/// Test blocks: facts are checked like the values of a comparison, for the stage the test is about.
extension RuleChecker {
    mutating func check(_ test: TestSyntax) -> RuleTest? {
        let before = bag.all.count
        guard let testStage = test.stage?.0 else {
            report(Mistake(test.range, "the test names no stage", fix: "write 'stage message' (or another) inside its braces"))
            return nil
        }
        stage = testStage
        if test.expected.isEmpty { report(Mistake(test.range, "the test expects nothing", fix: "write 'expect reject', 'expect none' or 'expect rule \"…\"'")) }
        var facts = LiteralFacts()
        for (name, operand) in test.given { _ = attempt { try $0.give(name, operand, to: &facts) } }
        let expected = test.expected.compactMap { expectation($0) }
        guard bag.all.count == before else { return nil }
        return RuleTest(name: test.name, file: source.file, line: source.line(of: test.range.lowerBound), stage: testStage, facts: facts, expected: expected)
    }

    private func give(_ name: NameSyntax, _ operand: OperandSyntax, to facts: inout LiteralFacts) throws {
        let (subject, type) = try resolve(name)
        let values = try literals(operand).map { try value($0, as: type.element, of: subject.name) }
        switch subject {
        case .header(let field): facts.fields[field.lowercased(), default: []] += values.map(\.description)
        case .fact(let fact):
            guard type.isList || values.count == 1 else { throw Mistake(operand.range, "\(fact.rawValue) is one value", fix: nil) }
            facts.values[fact] = type.isList ? .list(values) : values.first
        }
    }

    private func literals(_ operand: OperandSyntax) throws -> [LiteralSyntax] {
        switch operand {
        case .literal(let literal):
            guard literal.kind != .word("missing") else { throw Mistake(literal.range, "what is not given is missing", fix: "leave this line out") }
            return [literal]
        case .list(let literals, _): return literals
        case .header, .table: throw Mistake(operand.range, "a fact is given literally", fix: nil)
        }
    }

    private mutating func expectation(_ syntax: TestExpectationSyntax) -> RuleTest.Expectation? {
        switch syntax {
        case .decision(let word, let code, _): return .decision(word == "none" ? nil : word, code: code)
        case .rule(let name, let matched, _): return .rule(name, matched: matched)
        case .action(let action):
            guard !action.kind.decides else {
                report(Mistake(action.range, "a decision is no action", fix: "write 'expect' and the decision"))
                return nil
            }
            return check(action).map { .action($0) }
        }
    }
}
