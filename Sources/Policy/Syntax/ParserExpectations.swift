/// expect [stage] decision, expect [not] rule|header|folder|keyword|delivered to, expect action, expect that
extension Parser {
    mutating func expectation() throws -> TestExpectationSyntax {
        let start = current.range
        advance()
        let kind = try expectationKind()
        return TestExpectationSyntax(kind: kind, range: start.lowerBound..<lastEnd)
    }

    private mutating func expectationKind() throws -> TestExpectationSyntax.Kind {
        if takeWord("action") { return .action(try action()) }
        if takeWord("that") { return .that(try condition()) }
        let wanted = !takeWord("not")
        if takeWord("rule") { return .rule(try string("the rule's name in quotes").text, wanted: wanted) }
        if takeWord("header") { return .header(try string("the header's name in quotes").literal, value: wanted ? takeString() : nil, wanted: wanted) }
        if takeWord("folder") { return .folder(try string("the folder's name in quotes").literal, wanted: wanted) }
        if takeWord("keyword") { return .keyword(try string("the keyword in quotes").literal, wanted: wanted) }
        if takeWord("delivered") {
            guard takeWord("to") else { throw unexpected("'to'", fix: "write: expect delivered to \"alice@example.org\"") }
            return .delivered(try string("an address in quotes").literal, wanted: wanted)
        }
        guard wanted else { throw unexpected("rule, header, folder, keyword or delivered to after 'not'") }
        return try decision()
    }

    private mutating func decision() throws -> TestExpectationSyntax.Kind {
        var stage: PolicyStage?
        if case .word(let word) = current.kind, let named = PolicyStage(rawValue: word) {
            stage = named
            advance()
        }
        guard case .word(let word) = current.kind, Self.decisions.contains(word) else {
            throw unexpected(stage == nil ? Self.expectations : Self.decisions.joined(separator: ", "), fix: decisionFix())
        }
        advance()
        var code: Int?
        if case .number(let number) = current.kind {
            code = number
            advance()
        }
        var texts: [LiteralSyntax] = []
        while let text = takeString() { texts.append(text) }
        let recipient = takeWord("for") ? try string("the recipient's address in quotes").literal : nil
        return .decision(stage: stage, word: word, code: code, texts: texts, recipient: recipient)
    }

    private func decisionFix() -> String? {
        guard case .word(let word) = current.kind else { return nil }
        return Spelling.nearest(to: word, among: Self.decisions + ["rule", "action", "header", "folder", "keyword", "delivered", "that"]).map { "did you mean '\($0)'?" }
    }

    private static let decisions = ["accept", "reject", "tempfail", "discard", "quarantine", "none"]
    private static let expectations = "a decision (\(decisions.joined(separator: ", "))), rule, action, header, folder, keyword, delivered to, or that"
}
