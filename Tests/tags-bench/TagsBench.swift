import Foundation
import InternetMessage
import NetworkAddress
import Tags

/// Prints what the tag ledger costs with few and with many tags: microseconds for each call, from the cache and past it.
///
///     tags-bench [CALLS]
@main
enum TagsBench {
    static func main() throws {
        let calls = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 20_000
        print("   tags  status  judge  status cold  judge cold    (µs a call, \(calls) calls)")
        for count in [1_000, 100_000] {
            let bench = try Bench(tags: count)
            defer { bench.close() }
            let figures = try [bench.status(calls), bench.judge(calls), bench.coldStatus(calls), bench.coldJudge(calls)]
            print(String(format: "%7d  %6.1f  %5.1f  %11.1f  %10.1f", count, figures[0], figures[1], figures[2], figures[3]))
        }
    }
}

/// A ledger of that many tags in a folder of its own, 100 for each base address.
struct Bench {
    let count: Int
    let folder: String
    let warm: TagLedger
    /// Its cache holds next to nothing: each call reads the file.
    let cold: TagLedger
    let owner: DomainName
    let identity: SenderIdentity

    init(tags count: Int) throws {
        self.count = count
        guard let owner = DomainName("shop.example") else { throw CocoaError(.formatting) }
        self.owner = owner
        identity = SenderIdentity(owner, by: .dmarc)
        folder = NSTemporaryDirectory() + "/tags-bench-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let key = [UInt8](repeating: 7, count: 32)
        warm = try TagLedger(path: folder + "/tags.sqlite", mintingKey: key)
        var options = TagLedger.Options()
        options.cacheLimit = 2
        cold = try TagLedger(path: folder + "/tags.sqlite", mintingKey: key, options: options)
        try warm.declare((0..<count).map(tag), owner, at: Date())
    }

    func close() {
        warm.close()
        cold.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// The same 1,000 tags again and again: what is written to lately.
    func status(_ calls: Int) throws -> Double { try measure(calls) { _ = try warm.status(of: tag($0 % 1_000)) } }
    func judge(_ calls: Int) throws -> Double { try measure(calls) { try judge(warm, $0 % 1_000) } }
    /// All of them, in no order.
    func coldStatus(_ calls: Int) throws -> Double { try measure(calls) { _ = try cold.status(of: tag($0 &* 7_919 % count)) } }
    func coldJudge(_ calls: Int) throws -> Double { try measure(calls) { try judge(cold, $0 &* 7_919 % count) } }

    private func judge(_ ledger: TagLedger, _ number: Int) throws {
        _ = try ledger.judge(tag: tag(number), identity: identity, messageID: "<1@shop.example>", at: Date())
    }

    private func tag(_ number: Int) -> TagAddress {
        TagAddress(base: EmailAddress(localPart: "user\(number / 100)", domain: owner), detail: "shop\(number % 100)")
    }

    private func measure(_ calls: Int, _ call: (Int) throws -> Void) throws -> Double {
        for number in 0..<min(calls, 1_000) { try call(number) }
        let begun = ContinuousClock.now
        for number in 0..<calls { try call(number) }
        let taken = ContinuousClock.now - begun
        return (Double(taken.components.seconds) * 1e6 + Double(taken.components.attoseconds) / 1e12) / Double(calls)
    }
}
