/// A checked `test` block.
public struct RuleTest: Sendable {
    public let name: String
    public let file: String
    public let line: Int
    let stage: PolicyStage
    let facts: LiteralFacts
    let expected: [Expectation]

    enum Expectation: Sendable {
        /// nil: no decision is expected.
        case decision(String?, code: Int?)
        case rule(String, matched: Bool)
        case action(RuleAction)
    }
}

/// Facts given literally.
struct LiteralFacts: PolicyFacts, Sendable {
    var values: [PolicyFact: PolicyValue] = [:]
    /// By lower-case name.
    var fields: [String: [String]] = [:]

    func value(of fact: PolicyFact) -> PolicyValue? { values[fact] }
    func headers(named name: String) -> [String] { fields[name.lowercased()] ?? [] }
}

/// What came of a `test` block.
public struct RuleTestResult: Sendable {
    public let test: RuleTest
    /// A sentence for each expectation that was not met; empty when the test passed.
    public let failures: [String]
    public let outcome: PolicyOutcome
    public var passed: Bool { failures.isEmpty }
}

extension RuleSet {
    /// Runs every `test` block, in the order in which they stand.
    public func runTests() -> [RuleTestResult] {
        tests.map { test in
            let outcome = evaluate(test.stage, test.facts)
            return RuleTestResult(test: test, failures: test.expected.compactMap { test.failure($0, outcome) }, outcome: outcome)
        }
    }
}

extension RuleTest {
    /// A sentence when the expectation is not met.
    func failure(_ expectation: Expectation, _ outcome: PolicyOutcome) -> String? {
        switch expectation {
        case .decision(let word, let code):
            let (actual, actualCode) = Self.words(outcome.decision)
            let isMet = actual == word && (code == nil || code == actualCode)
            return isMet ? nil : "expected \(Self.shown(word, code)), got \(Self.shown(actual, actualCode))"
        case .rule(let name, let wanted):
            let matched = outcome.trace.contains { $0.rule == name && $0.matched }
            return matched == wanted ? nil : "rule \"\(name)\" " + (matched ? "matched" : "did not match")
        case .action(let action):
            var evaluation = Evaluation(facts: facts)
            let wanted = evaluation.action(action)
            return wanted.map(outcome.actions.contains) ?? true ? nil : "the expected action did not happen; what happened: \(outcome.actions)"
        }
    }

    private static func words(_ decision: PolicyDecision?) -> (String?, Int?) {
        switch decision {
        case nil: (nil, nil)
        case .accept: ("accept", nil)
        case .discard: ("discard", nil)
        case .reject(let reply): ("reject", reply.code)
        case .tempfail(let reply): ("tempfail", reply.code)
        }
    }

    private static func shown(_ word: String?, _ code: Int?) -> String { (word ?? "none") + (code.map { " \($0)" } ?? "") }
}
