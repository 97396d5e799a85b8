import ArgumentParser
import Diagnostics
import Policy
import PosternDaemon

struct PolicyCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check rule files without running anything.",
        discussion: """
            Each mistake is shown with file, line, column and what to write instead; --json gives the same to editors: file, \
            line and column (from 1, in characters), length, severity (error or warning), message, fix. Warnings are about \
            rules that are taken and probably not meant so: never asked, never matching, two tests of one name.

            Exit status: 0 no errors, 1 warnings under --strict, 2 errors, 64 wrong arguments.
            """)

    @OptionGroup var files: PolicyFiles
    @Flag(help: "Warnings count too.") var strict = false
    @Flag(help: "Print everything as JSON.") var json = false

    func run() async throws {
        try await PolicyFiles.run {
            var diagnostics: [PolicyDiagnostic] = [], rules = 0, tests = 0
            for path in try files.targets(try files.settings()) {
                do {
                    let set = try PolicyFiles.load(path)
                    rules += set.count
                    tests += set.tests.count
                    diagnostics += set.warnings
                } catch let errors as PolicyErrors { diagnostics += errors.diagnostics }
            }
            let report = PolicyCheckReport(rules: rules, tests: tests, diagnostics: diagnostics)
            print(json ? try ReportJSON.text(report) : report.text)
            if report.errors > 0 { throw ExitCode(2) }
            if strict, report.warnings > 0 { throw ExitCode(1) }
        }
    }
}
