@testable import DecisionRecords
import Foundation
import Testing

/// What the writer writes, the decoder reads back: every field, every name.
@Suite struct RecordJSONTests {
    /// Every field filled, with what JSON must escape.
    static var full: DecisionRecord {
        let hard = "a\"b\\c\u{1}\nü\u{2028}\u{0}"
        let client = DecisionRecord.Client(
            listener: "smtp", address: "192.0.2.7", port: 4711, name: "mx.shop.example", localAddress: "192.0.2.1", localPort: 25, daemon: "smtpd", isOwn: true,
            tls: .init(version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", bits: 256, serverName: "mail.home.example"), account: "alice", mechanism: "PLAIN",
            helo: hard)
        let envelope = DecisionRecord.Envelope(sender: "news@shop.example", parameters: ["SIZE": "100", "BODY": "8BITMIME"], recipients: [
            .init("alice+shop@home.example", original: "alias@home.example", parameters: ["NOTIFY": "NEVER"], tag: "known"),
            .init("eve@home.example", refusal: "550 5.1.1 \(hard)", refusedBy: "policy"),
        ])
        var record = DecisionRecord(id: "2KX", time: 1_700_000_000_123, client: client, envelope: envelope,
                                    verdict: .init(.rejected, reply: "550 5.7.1 \(hard)", stage: "message", filter: "policy"))
        record.mtaID = "4XyZ"
        record.messageID = "1@shop.example"
        record.about = "2KW"
        record.origin = client
        record.envelopeAfter = envelope
        record.size = 4096
        record.results.reverseName = .init(verdict: "fail", address: "192.0.2.7", name: "x.example", reason: hard)
        record.results.spf = [.init(verdict: "pass", identity: "mailfrom", domain: "shop.example", reason: "r", match: "ip4", record: "v=spf1 -all")]
        record.results.dkim = [.init(verdict: "pass", reason: "ok", domain: "shop.example", selector: "s1", algorithm: "rsa-sha256", identity: "@shop.example",
                                     coversWholeBody: true, signsFrom: true, isTesting: false, keyBits: 2048, keyRecord: "v=DKIM1; p=")]
        record.results.dmarc = .init(verdict: "pass", from: "shop.example", reason: hard, policy: .init(
            domain: "shop.example", record: "v=DMARC1; p=reject", tag: "p", published: "reject", applied: "quarantine"))
        record.results.tags = [.init(recipient: "alice+shop@home.example", status: "leaked", base: "alice@home.example", detail: "shop", owners: ["a.example", "b.example"],
                                     offender: "c.example", explanation: hard, seen: "new")]
        record.results.lookups = #"{"answers":{}}"#
        record.results.signedBy = ["home.example/s1"]
        record.rules = [.init(rule: hard, file: "/p/default.policy", line: 31, stage: "message", recipient: "a@b.example", saw: [.init("tag.status", "leaked"), .init("account", nil)])]
        record.changes = [.init(.insertHeader, number: 0, name: "X", text: hard), .init(.quarantine)]
        record.changesByRules = 1..<2
        record.folder = "Junk"
        record.keywords = ["$Junk", "$Leaked"]
        record.quarantine = "why"
        record.copies = [.init(recipient: "a@b.example", file: "/new/1"), .init(recipient: "b@b.example", queueID: "2KX"), .init(recipient: "c@b.example", refusal: "451 no")]
        record.isHeaderCut = true
        return record
    }

    @Test func everyFieldComesBack() throws {
        #expect(try JSONDecoder().decode(DecisionRecord.self, from: Data(Self.full.json)) == Self.full)
    }

    @Test func anEmptyRecordComesBack() throws {
        let record = DecisionRecord(id: "1", time: 0, client: .init(listener: "local"), envelope: .init(sender: nil), verdict: .init(.abandoned))
        #expect(try JSONDecoder().decode(DecisionRecord.self, from: Data(record.json)) == record)
    }

    /// A field that somebody adds to the type and forgets in the writer.
    @Test func nothingIsForgotten() throws {
        let ours = try JSONSerialization.jsonObject(with: Data(Self.full.json)) as? NSDictionary
        let reference = try JSONSerialization.jsonObject(with: try JSONEncoder().encode(Self.full)) as? NSDictionary
        #expect(ours == reference)
    }
}
