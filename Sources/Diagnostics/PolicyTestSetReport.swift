import Policy
import PolicyTesting

/// The tests of one rule set: of a folder, or of a file that stands alone.
public struct PolicyTestSetReport: Sendable, Encodable {
    public let path: String
    /// Why the rules could not be loaded; then there are no tests.
    public let diagnostics: [PolicyDiagnosticRow]
    public let tests: [PolicyTestRow]
    public let coverage: [PolicyCoverageRow]
    /// Broken rules that no test noticed; nil when none were tried.
    public let unnoticed: [String]?
    private let excerpts: [String]

    private enum CodingKeys: CodingKey { case path, diagnostics, tests, coverage, unnoticed }

    public init(path: String, _ report: RuleTestReport, unnoticed: [UnnoticedMutation]?) {
        self.path = path
        diagnostics = []
        excerpts = []
        tests = report.results.map(PolicyTestRow.init)
        coverage = report.coverage.map(PolicyCoverageRow.init)
        self.unnoticed = unnoticed?.map(Self.sentence)
    }

    public init(path: String, errors: PolicyErrors) {
        self.path = path
        diagnostics = errors.diagnostics.map(PolicyDiagnosticRow.init)
        excerpts = errors.diagnostics.map(\.description)
        tests = []
        coverage = []
        unnoticed = nil
    }

    private static func sentence(_ one: UnnoticedMutation) -> String {
        let place = "rule \"\(one.rule.name)\" at \(one.rule.file):\(one.rule.line)"
        switch one.mutation {
        case .removed: return "\(place): no test fails without it"
        case .unconditional: return "\(place): no test fails when it always matches"
        }
    }

    var failed: Int { tests.count { !$0.passed } }

    var text: String {
        guard excerpts.isEmpty else { return excerpts.joined(separator: "\n") }
        var out = tests.flatMap(\.lines)
        if tests.isEmpty { out.append("\(path): no tests") }
        if !coverage.isEmpty {
            out.append("")
            out += PolicyCoverageRow.table(coverage)
        }
        out += (unnoticed ?? []).map { "unnoticed: " + $0 }
        return out.joined(separator: "\n")
    }
}

/// One test and what came of it.
public struct PolicyTestRow: Sendable, Encodable {
    public struct Failure: Sendable, Encodable {
        public let line: Int
        public let message: String
    }

    public struct Match: Sendable, Encodable {
        public let rule: String
        public let file: String
        public let line: Int
        /// `name = value`, each value that the rule looked at.
        public let saw: [String]
    }

    public let name: String
    public let file: String
    public let line: Int
    public let passed: Bool
    public let failures: [Failure]
    public let matched: [Match]

    init(_ result: RuleTestResult) {
        name = result.test.name
        file = result.test.file
        line = result.test.line
        passed = result.passed
        failures = result.failures.map { Failure(line: $0.line, message: $0.description) }
        matched = result.trace.filter(\.matched).map { Match(rule: $0.rule, file: $0.file, line: $0.line, saw: $0.seen.map(\.description)) }
    }

    var lines: [String] {
        guard !passed else { return ["ok      \(Plain.line(name))"] }
        var out = ["FAILED  \(Plain.line(name)) (\(file):\(line))"]
        out += failures.map { "        \(file):\($0.line): \(Plain.line($0.message))" }
        out += matched.map { "        matched \"\(Plain.line($0.rule))\" at \($0.file):\($0.line)" + ($0.saw.isEmpty ? "" : ": " + Plain.line($0.saw.joined(separator: ", "))) }
        if matched.isEmpty { out.append("        no rule matched") }
        return out
    }
}

/// How many tests reached a rule.
public struct PolicyCoverageRow: Sendable, Encodable {
    public let rule: String
    public let file: String
    public let line: Int
    public let stage: String
    /// Tests that asked it.
    public let asked: Int
    /// Tests in which it matched.
    public let matched: Int

    init(_ one: RuleCoverage) {
        rule = one.rule.name
        file = one.rule.file
        line = one.rule.line
        stage = one.rule.stage.rawValue
        asked = one.asked
        matched = one.matched
    }

    static func table(_ rows: [PolicyCoverageRow]) -> [String] {
        let cells = rows.map { row in
            ["\(row.matched)", "\(row.asked)", row.stage, Plain.line(row.rule), "\(row.file):\(row.line)" + (row.matched == 0 ? "  <- no test makes it match" : "")]
        }
        return TextTable([["matched", "asked", "stage", "rule", "where"]] + cells).lines
    }
}
