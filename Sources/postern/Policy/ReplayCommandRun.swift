import Diagnostics
import Foundation
import PosternDaemon

/// A replay with its progress told.
struct ReplayCommandRun {
    private let replay: RecordedMailReplay

    init(settings: Settings, rules: String?, mailbox: String?) throws {
        replay = try RecordedMailReplay(settings, rules: rules, mailbox: mailbox)
    }

    /// - Parameter tell: gets a line on a terminal, again and again, when it takes long.
    mutating func run(since seconds: Int, tell: (String) -> Void) async throws -> ReplayReport {
        let begin = ContinuousClock.now
        var report = ReplayReport(), nextWord = begin + .seconds(2), hasSpoken = false
        try await replay.run(since: Int((Date().timeIntervalSince1970 - Double(seconds)) * 1000)) { record, result, total in
            report.add(record, result)
            guard ContinuousClock.now >= nextWord else { return }
            nextWord = ContinuousClock.now + .seconds(1)
            hasSpoken = true
            tell("\r\(report.messages) of \(total) messages")
        }
        if hasSpoken { tell("\n") }
        return report
    }
}
