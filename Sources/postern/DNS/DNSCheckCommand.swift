import ArgumentParser
import Checkup
import Diagnostics
import Foundation
import PublishedRecords

struct DNSCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Look the published records up, and say what is missing or wrong and why it matters.",
        discussion: """
            Asks every authoritative name server of each zone; with --resolver only that server. SPF is evaluated for our \
            addresses, a test signature is verified with the published keys, the reverse name must lead back, block lists \
            are asked, port 25 outward is tried, and the certificates that our ports show are looked at.

            Exit status: 0 all is right (notes may be told), 1 something is wrong, 2 something could not be asked and \
            nothing is known to be wrong, 64 wrong arguments.
            """)

    @OptionGroup var options: MailSetupOptions
    @OptionGroup var way: CheckupOptions
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let report: CheckReport
        do {
            let (settings, setup, only, problems) = try options.read()
            report = try await way.run(settings, setup, problems: problems) { checkup, ports in
                checkup.checks(only: only) + checkup.certificateChecks(ports)
            }
            print(json ? try ReportJSON.text(report) : CheckOutput.text(report, closing: "All is right."))
        } catch {
            FileHandle.standardError.write(Data("postern: \(error)\n".utf8))
            throw ExitCode(2)
        }
        if report.status != 0 { throw ExitCode(report.status) }
    }
}
