import Foundation

/// Prints what decision records cost with few and with many of them: microseconds a record or a look-up.
///
///     records-bench [CALLS [RECORDS …]]
///
/// `handed over` is what mail waits for; `written` is what the writer's thread does behind it, in batches with their fsync.
/// A million records take about 3 GB in the folder for temporary files while it runs.
@main
enum RecordsBench {
    static func main() throws {
        let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
        let calls = numbers.first ?? 2_000
        let counts = numbers.count > 1 ? Array(numbers.dropFirst()) : [1_000, 1_000_000]
        print("records  handed over  written  by id  by Message-ID  unknown id  octets a record    (µs, \(calls) calls)")
        for count in counts {
            let bench = try Bench(records: count, more: calls)
            defer { bench.close() }
            let (handed, written) = try bench.record(calls)
            let figures = try [handed, written, bench.find(calls) { "\(bench.id($0))" }, bench.find(calls) { "<\(bench.messageID($0))>" }, bench.find(calls) { "NONE\($0)" }]
            print(String(format: "%7d  %11.1f  %7.1f  %5.1f  %13.1f  %10.1f  %15d", count, figures[0], figures[1], figures[2], figures[3], figures[4], try bench.size() / (count + calls)))
        }
    }
}
