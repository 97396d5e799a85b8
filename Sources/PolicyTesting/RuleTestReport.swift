import Policy

/// What came of a rule set's tests.
public struct RuleTestReport: Sendable {
    public let results: [RuleTestResult]
    /// One for each rule, in the order in which they are asked.
    public let coverage: [RuleCoverage]

    init(rules: [RuleSummary], results: [RuleTestResult]) {
        self.results = results
        var asked: [String: Int] = [:], matched: [String: Int] = [:]
        for result in results {
            for name in Set(result.trace.map(\.rule)) { asked[name, default: 0] += 1 }
            for name in Set(result.trace.filter(\.matched).map(\.rule)) { matched[name, default: 0] += 1 }
        }
        coverage = rules.map { RuleCoverage(rule: $0, asked: asked[$0.name] ?? 0, matched: matched[$0.name] ?? 0) }
    }

    public var failed: [RuleTestResult] { results.filter { !$0.passed } }
    /// Rules that no test made match.
    public var uncovered: [RuleCoverage] { coverage.filter { $0.matched == 0 } }
}

/// How many tests reached a rule.
public struct RuleCoverage: Sendable, Hashable {
    public let rule: RuleSummary
    /// Tests that asked it.
    public let asked: Int
    /// Tests in which it matched.
    public let matched: Int
}

/// A broken rule that no test noticed.
public struct UnnoticedMutation: Sendable, Hashable {
    public let rule: RuleSummary
    public let mutation: RuleMutation
}
