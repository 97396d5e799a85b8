import ArgumentParser
import DMARC
import Diagnostics
import Foundation
import NetworkAddress
import PosternDaemon

struct DMARCCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dmarc",
        abstract: "Show the DMARC policy that applies to a domain (RFC 9989), or what mail this gateway has evaluated.",
        discussion: """
            With --from, prints the policy that applies to mail from the domain as the first word - reject, quarantine, \
            none, no-record, or temperror when the DNS did not answer - then the record, and the DNS tree walk that found it.

            Without --from, prints the messages that this gateway has evaluated, by the domain in From: and by source: how \
            many, how many passed, and whether by DKIM, SPF or both. A row is written within a second of its message; a \
            crash may lose the last second's.

            Exit status: 0 whatever is found, 1 when it could not be looked for, 64 for wrong arguments.
            """)

    @Option(name: .customLong("from"), help: ArgumentHelp("The domain in From:.", valueName: "domain"), transform: {
        guard let name = DomainName($0), !name.isRoot else { throw ValidationError("'\($0)' is not a domain name") }
        return name
    })
    var from: DomainName?
    @OptionGroup var dns: ResolverOptions
    @OptionGroup var time: TimeoutOption
    @OptionGroup var file: ConfigOption
    @Option(help: "Without --from: days to look back.") var days = 7
    @Flag(help: "Print everything as JSON.") var json = false

    func validate() throws {
        guard (1...3650).contains(days) else { throw ValidationError("--days must be from 1 to 3650") }
    }

    func run() async throws {
        await Exit.withMessage {
            if let from { try await discover(from) } else { try summarise() }
        }
    }

    private func discover(_ domain: DomainName) async throws {
        let resolver = try dns.makeResolver(timeout: time.question)
        let report = DMARCDiscoveryReport(await DMARCEvaluator(resolver: resolver).discover(domain))
        print(json ? try ReportJSON.text(report) : report.text)
        resolver.close()
    }

    private func summarise() throws {
        let since = Int(Date().timeIntervalSince1970) - days * 86_400
        let report = DMARCSummaryReport(try LiveParts.evaluations(try SettingsFile.load(file.config), since: since), days: days)
        print(json ? try ReportJSON.text(report) : report.text)
    }
}
