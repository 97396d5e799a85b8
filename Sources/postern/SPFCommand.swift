import ArgumentParser
import Diagnostics
import NetworkAddress
import SPF

struct SPFCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spf",
        abstract: "Check whether an address may send mail for a domain (RFC 7208).",
        discussion: """
            Prints the result as the first word - none, neutral, pass, fail, softfail, temperror or permerror - then the \
            mechanism that matched, if one did; the reason and the record follow.

            Exit status: 0 whatever the result is, 1 when the check could not be made, 64 for wrong arguments.
            """)

    @Option(help: "The client's address, IPv4 or IPv6.", transform: {
        guard let address = IPAddress($0) else { throw ValidationError("'\($0)' is not an IP address") }
        return address
    })
    var ip: IPAddress
    @Option(help: "The name the client gave at HELO or EHLO.") var helo = ""
    @Option(help: "The MAIL FROM address; '' is the null sender, for which the HELO name is checked (RFC 7208 section 2.4).")
    var sender: String
    @Option(help: "This host's name, for the macro %{r} of explanations.") var receiver = "unknown"
    @OptionGroup var dns: ResolverOptions
    @OptionGroup var time: TimeoutOption
    @Flag(help: "Also print each look-up and the domain owner's explanation (exp=).") var explain = false
    @Flag(help: "Print everything as JSON.") var json = false

    func run() async throws {
        await Exit.withMessage {
            let resolver = try dns.makeResolver(timeout: time.question)
            let evaluator = SPFEvaluator(resolver: resolver, limits: SPFLimits(deadline: time.whole), receiverName: receiver)
            let report = SPFReport(await check(with: evaluator))
            print(json ? try ReportJSON.text(report) : report.text(explains: explain))
            resolver.close()
        }
    }

    private func check(with evaluator: SPFEvaluator) async -> SPFResult {
        guard let path = SenderArgument(sender).path else { return await evaluator.checkHelo(client: ip, helo: helo) }
        return await evaluator.checkHost(client: ip, domain: path.domain, localPart: path.localPart, helo: helo, identity: .mailfrom)
    }
}
