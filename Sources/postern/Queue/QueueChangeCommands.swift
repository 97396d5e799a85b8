import ArgumentParser
import Delivery
import Foundation
import MailQueue
import PosternDaemon

extension QueueCommand {
    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Try messages now, whatever their time. Held ones stay held.",
            discussion: "While the server is stopped they become due, and its start tries them.")
        @OptionGroup var options: QueueOptions
        @OptionGroup var which: ChangeOptions

        func run() async throws { try await QueueCommand.change(.init(.retry, which.which.chosen), options, done: "tried now") }
    }

    struct Flush: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Try every message now that is not held (postqueue -f).")
        @OptionGroup var options: QueueOptions

        func run() async throws { try await QueueCommand.change(.init(.flush), options, done: "tried now") }

        /// `sendmail -q`, which cron calls: nothing to say, and an empty queue is no failure.
        static func silently(settingsFile: String) async throws {
            let options = try parse(["--config", settingsFile]).options
            let totals = try await options.ask(QueueRequest(.flush))
            if totals.matched > 0 { try options.close(totals) }
        }
    }

    struct Hold: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Hold messages: they are neither tried nor do they expire until released.",
            discussion: "A message that is being delivered at the moment may still arrive.")
        @OptionGroup var options: QueueOptions
        @OptionGroup var which: ChangeOptions
        @Option(help: "Why, for who looks at it later.") var because = ""

        func run() async throws {
            var request = QueueRequest(.hold, which.which.chosen)
            request.reason = because
            try await QueueCommand.change(request, options, done: "held")
        }
    }

    struct Release: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let held messages go: they are tried now, and no rule is asked again.")
        @OptionGroup var options: QueueOptions
        @OptionGroup var which: ChangeOptions

        func run() async throws { try await QueueCommand.change(.init(.release, which.which.chosen), options, done: "released") }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove messages for good; nobody is told. Asks first.",
            discussion: "A message that is being delivered at the moment may still arrive. What comes in after the question stays.")
        @OptionGroup var options: QueueOptions
        @OptionGroup var which: ChangeOptions
        @Flag(help: "Do not ask.") var yes = false

        func run() async throws {
            var request = QueueRequest(.remove, which.which.chosen)
            if !yes {
                // What the question counted is what the answer is for.
                request.selection.arrivedBefore = min(request.selection.arrivedBefore ?? .distantFuture, Date())
                guard try await confirmed(request.selection) else { throw QueueCommand.notConfirmed }
            }
            try await QueueCommand.change(request, options, done: "removed")
        }

        private func confirmed(_ selection: QueueSelection) async throws -> Bool {
            let totals = try await options.ask(QueueRequest(.count, selection))
            guard totals.matched > 0 else { try options.close(totals); return false }
            let text = "\(QueueWords.count(totals.matched, "message")) of \(totals.queued), \(QueueWords.size(totals.byteCount))"
            guard isatty(0) == 1 else {
                FileHandle.standardError.write(Data("postern: \(text) would be removed: say --yes where nobody can be asked\n".utf8))
                return false
            }
            print("Remove \(text), for good? [y/N] ", terminator: "")
            fflush(nil)
            return ["y", "yes"].contains(readLine()?.lowercased())
        }
    }

    /// Makes a change and says what became of it.
    static func change(_ request: QueueRequest, _ options: QueueOptions, done: String) async throws {
        let totals = try await options.ask(request)
        if options.json { try QueueJSON.print(totals) } else if totals.matched == 0 {
            print("no message is meant: \(QueueWords.count(totals.queued, "message")) in the queue")
        } else {
            print("\(QueueWords.count(totals.changed, "message")) \(done)" + (totals.changed < totals.matched ? ", \(totals.matched - totals.changed) not" : ""))
        }
        try options.close(totals)
    }
}
