import Foundation
import InternetMessage
import NetworkAddress
import Policy

/// Runs the `test` blocks of a rule set: those about facts on the rules alone, those about messages through the chain of
/// filters. No network, no clock, nothing left behind.
public struct RuleTestRunner: Sendable {
    private let delimiters: String

    /// - Parameter delimiters: the characters between a mailbox and its tag.
    public init(delimiters: String = "+") { self.delimiters = delimiters }

    /// Runs the tests whose name contains a text, in the order in which they stand. Blocks for the time of making and
    /// removing a temporary folder.
    /// - Parameter filter: without regard to case; nil runs all.
    /// - Throws: when there is no temporary folder, or the DKIM library is not to be had.
    public func run(_ rules: RuleSet, filter: String? = nil) async throws -> RuleTestReport {
        let tests = rules.tests.filter { test in filter.map { test.name.localizedCaseInsensitiveContains($0) } ?? true }
        let folder = try TestFolder()
        defer { folder.close() }
        var results: [RuleTestResult] = []
        for test in tests { results.append(try await run(test, rules, folder)) }
        return RuleTestReport(rules: rules.summaries, results: results)
    }

    /// Breaks each rule in turn - takes it away, lets it always match - and runs the tests that asked it.
    /// - Returns: what no test noticed.
    /// - Throws: as ``run(_:filter:)``.
    public func unnoticed(_ rules: RuleSet, after report: RuleTestReport) async throws -> [UnnoticedMutation] {
        let folder = try TestFolder()
        defer { folder.close() }
        var out: [UnnoticedMutation] = []
        for rule in rules.summaries {
            let tests = report.results.filter { $0.passed && $0.trace.contains { $0.rule == rule.name } }.map(\.test)
            for mutation in RuleMutation.allCases where !(mutation == .unconditional && rule.isUnconditional) {
                let broken = rules.mutated(rule.name, mutation)
                if try await !isNoticed(by: tests, broken, folder) { out.append(UnnoticedMutation(rule: rule, mutation: mutation)) }
            }
        }
        return out
    }

    private func isNoticed(by tests: [RuleTest], _ broken: RuleSet, _ folder: TestFolder) async throws -> Bool {
        for test in tests where try await !run(test, broken, folder).passed { return true }
        return false
    }

    private func run(_ test: RuleTest, _ rules: RuleSet, _ folder: TestFolder) async throws -> RuleTestResult {
        guard let message = test.message else { return rules.runFactTest(test) ?? RuleTestResult(test: test, failures: [], trace: []) }
        let content = try TestMessage(message), delimiters = delimiters
        return try await folder.withGround(message, delimiters: delimiters) { ground in
            @Sendable func chain(_ before: Int) throws -> TestChain {
                try TestChain(message, rules: rules, resolver: content.resolver, ground: ground, delimiters: delimiters,
                              time: Int(message.time.timeIntervalSince1970) - before)
            }
            for earlier in message.earlier.sorted(by: { $0.before > $1.before }) {
                let chain = try chain(earlier.before)
                for _ in 0..<earlier.times { _ = await MessageTestRun.run(message, content.message, in: chain) }
            }
            let last = try chain(0)
            let outcome = await MessageTestRun.run(message, content.message, in: last)
            return await test.result(outcome, from: last.source, about: content.message)
        }
    }
}
