@testable import DNS
import Synchronization
import Testing

/// A text is parsed once; another text never gets its meaning; there is a bound.
@Suite struct ParsedRecordsTests {
    @Test func aTextIsParsedOnce() {
        let records = ParsedRecords<Int>()
        var parsed = 0
        func ask(_ text: String) -> Int {
            records.record(Array(text.utf8)) {
                parsed += 1
                return $0.count
            }
        }
        #expect([ask("a"), ask("a"), ask("bb"), ask("a")] == [1, 1, 2, 1])
        #expect(parsed == 2)
    }

    @Test func itIsBounded() {
        let records = ParsedRecords<Int>(capacity: 2)
        var parsed: [Int] = []
        for number in [1, 2, 1, 3, 3, 1] {
            _ = records.record([UInt8(number)]) { _ in
                parsed.append(number)
                return number
            }
        }
        // 3 makes room, and 1 is parsed again.
        #expect(parsed == [1, 2, 3, 1])
    }

    @Test func whatNoRecordIsIsNotKept() {
        let records = ParsedRecords<Int>()
        var parsed = 0
        for _ in 0..<2 {
            _ = records.record([UInt8](repeating: 97, count: 4097)) { _ in
                parsed += 1
                return 0
            }
        }
        #expect(parsed == 2)
    }
}
