import ArgumentParser
import Diagnostics
import Foundation
import PosternDaemon
import Tags

extension TagCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the tags and their owners.")
        @OptionGroup var options: TagOptions
        @Option(name: .customLong("for"), help: "Only those of this address.") var base: String?
        @Option(help: "At the most so many.") var limit = 1_000
        @Option(help: "Leave out so many at the beginning.") var offset = 0

        func run() async throws {
            await options.work { desk in
                let base = try base.map { try desk.address($0) }
                let reports = try desk.ledger.list(base: base, limit: limit, offset: offset).map { TagReport($0, address: desk.address(of: $0.tag), seen: false) }
                print(options.json ? try ReportJSON.text(reports) : TagReport.table(reports))
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show all about a tag: its owners, and who wrote to it.",
            discussion: "A running server writes its counters within a second of the message.")
        @OptionGroup var options: TagOptions
        @Argument(help: "alice+shop@example.org") var tag: String

        func run() async throws {
            await options.work { desk in
                let tag = try desk.tag(tag)
                guard let record = try desk.ledger.show(tag) else { throw TagLedgerError.unknownTag(tag) }
                let report = TagReport(record, address: desk.address(of: tag), seen: true)
                print(options.json ? try ReportJSON.text(report) : report.text)
            }
        }
    }
}

struct LeaksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leaks",
        abstract: "Show who used tagged addresses that were given to others: who had them, who used them, when, in which messages.",
        discussion: """
            Only domains that were authenticated and wrote to the tag themselves are shown; contrib/docs/tags.md says what \
            proves what. A domain that rightly writes is allowed with: postern tag allow TAG DOMAIN

            Exit status: 0 whatever is found, 1 when the ledger cannot be read, 64 for wrong arguments.
            """)
    @OptionGroup var options: TagOptions
    @Option(help: "Used since then: 7d, 12h, or a date such as 2026-11-03.", transform: Since.parse) var since: Date?
    @Option(name: .customLong("for"), help: "Only tags of this address.") var base: String?
    @Option(help: "At the most so many, the latest first.") var limit = 1_000

    func run() async throws {
        await options.work { desk in
            let base = try base.map { try desk.address($0) }
            let leaks = try desk.ledger.leaks(since: since, base: base, limit: limit).map { LeakReport($0, address: desk.address(of: $0.tag)) }
            print(options.json ? try ReportJSON.text(leaks) : LeakReport.table(leaks))
        }
    }
}
