import ArgumentParser
import DecisionRecords
import Diagnostics
import Foundation
import PosternDaemon

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Tell what became of a message and why, in plain sentences.",
        discussion: """
            The id may be the one in the SMTP reply ("queued as …", "(id …)"), in Received or in the log; the queue id of the \
            Postfix whose milter or LMTP server this is; or a Message-ID with or without its angle brackets (quote them from \
            the shell). Where several messages bear it each is told of, the latest first.

            A record is written within a second of its message and kept for decision_record_lifetime. It is private: it \
            names tags and whom they were given to.

            Exit status: 0 when something was found, 1 when nothing was or it could not be read, 64 for wrong arguments.
            """)

    @Argument(help: "A message's id.") var id: String
    @OptionGroup var file: ConfigOption
    @Flag(help: "Print everything as JSON.") var json = false

    func run() async throws {
        await Exit.withMessage {
            let settings = try SettingsFile.load(file.config)
            let archive = try InstalledRecords.archive(settings)
            defer { archive.close() }
            let found = try archive.find(id)
            guard !found.isEmpty else { throw NoRecord(id: id, lifetime: settings.text(of: Known.decisionRecordLifetime)) }
            let source = RuleSource { try? String(contentsOfFile: $0, encoding: .utf8) }
            let reports = try found.map { ExplainReport($0.record, deliveries: try archive.deliveries(of: $0.record.id), source: source) }
            print(json ? try ReportJSON.text(reports) : reports.map(\.text).joined(separator: "\n\n"))
        }
    }
}

struct NoRecord: Error, CustomStringConvertible {
    let id: String
    let lifetime: String
    var description: String {
        "no record bears the id \(Plain.line(id)): it may be older than decision_record_lifetime (\(lifetime)), or of another server"
    }
}
