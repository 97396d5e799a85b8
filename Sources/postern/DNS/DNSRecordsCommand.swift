import ArgumentParser
import Diagnostics
import Foundation
import NetworkAddress
import PublishedRecords

struct DNSRecordsCommand: AsyncParsableCommand {
    enum Format: String, CaseIterable, ExpressibleByArgument { case table, zone, json }

    static let configuration = CommandConfiguration(
        commandName: "records",
        abstract: "Print every record to publish for the domains of mydestination.",
        discussion: """
            From the settings, the keys and the certificate; asks no DNS. `zone` is a fragment for a zone file, to be \
            included or pasted; what must wait, and what only your provider can publish, stands in it as a comment.

            Exit status: 0 printed, 1 could not, 64 for wrong arguments.
            """)

    @OptionGroup var options: MailSetupOptions
    @Option(help: "table, zone (for a zone file) or json.") var format = Format.table
    @Flag(help: "The zone is signed with DNSSEC: TLSA records stand uncommented in the zone format.") var signed = false

    func run() async throws {
        await Exit.withMessage {
            let (_, setup, only, problems) = try options.read()
            for problem in problems { FileHandle.standardError.write(Data("postern: \(problem)\n".utf8)) }
            let plan = RecordPlan(setup)
            switch format {
            case .table: print(Self.table(plan, only))
            case .zone: print(ZoneFragment(plan, isSigned: signed, only: only).text, terminator: "")
            case .json: print(try ReportJSON.text(RecordReport(plan, only: only)))
            }
            if !problems.isEmpty { throw CommandFailure("not everything could be read: the records above are not complete") }
        }
    }

    private static func table(_ plan: RecordPlan, _ only: DomainName?) -> String {
        let groups = RecordRows.groups(plan, only: only)
        // One width for all groups, so that the eye can run down.
        var rows = Diagnostics.TextTable(groups.flatMap(\.rows)).lines[...]
        let lines: [String] = groups.flatMap { group -> [String] in
            defer { rows = rows.dropFirst(group.rows.count) }
            return ["", "== " + group.heading] + rows.prefix(group.rows.count)
        }
        let policies = plan.policies.filter { only == nil || $0.domain == only }.map { file in
            "\(file.address) must say:\n" + file.text.split(whereSeparator: \.isNewline).map { "    \($0)\n" }.joined()
        }
        let remarks = plan.remarks.map { "note: \($0)" }
        var out = Array(lines.dropFirst()) + [""] + policies
        out += remarks
        out.append("Whole texts, for a zone file: postern dns records --format zone. Once published: postern dns check.")
        return out.joined(separator: "\n")
    }
}
