import Foundation
import Testing
@testable import PosternDaemon

@Suite struct LogLineTests {
    /// What a stranger sends stays within its field and its line, in both formats.
    @Test(arguments: ["a\r\nlevel=error", "\u{1b}[31m", "\"}{\"level\":\"error", "a\\", "\u{2028}\u{2029}\u{85}\u{202e}\u{0}", "\u{1f4a9} caf\u{e9}", ""])
    func aLineIsOneObjectWithTheValueInIt(_ text: String) throws {
        let line = LogLine.make(.json, time: "2026-11-23T10:00:00.123Z", level: "info", label: "smtp", event: text, fields: [("from", text), ("sender", text)])
        #expect(line.hasSuffix("}\n") && line.dropLast().unicodeScalars.allSatisfy { LogLine.isPlain($0) })
        let read = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
        #expect(read == ["time": "2026-11-23T10:00:00.123Z", "level": "info", "from": "smtp", "event": text, "from_": text, "sender": text])
        let plain = LogLine.make(.logfmt, time: "t", level: "info", label: "smtp", event: text, fields: [("sender", text)])
        #expect(plain.dropLast().unicodeScalars.allSatisfy { LogLine.isPlain($0) })
    }

    @Test func valuesAreBounded() { #expect(LogLine.json(String(repeating: "a", count: 100_000)).count == 1002) }

    @Test func theLastProblemsAreKept() {
        let problems = RecentProblems()
        for number in 0..<120 { problems.note(.init(time: "\(number)", level: "error", event: "x", fields: "")) }
        #expect(problems.all.count == RecentProblems.limit && problems.all.last?.time == "119")
    }

    @Test func metricsAreToldAsPrometheusReadsThem() {
        let metrics = Metrics()
        metrics.add("postern_messages_total", [("listener", "smtp"), ("verdict", "a\"b\\c\nd")], 2)
        metrics.add("postern_messages_total", [("listener", "smtp"), ("verdict", "a\"b\\c\nd")])
        let text = metrics.exposition([.init(name: "postern_queue_oldest_seconds", value: 1.5)])
        #expect(text.contains("postern_messages_total{listener=\"smtp\",verdict=\"a\\\"b\\\\c\\nd\"} 3\n"))
        #expect(text.contains("# TYPE postern_queue_oldest_seconds gauge\npostern_queue_oldest_seconds 1.5\n"))
    }

    @Test func anIDTellsItsAge() throws {
        let id = String(1_700_000_000_000_000, radix: 36, uppercase: true) + "AB"
        #expect(try #require(TransactionAge.seconds(id, now: Date(timeIntervalSince1970: 1_700_000_002))) == 2)
        #expect(TransactionAge.seconds("foreign", now: Date()) == nil)
    }
}
