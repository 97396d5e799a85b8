import Foundation
@testable import Policy
import Testing

let policiesFolder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path + "/policies"
let defaultPolicyPath = policiesFolder + "/default.policy"

@Suite struct DefaultPolicyTests {
    /// Those about facts; PolicyTestingTests run them all.
    @Test func theShippedRulesPassTheirOwnTests() throws {
        let rules = try RuleSet.load(folder: policiesFolder), results = rules.runTests()
        #expect(rules.tests.count >= 9 && !results.isEmpty)
        for result in results { #expect(result.passed, "\(result.test.name): \(result.failures)") }
    }

    @Test func aTestThatIsNotMetSaysWhy() throws {
        let rules = try load("""
            stage message rule "r" when size > 3 then reject 554 "x"
            test "t" { stage message given size = 4 expect accept expect not rule "r" expect reject 550 expect action add keyword "$X" }
            test "u" { stage message given size = 3 given header["Subject"] = "s" given dkim.domains = ["a.example"] expect none }
            """)
        let results = rules.runTests()
        #expect(results.map(\.passed) == [false, true])
        #expect(results[0].failures.prefix(3).map(\.description) == [
            "expected accept, got reject 554 5.7.1 x", "rule \"r\" matched, and must not", "expected reject 550, got reject 554 5.7.1 x",
        ])
        #expect(results[0].failures.allSatisfy { $0.line == 2 })
        #expect(results[0].failures.count == 4)
    }

    @Test func aMissingFolderIsAnError() {
        #expect(throws: PolicyErrors.self) { try RuleSet.load(folder: policiesFolder + "/nope") }
    }
}
