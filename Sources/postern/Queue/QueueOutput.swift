import Delivery
import Foundation
import MailQueue
import Synchronization

/// The last piece of an answer, for after it.
final class TotalsBox: Sendable {
    private let totals = Mutex(QueueAnswer.Totals())
    func set(_ value: QueueAnswer.Totals) { totals.withLock { $0 = value } }
    var value: QueueAnswer.Totals { totals.withLock { $0 } }
}

/// How far a long request is, on a terminal.
final class ProgressLine: Sendable {
    private let isShown = Mutex(false)

    func show(_ step: QueueAnswer.Progress) {
        guard isatty(2) == 1 else { return }
        isShown.withLock { $0 = true }
        FileHandle.standardError.write(Data("\r\(step.done) of \(step.total) …".utf8))
    }

    func clear() {
        isShown.withLock { isShown in
            if isShown { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
            isShown = false
        }
    }
}

/// Rows gathered for a table that is as wide as it must be.
final class TextTable: Sendable {
    private let rows: Mutex<[[String]]>
    private let rightAligned: Set<Int>

    init(_ head: [String], rightAligned: Set<Int> = []) {
        rows = Mutex([head])
        self.rightAligned = rightAligned
    }

    func add(_ row: [String]) { rows.withLock { $0.append(row) } }
    var isEmpty: Bool { rows.withLock { $0.count == 1 } }

    var text: String {
        let rows = rows.withLock { $0 }
        let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: max(0, widths[column] - cell.count))
                return column == row.count - 1 ? cell : rightAligned.contains(column) ? padding + cell : cell + padding
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}

/// Times and sizes as people read them.
enum QueueWords {
    static func size(_ octets: Int) -> String {
        switch octets {
        case ..<1000: "\(octets) B"
        case ..<1_000_000: "\(octets / 1000) kB"
        default: String(format: "%.1f MB", Double(octets) / 1_000_000)
        }
    }

    /// `3h 20m`.
    static func span(_ seconds: TimeInterval) -> String {
        let all = Int(max(0, seconds.rounded()))
        switch all {
        case ..<60: return "\(all)s"
        case ..<3600: return "\(all / 60)m"
        case ..<86_400: return "\(all / 3600)h \(all % 3600 / 60)m"
        default: return "\(all / 86_400)d \(all % 86_400 / 3600)h"
        }
    }

    static func moment(_ time: Date) -> String { time.formatted(.iso8601) }

    static func count(_ number: Int, _ word: String) -> String { "\(number) \(word)\(number == 1 ? "" : "s")" }

    /// On one line, without what would move a terminal's cursor.
    static func line(_ text: String) -> String { String(text.map { $0.isNewline || $0 == "\t" ? " " : $0 }.filter { $0.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control } }) }
}

extension QueueRow {
    static let head = ["ID", "SIZE", "AGE", "NEXT", "SENDER", "RECIPIENTS", "WHY"]

    func cells(_ now: Date) -> [String] {
        let next = held != nil ? "held" : activity != nil ? "now" : nextAttempt.map { $0 <= now ? "due" : QueueWords.span($0.timeIntervalSince(now)) } ?? ""
        let first = recipients.first?.address ?? ""
        return [id, QueueWords.size(byteCount), QueueWords.span(now.timeIntervalSince(arrival)), next, sender.isEmpty ? "<>" : sender,
                recipients.count > 1 ? "\(first) +\(recipients.count - 1)" : first, reason].map(QueueWords.line)
    }
}

extension QueueDetail {
    func text(_ now: Date) -> String {
        var lines = ["id:       \(row.id)", "sender:   \(row.sender.isEmpty ? "<>" : row.sender)",
                     "arrived:  \(QueueWords.moment(row.arrival)), \(QueueWords.span(now.timeIntervalSince(row.arrival))) ago", "size:     \(row.byteCount) octets"]
        if let envelopeID { lines.append("envid:    \(envelopeID)") }
        if let held = row.held { lines.append("held:     by \(held.by), \(QueueWords.moment(held.since)): \(held.reason)") }
        if let activity = row.activity { lines.append("now:      \(activity)") }
        for recipient in recipients {
            lines.append("recipient: \(recipient.address)" + (recipient.original == recipient.address ? "" : " (\(recipient.original) at first)") + (recipient.account.map { ", account \($0)" } ?? ""))
            var state = "  \(recipient.status)"
            if recipient.status == "pending" {
                state += ", \(QueueWords.count(recipient.attempts, "attempt"))"
                if row.held == nil, let next = recipient.nextAttempt { state += next <= now ? ", due" : ", next in \(QueueWords.span(next.timeIntervalSince(now)))" }
            }
            lines.append(state)
            lines += recipient.history.map { "  \(QueueWords.moment($0.time))  \($0.status): \($0.text)" }
        }
        return lines.map(QueueWords.line).joined(separator: "\n")
    }
}

extension QueueStatistics {
    /// - Parameter first: the heading of what is counted.
    func text(_ now: Date, _ first: String) -> String {
        let ages = zip([0] + Self.ageLimits, Self.ageLimits.map { "<\($0)m" } + [">1280m"]).map(\.1)
        let table = TextTable([first, "WAITING", "HELD", "OLDEST", "NEXT"] + ages + ["STATE"], rightAligned: Set(1..<(5 + ages.count)))
        for one in destinations {
            let next = one.nextAttempt.map { $0 <= now ? "due" : QueueWords.span($0.timeIntervalSince(now)) } ?? "-"
            var state = one.running.map { "\($0) of \(one.concurrency ?? 0) at once" } ?? ""
            if let until = one.suspendedUntil { state = "suspended for \(QueueWords.span(until.timeIntervalSince(now))): \(one.suspension ?? "")" }
            table.add([QueueWords.line(one.domain.isEmpty ? "<>" : one.domain), "\(one.waiting)", "\(one.held)", QueueWords.span(now.timeIntervalSince(one.oldestArrival)), next] + one.ages.map(String.init) + [QueueWords.line(state)])
        }
        let total = "\(QueueWords.count(messages, "message")), \(heldMessages) held, \(QueueWords.size(byteCount)), \(QueueWords.count(destinations.count, first.lowercased()))"
        return table.isEmpty ? total : table.text + "\n" + total
    }
}
