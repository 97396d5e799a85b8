import Policy

/// What `postern policy check` found.
public struct PolicyCheckReport: Sendable, Encodable {
    public let rules: Int
    public let tests: Int
    public let errors: Int
    public let warnings: Int
    public let diagnostics: [PolicyDiagnosticRow]
    private let excerpts: [String]

    private enum CodingKeys: CodingKey { case rules, tests, errors, warnings, diagnostics }

    public init(rules: Int, tests: Int, diagnostics: [PolicyDiagnostic]) {
        self.rules = rules
        self.tests = tests
        self.diagnostics = diagnostics.map(PolicyDiagnosticRow.init)
        errors = diagnostics.count { $0.severity == .error }
        warnings = diagnostics.count - errors
        excerpts = diagnostics.map(\.description)
    }

    /// The diagnostics as compilers show them, and a closing line.
    public var text: String {
        (excerpts + [Counted.text(rules, "rule") + ", " + Counted.text(tests, "test") + ": " + Counted.text(errors, "error") + ", " + Counted.text(warnings, "warning")]).joined(separator: "\n")
    }
}

enum Counted {
    static func text(_ count: Int, _ noun: String) -> String { "\(count == 0 ? "no" : "\(count)") \(noun)\(count == 1 ? "" : "s")" }
}
