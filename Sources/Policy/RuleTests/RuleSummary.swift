/// A rule, as coverage tables list it.
public struct RuleSummary: Sendable, Hashable {
    public let name: String
    public let stage: PolicyStage
    public let file: String
    public let line: Int
    /// Whether it matches whatever comes: it has no condition.
    public let isUnconditional: Bool
}

/// What may be done to a rule, to see whether the tests notice.
public enum RuleMutation: Sendable, Hashable, CaseIterable {
    /// The rule is not there.
    case removed
    /// Its condition always holds.
    case unconditional
}

extension RuleSet {
    /// The rules in the order in which they are asked, stage after stage.
    public var summaries: [RuleSummary] {
        PolicyStage.allCases.flatMap { rules[$0] ?? [] }.map {
            RuleSummary(name: $0.name, stage: $0.stage, file: $0.file, line: $0.line, isUnconditional: $0.isUnconditional)
        }
    }

    /// The same set with one rule broken.
    public func mutated(_ name: String, _ mutation: RuleMutation) -> RuleSet {
        let changed = PolicyStage.allCases.flatMap { rules[$0] ?? [] }.compactMap { rule -> Rule? in
            guard rule.name == name else { return rule }
            guard mutation == .unconditional else { return nil }
            return Rule(name: rule.name, stage: rule.stage, file: rule.file, line: rule.line, condition: .constant(true), actions: rule.actions)
        }
        return RuleSet(rules: changed, tests: tests, tables: tables)
    }
}

extension Rule {
    fileprivate var isUnconditional: Bool { if case .constant(true) = condition { true } else { false } }
}
