import ArgumentParser
import DMARC
import Diagnostics
import NetworkAddress

struct DMARCCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dmarc",
        abstract: "Show the DMARC policy that applies to a domain (RFC 9989).",
        discussion: """
            Prints the policy that applies to mail from the domain as the first word - reject, quarantine, none, \
            no-record, or temperror when the DNS did not answer - then the record, and the DNS tree walk that found it.

            Exit status: 0 whatever is found, 1 when it could not be looked for, 64 for wrong arguments.
            """)

    @Option(name: .customLong("from"), help: ArgumentHelp("The domain in From:.", valueName: "domain"), transform: {
        guard let name = DomainName($0), !name.isRoot else { throw ValidationError("'\($0)' is not a domain name") }
        return name
    })
    var from: DomainName
    @OptionGroup var dns: ResolverOptions
    @OptionGroup var time: TimeoutOption
    @Flag(help: "Print everything as JSON.") var json = false

    func run() async throws {
        await Exit.withMessage {
            let resolver = try dns.makeResolver(timeout: time.question)
            let report = DMARCDiscoveryReport(await DMARCEvaluator(resolver: resolver).discover(from))
            print(json ? try ReportJSON.text(report) : report.text)
            resolver.close()
        }
    }
}
