import Logging
import Testing
@testable import PosternDaemon

/// What a stranger sends stays within its field and its line.
@Suite struct LogfmtTests {
    @Test(arguments: [
        ("plain", "plain"), ("a@b.example", "a@b.example"), ("<a@b>", "<a@b>"), ("", "\"\""), ("two words", "\"two words\""), ("a=b", "\"a=b\""),
        ("say \"x\"", "\"say \\\"x\\\"\""), ("a\\b", "\"a\\\\b\""), ("a\r\nlevel=error", "\"a\\r\\nlevel=error\""), ("\u{1b}[31m", "\"\\u{1b}[31m\""),
        ("a\u{2028}b", "\"a\\u{2028}b\""), ("\u{202e}x", "\"\\u{202e}x\""), ("caf\u{e9}", "\"caf\u{e9}\""), ("a\u{85}b", "\"a\\u{85}b\""),
    ])
    func values(_ text: String, _ expected: String) { #expect(LogfmtHandler.value(text) == expected) }

    @Test func longValuesAreCut() { #expect(LogfmtHandler.value(String(repeating: "a", count: 100_000)).count == 1002) }

    /// `log_level` of a reload concerns the loggers that are there.
    @Test func theThresholdIsShared() {
        let threshold = LogThreshold(.warning)
        var (a, b) = (LogfmtHandler(label: "a", threshold: threshold), LogfmtHandler(label: "b", threshold: threshold))
        #expect(a.logLevel == .warning)
        threshold.set(.debug)
        #expect(a.logLevel == .debug && b.logLevel == .debug)
        b.logLevel = .error
        #expect(a.logLevel == .debug && b.logLevel == .error)
        a.logLevel = .info
        #expect(a.logLevel == .info)
    }
}
