import ArgumentParser
import Diagnostics
import Policy
import PolicyTesting
import PosternDaemon

struct PolicyTestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Run the test blocks of rule files and show which rules they cover.",
        discussion: """
            A line for each test: ok, or FAILED with what was expected, what came, and the rules that matched with the values \
            they saw. Then each rule with the number of tests that asked it and in which it matched. Tests ask no network \
            and no clock, and leave nothing behind.

            Exit status: 0 all tests passed, 1 a test failed (or --require-coverage or --mutate found something), 2 the \
            files cannot be read or are wrong, 64 wrong arguments.
            """)

    @OptionGroup var files: PolicyFiles
    @Option(help: "Run only the tests whose name contains this, in any case.") var filter: String?
    @Flag(help: "A rule that no test makes match is an error.") var requireCoverage = false
    @Flag(help: "Break each rule in turn, by taking it away and by letting it always match: that no test fails is an error.") var mutate = false
    @Flag(help: "Print everything as JSON.") var json = false

    func run() async throws {
        try await PolicyFiles.run {
            let settings = try files.settings()
            let runner = RuleTestRunner(delimiters: settings[Known.recipientDelimiter])
            var sets: [PolicyTestSetReport] = []
            for path in try files.targets(settings) { sets.append(try await test(path, runner)) }
            let report = PolicyTestReport(sets)
            print(json ? try ReportJSON.text(report) : report.text)
            if report.isUnreadable { throw ExitCode(2) }
            if report.failed > 0 || report.hasUnnoticed || (requireCoverage && report.uncovered > 0) { throw ExitCode(1) }
        }
    }

    private func test(_ path: String, _ runner: RuleTestRunner) async throws -> PolicyTestSetReport {
        do {
            let rules = try PolicyFiles.load(path)
            let report = try await runner.run(rules, filter: filter)
            return PolicyTestSetReport(path: path, report, unnoticed: mutate ? try await runner.unnoticed(rules, after: report) : nil)
        } catch let errors as PolicyErrors { return PolicyTestSetReport(path: path, errors: errors) }
    }
}
