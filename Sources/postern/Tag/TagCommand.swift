import ArgumentParser
import Diagnostics
import Foundation
import NetworkAddress
import Policy
import PosternDaemon
import Tags

struct TagCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tag",
        abstract: "Manage tagged addresses: to whom alice+shop@example.org was given, and who may use it.",
        discussion: """
            The ledger can be changed while the server runs: a change takes effect for the next message. Started as root, \
            a command becomes the user of the settings first.

            Exit status: 0 done, 1 could not be done, 64 for wrong arguments.
            """,
        subcommands: [List.self, Show.self, Mint.self, Allow.self, Disallow.self, Refuse.self, Confirm.self,
                      Block.self, Unblock.self, Revoke.self, Forget.self])
}

/// What every command on tags takes.
struct TagOptions: ParsableArguments {
    @OptionGroup var file: ConfigOption
    @Flag(help: "Print JSON.") var json = false

    /// Opens the ledger, and ends with a plain message when that or the work fails; an unknown tag with its neighbours.
    func work(_ body: @escaping (TagDesk) throws -> Void) async {
        await Exit.withMessage {
            let desk = try TagDesk(try SettingsFile.load(file.config))
            defer { desk.ledger.close() }
            do { try body(desk) } catch TagLedgerError.unknownTag(let tag) {
                throw CommandFailure(Self.unknown(tag, desk))
            }
        }
    }

    private static func unknown(_ tag: TagAddress, _ desk: TagDesk) -> String {
        let near = (try? desk.near(tag) { Spelling.nearest(to: $0, among: $1) }) ?? []
        let hint = near.isEmpty ? "postern tag list shows those there are" : "did you mean \(near.joined(separator: " or "))?"
        return "there is no tag \(desk.address(of: tag)) in the ledger; \(hint)"
    }

    /// Prints how a tag stands after a change.
    func show(_ tag: TagAddress, _ desk: TagDesk, done: String) throws {
        if let remark = desk.remark(on: tag) { FileHandle.standardError.write(Data((remark + "\n").utf8)) }
        guard json else { return print(done) }
        guard let record = try desk.ledger.show(tag) else { throw TagLedgerError.unknownTag(tag) }
        print(try ReportJSON.text(TagReport(record, address: desk.address(of: tag), seen: true)))
    }
}

/// Time spans such as `7d`, `12h`, or dates such as 2026-11-03, as a moment.
enum Since {
    static func parse(_ text: String) throws -> Date {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800]
        if let unit = text.last.flatMap({ units[$0] }), let count = Int(text.dropLast()), count > 0 { return Date() - Double(count) * unit }
        if let day = try? Date(text, strategy: .iso8601.year().month().day()) { return day }
        if let moment = try? Date(text, strategy: .iso8601) { return moment }
        throw ValidationError("'\(text)' is neither a span such as 7d or 12h nor a date such as 2026-11-03")
    }
}

enum DomainArgument {
    static func parse(_ text: String) throws -> DomainName {
        guard let domain = DomainName(text), domain.isHostName, !domain.isRoot else { throw ValidationError("'\(text)' is not a domain such as shop.example") }
        return domain
    }
}
