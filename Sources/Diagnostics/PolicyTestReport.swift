import Policy
import PolicyTesting

/// What `postern policy test` found in all rule sets.
public struct PolicyTestReport: Sendable, Encodable {
    public let sets: [PolicyTestSetReport]
    public let passed: Int
    public let failed: Int
    /// Rules that no test makes match.
    public let uncovered: Int

    public init(_ sets: [PolicyTestSetReport]) {
        self.sets = sets
        failed = sets.reduce(0) { $0 + $1.failed }
        passed = sets.reduce(0) { $0 + $1.tests.count } - failed
        uncovered = sets.reduce(0) { $0 + $1.coverage.count { $0.matched == 0 } }
    }

    public var isUnreadable: Bool { sets.contains { !$0.diagnostics.isEmpty } }
    public var hasUnnoticed: Bool { sets.contains { $0.unnoticed?.isEmpty == false } }

    public var text: String {
        let parts = sets.map { sets.count > 1 ? "== \($0.path)\n\($0.text)" : $0.text }
        let rules = sets.reduce(0) { $0 + $1.coverage.count }
        return (parts + ["", "\(passed) passed, \(failed) failed; \(rules - uncovered) of \(rules) rules matched in a test"]).joined(separator: "\n")
    }
}
