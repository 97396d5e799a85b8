import Diagnostics
import Policy
@testable import PolicyTesting
import Testing

@Suite struct CoverageTests {
    static let text = """
        stage rcpt
        rule "a" when recipient.detail == "a" then reject
        rule "b" when recipient.detail == "b" then reject
        stage message
        rule "c" when size > 3 then add keyword "C"
        rule "d" then add keyword "D"
        test "facts" { stage rcpt given recipient.detail = "a" expect reject expect rule "a" }
        test "message" { recipient "x+b@example.org", "y@example.org" expect rcpt reject expect keyword "D" }
        test "counterpart" { stage rcpt expect none }

        """

    @Test func bothKindsOfTestsCount() async throws {
        let report = try await run(Self.text)
        #expect(report.failed.isEmpty)
        #expect(report.coverage.map(\.rule.name) == ["a", "b", "c", "d"])
        #expect(report.coverage.map(\.asked) == [3, 2, 1, 1])
        #expect(report.coverage.map(\.matched) == [1, 1, 1, 1])
        #expect(report.uncovered.isEmpty)
    }

    @Test func aFilterRunsSomeAndCoversLess() async throws {
        let report = try await RuleTestRunner().run(try load(Self.text), filter: "FACT")
        #expect(report.results.map(\.test.name) == ["facts"])
        #expect(report.uncovered.map(\.rule.name) == ["b", "c", "d"])
    }

    /// Rule c may go, or match always: no test looks at its keyword.
    @Test func whatNoTestNoticesIsTold() async throws {
        let rules = try load(Self.text)
        let runner = RuleTestRunner()
        let unnoticed = try await runner.unnoticed(rules, after: try await runner.run(rules))
        #expect(unnoticed.map { "\($0.rule.name) \($0.mutation)" } == ["c removed", "c unconditional"])
    }

    @Test func theReportIsAlignedAndTellsWhatIsNotCovered() async throws {
        let report = try await run(Self.text.replacing("size > 3", with: "size > 3G"))
        let text = PolicyTestReport([PolicyTestSetReport(path: "t.policy", report, unnoticed: nil)]).text
        #expect(text == """
            ok      facts
            ok      message
            ok      counterpart

            matched asked stage   rule where
            1       3     rcpt    a    t.policy:2
            1       2     rcpt    b    t.policy:3
            0       1     message c    t.policy:5  <- no test makes it match
            1       1     message d    t.policy:6

            3 passed, 0 failed; 3 of 4 rules matched in a test
            """)
    }
}
