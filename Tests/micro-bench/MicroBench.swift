import DKIM
import DMARC
import DNS
import Foundation
import IMAPCore
import InternetMessage
import NetworkAddress
import SMTPCore
import SPF

/// What one use of each parser and check costs: `swift run -c release micro-bench [NAME…]`, names by their beginning. Not a
/// test: it prints figures. Rules have policy-bench.
@main
enum MicroBench {
    static func main() async throws {
        let wanted = CommandLine.arguments.dropFirst()
        func isWanted(_ name: String) -> Bool { wanted.isEmpty || wanted.contains { name.hasPrefix($0) } }
        let ground = try Ground()
        print("                                       CPU-µs   a second")
        for (name, work) in ground.parsers where isWanted(name) { try measure(name, work) }
        for (name, work) in try ground.checks() where isWanted(name) { try await measure(name, work) }
    }

    /// Goes on for half a second of the processor.
    private static func measure(_ name: String, _ work: () throws -> Void) throws {
        var rounds = 0
        let start = cpuTime
        while cpuTime - start < 0.5 {
            for _ in 0..<50 { try work() }
            rounds += 50
        }
        report(name, (cpuTime - start) / Double(rounds))
    }

    private static func measure(_ name: String, _ work: @Sendable () async throws -> Void) async throws {
        var rounds = 0
        let start = cpuTime
        while cpuTime - start < 0.5 {
            for _ in 0..<50 { try await work() }
            rounds += 50
        }
        report(name, (cpuTime - start) / Double(rounds))
    }

    private static func report(_ name: String, _ seconds: Double) {
        let cost = String(format: "%8.2f %10.0f", seconds * 1e6, 1 / seconds)
        print(name.padding(toLength: 36, withPad: " ", startingAt: 0) + " " + cost)
    }

    /// Seconds of the processor, which other programs do not disturb much.
    private static var cpuTime: Double { Double(clock()) / Double(CLOCKS_PER_SEC) }
}
