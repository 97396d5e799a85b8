/// Test blocks: facts are checked like the values of a comparison, for the stage the test is about.
extension RuleChecker {
    mutating func check(_ test: TestSyntax) -> RuleTest? {
        let before = bag.all.count
        if test.expected.isEmpty { report(Mistake(test.range, "the test expects nothing", fix: "write 'expect reject', 'expect none' or 'expect rule \"…\"'")) }
        guard let subject = test.isAboutMessage ? messageSubject(test) : factSubject(test) else { return nil }
        let expected = test.expected.compactMap { expectation($0, isMessage: test.isAboutMessage) }
        guard bag.all.count == before else { return nil }
        return RuleTest(name: test.name, file: source.file, line: source.line(of: test.range.lowerBound), subject: subject, expected: expected)
    }

    private mutating func factSubject(_ test: TestSyntax) -> RuleTest.Subject? {
        guard let testStage = test.stage?.0 else {
            report(Mistake(test.range, "the test names no stage", fix: "write 'stage message' (or another) inside its braces, or give it a message"))
            return nil
        }
        stage = testStage
        var facts = LiteralFacts()
        for (name, operand) in test.given { _ = attempt { try $0.give(name, operand, to: &facts) } }
        return .facts(testStage, facts)
    }

    private func give(_ name: NameSyntax, _ operand: OperandSyntax, to facts: inout LiteralFacts) throws {
        let (subject, type) = try resolve(name)
        let values = try literals(operand).map { try value($0, as: type.element, of: subject.name) }
        switch subject {
        case .header(let field): facts.fields[field.lowercased(), default: []] += values.map(\.description)
        case .fact(let fact):
            guard type.isList || values.count == 1 else { throw Mistake(operand.range, "\(fact.rawValue) is one value", fix: nil) }
            facts.values[fact] = type.isList ? .list(values) : values.first
        case .blocklist, .rate: facts.named[subject.name] = values.first
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

    // MARK: Expectations

    private mutating func expectation(_ syntax: TestExpectationSyntax, isMessage: Bool) -> RuleTest.Expectation? {
        let line = source.line(of: syntax.range.lowerBound)
        if isMessage { stage = .message }
        return attempt { try $0.expected(syntax, isMessage: isMessage) }?.map { RuleTest.Expectation(kind: $0, line: line) }
    }

    /// nil when the mistake is reported already.
    private mutating func expected(_ syntax: TestExpectationSyntax, isMessage: Bool) throws -> RuleTest.Expectation.Kind? {
        switch syntax.kind {
        case .decision: return .decision(try decision(syntax, isMessage: isMessage))
        case .rule(let name, let wanted): return .rule(name, wanted: wanted)
        case .action(let action):
            guard !action.kind.decides else { throw Mistake(action.range, "a decision is no action", fix: "write 'expect' and the decision") }
            // What a rule does to one recipient stands at rcpt.
            if isMessage, case .changeRecipient = action.kind { stage = .rcpt }
            guard let checked = check(action) else { return nil }
            guard checked.isChange else { throw Mistake(action.range, "this refuses, or does nothing", fix: "write 'expect rcpt tempfail' or 'expect mail reject'") }
            return .action(checked)
        default: break
        }
        guard isMessage else {
            throw Mistake(syntax.range, "a test of one stage's facts makes no message that could be looked at",
                          fix: "write 'expect action …', or give the test a message instead of 'stage' and 'given'")
        }
        switch syntax.kind {
        case .header(let name, let value, let wanted): return .header(text(name), value: value.map { text($0) }, wanted: wanted)
        case .folder(let name, let wanted): return .folder(text(name), wanted: wanted)
        case .keyword(let name, let wanted): return .keyword(text(name), wanted: wanted)
        case .delivered(let address, let wanted): return .delivered(try self.address(address), wanted: wanted)
        case .that(let condition): return .that(check(condition), written: written(syntax))
        default: return nil
        }
    }

    /// What follows `expect that`.
    private func written(_ syntax: TestExpectationSyntax) -> String {
        source.text(syntax.range).split(whereSeparator: \.isWhitespace).dropFirst(2).joined(separator: " ")
    }

    private func decision(_ syntax: TestExpectationSyntax, isMessage: Bool) throws -> ExpectedDecision {
        guard case .decision(let stage, let word, let code, let texts, let recipient) = syntax.kind else { return ExpectedDecision(stage: nil, word: nil) }
        if !isMessage, stage != nil || recipient != nil || word == "quarantine" {
            throw Mistake(syntax.range, "a test of facts is about one stage, and about its decision", fix: word == "quarantine" ? "write: expect action quarantine \"…\"" : "leave the stage and 'for' out")
        }
        if isMessage, word == "none" { throw Mistake(syntax.range, "'none' says of one stage that no rule decided", fix: "write 'expect accept': the message is taken") }
        if recipient != nil, stage != .rcpt { throw Mistake(syntax.range, "only stage rcpt is about one recipient", fix: "write 'expect rcpt \(word) for …', or 'expect delivered to …'") }
        var expected = ExpectedDecision(stage: stage, word: word == "none" ? nil : word, code: code)
        var rest = texts[...]
        if let first = rest.first, Self.looksEnhanced(text(first)) {
            expected.enhanced = text(first)
            rest = rest.dropFirst()
        }
        guard rest.count <= 1, texts.isEmpty && code == nil || ["reject", "tempfail"].contains(word) else {
            throw Mistake(syntax.range, "only reject and tempfail have a code and a text", fix: "write a code, an enhanced status code and one text, each of which may be left out")
        }
        expected.text = rest.first.map { text($0) }
        expected.recipient = try recipient.map { try address($0) }
        return expected
    }
}
