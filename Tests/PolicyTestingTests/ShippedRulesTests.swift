import Foundation
import Policy
@testable import PolicyTesting
import Testing

/// The rules in `policies/` and the cookbook: every test passes, every rule is made to match by one, and breaking a rule,
/// by taking it away or by letting it always match, makes one fail.
@Suite struct ShippedRulesTests {
    static let files = ((try? DiskPolicyFileReader().policyFiles(in: policiesFolder + "/cookbook")) ?? []) + [policiesFolder + "/default.policy"]

    @Test(arguments: files)
    func testsPassAndNoticeEveryChange(file: String) async throws {
        let rules = try RuleSet.load(files: [file]), runner = RuleTestRunner()
        let report = try await runner.run(rules)
        for result in report.failed { Issue.record("\(result.test.file):\(result.test.line) \(result.test.name): \(result.failures)") }
        #expect(report.uncovered.isEmpty, "\(report.uncovered.map(\.rule.name))")
        #expect(rules.warnings.isEmpty, "\(rules.warnings)")
        let unnoticed = try await runner.unnoticed(rules, after: report)
        #expect(unnoticed.isEmpty, "\(unnoticed.map { "\($0.rule.name): \($0.mutation)" })")
    }

    /// Recipes are for copying: the server reads the folder's own files and nothing below it.
    @Test func theCookbookIsNotLoaded() throws {
        #expect(Self.files.count >= 6)
        #expect(try DiskPolicyFileReader().policyFiles(in: policiesFolder) == [policiesFolder + "/default.policy"])
    }

    @Test func theExamplesOfTheDescriptionPass() async throws {
        let text = String(decoding: try DiskPolicyFileReader().read(policiesFolder + "/README.md", limit: 1 << 20), as: UTF8.self)
        let examples = text.components(separatedBy: "```policy\n").dropFirst().compactMap { $0.components(separatedBy: "\n```").first }
        var ran = 0
        for example in examples where example.contains("test \"") {
            let report = try await run(example)
            ran += report.results.count
            for result in report.failed { Issue.record("\(result.test.name): \(result.failures)") }
        }
        #expect(ran >= 3)
    }
}
