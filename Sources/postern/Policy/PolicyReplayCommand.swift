import ArgumentParser
import Diagnostics
import Foundation
import PosternDaemon

struct PolicyReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Judge recorded mail again, by the present rules or others, and show what would change.",
        discussion: """
            Every message is judged by what its record holds: client, envelope, header, authentication results, tag verdicts \
            and what rules had looked up. The DNS is not asked and nothing is changed. Where rules ask what was never \
            recorded - another DNS list, the attachments of a message that was refused - the message counts as \
            "cannot tell". Attachments are read from the stored copy where there is one.

            Mail that the rules did not decide about (unknown recipients, our own bounces, other filters' refusals) is counted and left alone.

            Exit status: 0 when all would fare as before, 1 when something would change or cannot be told, 2 when it could not \
            be done, 64 for wrong arguments.
            """)

    @Option(help: "How far back: 90m, 12h, 7d.", transform: {
        guard let seconds = ReplaySpan.seconds($0) else { throw ValidationError("'\($0)' is not a time such as 12h or 7d") }
        return seconds
    })
    var since: Int = 7 * 86_400
    @Option(help: ArgumentHelp("Only messages with a copy in this account's mail, or in one folder of it.", valueName: "account[/folder]"))
    var mailbox: String?
    @Option(help: "A folder of *.policy files to try. Default: policy_directory.") var rules: String?
    @OptionGroup var file: ConfigOption
    @Flag(help: "Print everything as JSON.") var json = false

    func run() async throws {
        do {
            var run = try ReplayCommandRun(settings: try SettingsFile.load(file.config), rules: rules, mailbox: mailbox)
            let report = try await run.run(since: since) { FileHandle.standardError.write(Data($0.utf8)) }
            print(json ? try ReportJSON.text(report) : report.text)
            guard report.isAsBefore else { throw ExitCode(1) }
        } catch let code as ExitCode { throw code } catch {
            FileHandle.standardError.write(Data("postern: \(error)\n".utf8))
            throw ExitCode(2)
        }
    }
}

/// `90m`, `12h`, `7d`, `2w`.
enum ReplaySpan {
    static func seconds(_ text: String) -> Int? {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]
        guard let unit = text.last.flatMap({ units[$0] }), let number = Int(text.dropLast()), number > 0, number < 100_000 else { return nil }
        return number * unit
    }
}
