import ArgumentParser
import Delivery
import Diagnostics
import Foundation
import MailQueue
import PosternDaemon

struct QueueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue",
        abstract: "Look at mail that waits to be sent, and change what becomes of it.",
        discussion: """
            Works while the server runs, through its control socket, and while it does not, on the files themselves. Started \
            as root, a command becomes the user of the settings before it touches a file.

            Exit status: 0 done; 1 the queue cannot be reached, or something could not be done (it says what); 2 no message \
            in the queue is meant; 3 not confirmed; 64 wrong arguments.
            """,
        subcommands: [List.self, Show.self, Retry.self, Flush.self, Hold.self, Release.self, Remove.self, Stats.self],
        defaultSubcommand: List.self)

    /// No message is meant.
    static let nothing = ExitCode(2)
    static let notConfirmed = ExitCode(3)
}

/// What every command on the queue takes.
struct QueueOptions: ParsableArguments {
    @OptionGroup var file: ConfigOption
    @Flag(help: "Print JSON.") var json = false

    /// Asks the queue and hands over the answer's pieces; progress goes to a terminal's standard error.
    @discardableResult
    func ask(_ request: QueueRequest, each: @escaping @Sendable (QueueAnswer) throws -> Void = { _ in }) async throws -> QueueAnswer.Totals {
        let totals = TotalsBox()
        let progress = ProgressLine()
        let path = file.config
        try await Self.withMessage {
            try await QueueAccess(try SettingsFile.load(path)).run(request) { answer in
                if let step = answer.progress { progress.show(step) } else { progress.clear() }
                if let last = answer.totals { totals.set(last) }
                try each(answer)
            }
        }
        progress.clear()
        return totals.value
    }

    /// As ``Exit/withMessage(_:)``, but lets an exit status of our own pass.
    static func withMessage(_ body: () async throws -> Void) async throws {
        do { try await body() } catch {
            complain("\(error)")
            throw ExitCode(1)
        }
    }

    static func complain(_ text: String) { FileHandle.standardError.write(Data("postern: \(text)\n".utf8)) }

    /// Prints what could not be done.
    /// - Throws: the exit status that is due.
    func close(_ totals: QueueAnswer.Totals) throws {
        for line in totals.failures + totals.passedOver { Self.complain(line) }
        if !totals.failures.isEmpty { throw ExitCode(1) }
        if totals.matched == 0 { throw QueueCommand.nothing }
        if !totals.passedOver.isEmpty { throw ExitCode(1) }
    }
}

/// Which messages.
struct SelectionOptions: ParsableArguments {
    @Argument(help: "Ids, as list shows them; - reads them from standard input.") var ids: [String] = []
    @Option(help: "From this address, @example.org for a domain's, <> for the null sender.") var sender: String?
    @Option(help: "That wait for this recipient, or for any @example.org.") var recipient: String?
    @Option(help: "That wait for recipients in this domain; (local) for copies that stay here.") var domain: String?
    @Option(name: [.customLong("older-than"), .customLong("older")], help: "That came before: 2h (ago), 7d, or a date such as 2026-11-03.", transform: Since.parse) var olderThan: Date?
    @Option(name: [.customLong("newer-than"), .customLong("newer")], help: "That came since: 2h (ago), 7d, or a date.", transform: Since.parse) var newerThan: Date?
    @Option(help: "Whose reason to wait has this text in it.") var reason: String?
    @Flag(help: "Only held ones.") var held = false

    /// With the ids on standard input, a line each, where one is `-`: read once, so ask once.
    var chosen: QueueSelection {
        var out = selection
        guard out.ids?.remove("-") != nil else { return out }
        while let line = readLine() {
            if let id = line.split(whereSeparator: \.isWhitespace).first { out.ids?.insert(String(id)) }
        }
        return out
    }

    var selection: QueueSelection {
        var out = QueueSelection()
        out.ids = ids.isEmpty ? nil : Set(ids)
        out.sender = sender
        out.recipient = recipient
        out.domain = domain
        out.arrivedBefore = olderThan
        out.arrivedSince = newerThan
        out.reason = reason
        out.held = held ? true : nil
        return out
    }
}

/// The same for a command that changes them: all must be said.
struct ChangeOptions: ParsableArguments {
    @OptionGroup var which: SelectionOptions
    @Flag(help: "Every message.") var all = false

    func validate() throws {
        guard all != !which.selection.isEverything else {
            throw ValidationError(all ? "--all and a selection exclude each other" : "say which messages: ids, --sender, --recipient, --domain, --older-than, --newer-than, --reason, --held, or --all")
        }
    }
}
