import ArgumentParser
import Diagnostics
import Foundation
import NetworkAddress
import PosternDaemon
import TLSReports

struct TLSReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tlsrpt",
        abstract: "Show how TLS towards other domains went, by day and domain (RFC 8460).",
        discussion: """
            Prints, for each day and domain, under which policy sessions went (tlsa, sts, or no-policy-found), how many went \
            well, and what failed how often. With --report DAY and --domain, prints the JSON report of that day that the \
            domain may ask for in its _smtp._tls record; nothing is sent.

            Exit status: 0 whatever is found, 1 when it could not be looked for, 64 for wrong arguments.
            """)

    @OptionGroup var file: ConfigOption
    @Option(help: "Days to look back.") var days = 7
    @Option(help: "This domain alone.", transform: {
        guard let name = DomainName($0), !name.isRoot else { throw ValidationError("'\($0)' is not a domain name") }
        return name
    })
    var domain: DomainName?
    @Option(help: ArgumentHelp("The report on a day, as 2026-11-24, in UTC.", valueName: "day")) var report: String?
    @Flag(help: "Print the rows as JSON.") var json = false

    func validate() throws {
        guard (1...3650).contains(days) else { throw ValidationError("--days must be from 1 to 3650") }
        guard let report else { return }
        guard report.wholeMatch(of: /\d{4}-\d{2}-\d{2}/) != nil else { throw ValidationError("--report wants a day as 2026-11-24") }
        guard domain != nil else { throw ValidationError("--report wants --domain") }
    }

    func run() async throws {
        await Exit.withMessage {
            let settings = try SettingsFile.load(file.config)
            if let report, let domain {
                let rows = try TLSReportStore.rows(path: settings.tlsReportFile, from: report, until: report, domain: domain.text)
                let host = settings[Known.myhostname].text
                return print(TLSReport(rows, day: report, domain: domain.text, organization: host, contact: "postmaster@\(host)").json)
            }
            let from = TLSReportStore.day(Date().addingTimeInterval(-Double(days - 1) * 86_400))
            let rows = try TLSReportStore.rows(path: settings.tlsReportFile, from: from, domain: domain?.text)
            print(json ? try ReportJSON.text(rows) : Self.text(rows, days: days))
        }
    }

    private static func text(_ rows: [TLSReportRow], days: Int) -> String {
        guard !rows.isEmpty else { return "no TLS sessions with other domains in \(days == 1 ? "the last day" : "the last \(days) days")" }
        return rows.map { row in
            let what = row.result.isEmpty ? "ok" : row.result
            let where_ = row.mxHost.isEmpty ? "" : " " + row.mxHost + (row.address.isEmpty ? "" : "[\(row.address)]")
            return "\(row.day) \(row.domain) \(row.policyType) \(what) \(row.sessions)\(where_)" + (row.reason.isEmpty ? "" : ": \(row.reason)")
        }.joined(separator: "\n")
    }
}
