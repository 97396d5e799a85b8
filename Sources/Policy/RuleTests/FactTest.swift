/// Facts given literally.
struct LiteralFacts: PolicyFacts, Sendable {
    var values: [PolicyFact: PolicyValue] = [:]
    /// By lower-case name.
    var fields: [String: [String]] = [:]
    /// Of names that would be looked up, as rules spell them.
    var named: [String: PolicyValue] = [:]

    func value(of fact: PolicyFact) -> PolicyValue? { values[fact] }
    func headers(named name: String) -> [String] { fields[name.lowercased()] ?? [] }
    func given(_ name: String) -> PolicyValue? { named[name] }
}

extension RuleSet {
    /// Runs every `test` block that is about the facts of one stage, in the order in which they stand. Those about whole
    /// messages need the filters that find the facts: the rule-test runner has them, and runs these too.
    public func runTests() -> [RuleTestResult] { tests.compactMap { runFactTest($0) } }

    /// nil when the test is about a whole message.
    public func runFactTest(_ test: RuleTest) -> RuleTestResult? {
        guard case .facts(let stage, let facts) = test.subject else { return nil }
        let outcome = evaluate(stage, facts)
        let failures = test.expected.compactMap { expectation in
            test.failure(expectation.kind, outcome, facts).map { RuleTestFailure(line: expectation.line, $0) }
        }
        return RuleTestResult(test: test, failures: failures, trace: outcome.trace)
    }
}

extension RuleTest {
    /// A sentence when the expectation is not met.
    fileprivate func failure(_ expectation: Expectation.Kind, _ outcome: PolicyOutcome, _ facts: LiteralFacts) -> String? {
        switch expectation {
        case .decision(let expected):
            let actual = ActualDecision(outcome.decision)
            return expected.isMet(by: actual) ? nil : "expected \(expected), got \(actual)"
        case .rule(let name, let wanted): return Self.failure(ofRule: name, wanted: wanted, in: outcome.trace)
        case .action(let action): return Self.failure(of: action, facts, outcome.trace.first?.stage ?? .message, in: outcome.actions)
        // The checker lets no other one into a test of facts.
        case .header, .folder, .keyword, .delivered, .that: return "there is no message to look at"
        }
    }

    static func failure(ofRule name: String, wanted: Bool, in trace: [RuleTrace]) -> String? {
        let asked = trace.filter { $0.rule == name }
        guard asked.contains(where: \.matched) != wanted else { return nil }
        if !wanted { return "rule \"\(name)\" matched, and must not" }
        guard let last = asked.last else { return "rule \"\(name)\" was not asked: a rule before it decided, or its stage was not reached" }
        return "rule \"\(name)\" did not match: " + last.seen.map(\.description).joined(separator: ", ")
    }

    static func failure(of action: RuleAction, _ facts: some PolicyFacts, _ stage: PolicyStage, in actions: [PolicyAction]) -> String? {
        var evaluation = Evaluation(facts: facts, stage: stage)
        // What is not looked up is missing: nothing is needed.
        guard let wanted = try? evaluation.action(action), !actions.contains(wanted) else { return nil }
        return "the action did not happen: \(wanted); what happened: " + (actions.isEmpty ? "nothing" : actions.map { "\($0)" }.joined(separator: ", "))
    }
}
