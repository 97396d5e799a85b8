import ArgumentParser
import Delivery
import Diagnostics
import Foundation
import MailQueue
import PosternDaemon
import Synchronization

extension QueueCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the messages that wait, the oldest first: why each waits and when it goes next.",
            discussion: "With --json: a line of JSON for each message, and a last one with the totals.")
        @OptionGroup var options: QueueOptions
        @OptionGroup var which: SelectionOptions
        @Option(help: "Show at the most so many; 0 for all. The totals are of all. (default: 100 on a terminal, else all)") var limit: Int?

        func run() async throws {
            var request = QueueRequest(.list, which.chosen)
            let (json, now) = (options.json, Date())
            // Who pipes it into something else means all of it.
            let most = limit ?? (json || isatty(1) == 0 ? 0 : 100)
            request.limit = most <= 0 ? .max : most
            let table = TextTable(QueueRow.head, rightAligned: [1, 2, 3])
            let shown = Mutex(0)
            let totals = try await options.ask(request) { answer in
                guard let rows = answer.rows else { return }
                shown.withLock { $0 += rows.count }
                for row in rows { if json { try QueueJSON.print(row) } else { table.add(row.cells(now)) } }
            }
            if json { try QueueJSON.print(totals) } else {
                if !table.isEmpty { print(table.text) }
                print(Self.summary(totals, shown: shown.withLock { $0 }))
            }
            if !totals.failures.isEmpty || !totals.passedOver.isEmpty { try options.close(totals) }
        }

        /// `mailq`: all of it. Scripts that count look for Postfix's words about an empty queue.
        static func mailq(settingsFile: String) async throws {
            let list = try parse(["--config", settingsFile, "--limit", "0"])
            if try await list.options.ask(QueueRequest(.count)).matched == 0 { print("Mail queue is empty") } else { try await list.run() }
        }

        private static func summary(_ totals: QueueAnswer.Totals, shown: Int) -> String {
            var text = QueueWords.count(totals.matched, "message")
            if totals.matched != totals.queued { text += " of \(totals.queued)" }
            text += ", \(totals.held) held, \(QueueWords.size(totals.byteCount))"
            return shown < totals.matched ? text + "; \(shown) shown (--limit 0 for all)" : text
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a message: its envelope, and what each recipient's attempts met.")
        @OptionGroup var options: QueueOptions
        @OptionGroup var which: SelectionOptions
        @Flag(help: "And the message's header.") var headers = false
        @Flag(help: "And the whole message.") var content = false

        func validate() throws {
            guard !which.selection.isEverything else { throw ValidationError("say which messages") }
        }

        func run() async throws {
            var request = QueueRequest(.show, which.chosen)
            request.limit = .max
            request.content = content ? .all : headers ? .headers : .none
            let (json, now) = (options.json, Date())
            let count = Mutex(0)
            let totals = try await options.ask(request) { answer in
                if let detail = answer.detail {
                    let isFirst = count.withLock { count in
                        count += 1
                        return count == 1
                    }
                    if json { try QueueJSON.print(detail) } else { print((isFirst ? "" : "\n") + detail.text(now)) }
                } else if let content = answer.content {
                    if json { try QueueJSON.print(["content": String(decoding: content, as: UTF8.self)]) } else {
                        fflush(nil)
                        FileHandle.standardOutput.write(content)
                    }
                }
            }
            if totals.matched == 0, totals.passedOver.isEmpty { QueueOptions.complain("no message in the queue is meant") }
            try options.close(totals)
        }
    }

    struct Stats: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Count what waits for each destination, by age, the fullest first.",
            discussion: "As Postfix's qshape: the columns count recipients that came less than so many minutes ago.")
        @OptionGroup var options: QueueOptions
        @Flag(help: "By sender in the place of the destination (qshape -s).") var senders = false

        func run() async throws {
            let (json, now) = (options.json, Date())
            var request = QueueRequest(.stats)
            request.bySender = senders
            let first = senders ? "SENDER" : "DESTINATION"
            try await options.ask(request) { answer in
                guard let statistics = answer.statistics else { return }
                print(json ? try ReportJSON.text(statistics) : statistics.text(now, first))
            }
        }
    }
}

/// One line of JSON, in the words of the other reports.
enum QueueJSON {
    static func print(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.dateEncodingStrategy = .iso8601
        Swift.print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}
