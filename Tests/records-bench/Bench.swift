import DecisionRecords
import Foundation

/// That many records in a folder of their own, spread over 30 days.
struct Bench {
    private let count: Int
    /// Milliseconds from one record to the next.
    private let step: Int
    private let folder: String
    private let store: DecisionRecordStore
    private let archive: DecisionArchive
    private static let days = 30 * 86_400_000
    private static let start = 1_750_000_000_000
    /// Records that are written together, as the server does at most.
    private static let batch = 100

    /// - Parameter more: how many ``record(_:)`` will add.
    init(records count: Int, more: Int) throws {
        self.count = count
        step = Self.days / (count + more)
        folder = NSTemporaryDirectory() + "/records-bench-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var options = DecisionRecordStore.Options()
        options.flushInterval = nil
        options.now = { Self.start + Self.days }
        options.keep = .seconds(60 * 86_400)
        options.report = { print($0) }
        store = try DecisionRecordStore(path: folder + "/decisions.sqlite", options: options)
        archive = try DecisionArchive(path: folder + "/decisions.sqlite")
        for first in stride(from: 0, to: count, by: Self.batch) {
            for number in first..<min(first + Self.batch, count) { hand(number) }
            try store.flush()
        }
    }

    func close() {
        archive.close()
        store.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    func id(_ number: Int) -> String { String(Self.start + number, radix: 36).uppercased() }
    func messageID(_ number: Int) -> String { "\(number).\(number &* 7_919 % 1_000_003)@shop.example" }

    /// - Returns: what the mail waits for and what the writer works, a record.
    func record(_ calls: Int) throws -> (handed: Double, written: Double) {
        var (handed, written) = (Duration.zero, Duration.zero)
        for first in stride(from: count, to: count + calls, by: Self.batch) {
            let numbers = first..<min(first + Self.batch, count + calls)
            handed += ContinuousClock().measure { for number in numbers { hand(number) } }
            written += try ContinuousClock().measure { try store.flush() }
        }
        return (handed.microseconds / Double(calls), written.microseconds / Double(calls))
    }

    /// A look-up of records in no order, past what caches hold.
    func find(_ calls: Int, _ name: (Int) -> String) throws -> Double {
        let taken = try ContinuousClock().measure {
            for call in 0..<calls { _ = try archive.find(name(call &* 7_919 % count)) }
        }
        return taken.microseconds / Double(calls)
    }

    func size() throws -> Int {
        try ["", "-wal"].map { (try FileManager.default.attributesOfItem(atPath: folder + "/decisions.sqlite" + $0)[.size] as? Int) ?? 0 }.reduce(0, +)
    }

    private func hand(_ number: Int) {
        let time = Self.start + number * step
        store.record(stored(number, time))
    }

    /// As a shop's mail to a tagged address leaves one.
    private func stored(_ number: Int, _ time: Int) -> StoredDecision {
        let messageID = messageID(number)
        var record = DecisionRecord(
            id: id(number), time: time,
            client: .init(listener: "smtp", address: "192.0.2.\(number % 250)", port: 40_000, name: "mx.shop.example",
                          tls: .init(version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", bits: 256), helo: "mx.shop.example"),
            envelope: .init(sender: "news@shop.example", parameters: ["SIZE": "4096"], recipients: [.init("user\(number % 5_000)+shop@home.example")]),
            verdict: .init(.accepted, reply: "250 2.0.0 Ok: queued as \(id(number))"))
        record.messageID = messageID
        record.size = 4_096
        record.results.spf = [.init(verdict: "pass", identity: "mailfrom", domain: "shop.example", reason: "allowed", match: "ip4:192.0.2.0/24", record: "v=spf1 ip4:192.0.2.0/24 -all")]
        record.rules = [.init(rule: "shop", file: "/etc/postern/policies/default.policy", line: 40, stage: "message", saw: [.init("tag.status", "match"), .init("from.domain", "shop.example")])]
        record.copies = [.init(recipient: "user\(number % 5_000)+shop@home.example", file: "/var/lib/postern/mail/user\(number % 5_000)@home.example/Maildir/new/\(id(number)).mx")]
        return StoredDecision(record, header: Self.header(messageID))
    }

    /// About a kilobyte, as most headers are at the least.
    private static func header(_ messageID: String) -> [UInt8] {
        Array(("Received: from mx.shop.example (mx.shop.example [192.0.2.7]) by mx.home.example with ESMTPS; Tue, 24 Nov 2026 02:25:17 +0000\r\n"
            + "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=shop.example; s=k1; h=from:to:subject:date; bh=" + String(repeating: "x", count: 44)
            + "; b=" + String(repeating: "y", count: 344) + "\r\nFrom: The shop <news@shop.example>\r\nTo: user+shop@home.example\r\nSubject: Your order\r\n"
            + "Message-ID: <\(messageID)>\r\nDate: Tue, 24 Nov 2026 02:25:16 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n").utf8)
    }
}

extension Duration {
    fileprivate var microseconds: Double { Double(components.seconds) * 1e6 + Double(components.attoseconds) / 1e12 }
}
