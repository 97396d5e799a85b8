import DKIM
import Foundation
import DNS
import NetworkAddress
import Testing
@testable import PublishedRecords

struct RecordJudgeTests {
    private func wrong(_ judgement: Judgement) -> String { if case .wrong(let text) = judgement { text } else { "\(judgement)" } }
    private func mx(_ preference: UInt16, _ host: String) throws -> MXRecord {
        try #require(MXRecord(rdata: [UInt8(preference >> 8), UInt8(truncatingIfNeeded: preference)] + WireName.encode(name(host))))
    }

    @Test func addresses() {
        #expect(RecordJudge.addresses([ip("192.0.2.1")], found: [ip("192.0.2.1")]) == .present)
        #expect(RecordJudge.addresses([ip("192.0.2.1")], found: []) == .missing)
        #expect(wrong(RecordJudge.addresses([ip("192.0.2.1")], found: [ip("192.0.2.2")])).contains("it is 192.0.2.2, without 192.0.2.1"))
        #expect(wrong(RecordJudge.addresses([ip("192.0.2.1")], found: [ip("192.0.2.1"), ip("192.0.2.2")])).contains("192.0.2.2 is not an address of this server"))
    }

    @Test func exchanges() throws {
        let host = name("mail.example.org")
        #expect(RecordJudge.exchanges(host, found: [try mx(10, "mail.example.org")]) == .present)
        #expect(RecordJudge.exchanges(host, found: [try mx(10, "mail.example.org"), try mx(20, "backup.example.net")]) == .present(remark: "also backup.example.net"))
        #expect(RecordJudge.exchanges(host, found: [try mx(10, "mail.example.org"), try mx(5, "filter.example.net")]) == .present(remark: "filter.example.net is preferred to mail.example.org"))
        #expect(wrong(RecordJudge.exchanges(host, found: [try mx(10, "192.0.2.1")])).contains("is an address"))
        #expect(wrong(RecordJudge.exchanges(host, found: [try mx(0, "")])).contains("null MX"))
        #expect(RecordJudge.exchanges(host, found: []) == .missing)
    }

    @Test func keys() throws {
        let pem = try SigningKey.generate(.rsa2048), other = try SigningKey.generate(.rsa2048)
        let text = try SigningKey(pem: pem, domain: name("example.org"), selector: "s").publicRecord
        let octets = Array(text.utf8)
        #expect(RecordJudge.key(text, found: [octets]) == .present)
        #expect(RecordJudge.key(text, found: [Array(text.replacingOccurrences(of: "; ", with: ";").utf8)]) == .present)
        #expect(RecordJudge.key(text, found: []) == .missing)
        #expect(wrong(RecordJudge.key(text, found: [Array(octets.prefix(255))])).hasPrefix("the record is cut off"))
        #expect(wrong(RecordJudge.key(text, found: [octets, octets])).contains("2 TXT records"))
        let stranger = try SigningKey(pem: other, domain: name("example.org"), selector: "s").publicRecord
        #expect(wrong(RecordJudge.key(text, found: [Array(stranger.utf8)])) == "another key stands there")
        #expect(wrong(RecordJudge.key(text, found: [Array("v=DKIM1; p=".utf8)])).contains("revoked"))
    }

    @Test(arguments: [
        ("v=DMARC1; p=reject", ""), ("v=DMARC1;p=quarantine;rua=mailto:a@example.org", ""), ("v=DMARC1; p=none", "only watches"), ("v=DMARC1 p=reject", "semicolon"),
        ("v=DMARC1; p=rejct", "p=rejct"), ("v=DMARC1; p=reject; p=none", "twice"), ("v=DMARC1; reject", "tag=value"), ("v=DMARC1; rua=mailto:a@example.org", "p= is missing"),
        ("v=DMARC1; p=reject; rua=a@example.org", "mailto:"), ("v=DMARC1; p=reject; policy=x", "not a DMARC tag"), ("V=dmarc1; p=reject", "must begin with v=DMARC1"), ("hello", "no DMARC record"),
    ])
    func policies(_ text: String, _ words: String) {
        switch RecordJudge.dmarc([Array(text.utf8)]) {
        case .present(let remark): #expect((remark ?? "").contains(words) || words.isEmpty)
        case .wrong(let why): #expect(!words.isEmpty && why.contains(words), "\(why)")
        case .missing: Issue.record("missing")
        }
    }

    @Test func severalPoliciesAreNone() {
        let one = Array("v=DMARC1; p=reject".utf8)
        #expect(wrong(RecordJudge.dmarc([one, one])).contains("2 DMARC records"))
        #expect(RecordJudge.dmarc([]) == .missing)
        #expect(RecordJudge.dmarc([one, Array("site-verification=x".utf8)]) == .present)
    }

    @Test func transport() {
        #expect(RecordJudge.sts([Array("v=STSv1; id=a1".utf8)]) == .present)
        #expect(wrong(RecordJudge.sts([Array("v=STSv1; id=a-1".utf8)])).contains("letters and digits"))
        #expect(wrong(RecordJudge.sts([Array("v=STSv1; id=1".utf8), Array("v=STSv1; id=2".utf8)])).contains("2 records"))
        #expect(RecordJudge.tlsReports([Array("v=TLSRPTv1; rua=mailto:a@example.org".utf8)]) == .present)
        #expect(wrong(RecordJudge.tlsReports([Array("v=TLSRPTv1;".utf8)])).contains("no rua="))
    }

    @Test func tlsa() throws {
        let digest = [UInt8](repeating: 1, count: 32)
        func record(_ head: [UInt8], _ data: [UInt8]) throws -> TLSARecord { try #require(TLSARecord(rdata: head + data)) }
        #expect(RecordJudge.tlsa(digest, found: [try record([3, 1, 1], digest)]) == .present)
        // The next key's record beside this one's, as a renewal wants it.
        #expect(RecordJudge.tlsa(digest, found: [try record([3, 1, 1], [UInt8](repeating: 2, count: 32)), try record([3, 1, 1], digest)]) == .present)
        #expect(wrong(RecordJudge.tlsa(digest, found: [try record([3, 1, 1], [UInt8](repeating: 2, count: 32))])).contains("another key"))
        #expect(wrong(RecordJudge.tlsa(digest, found: [try record([1, 1, 1], digest)])).contains("not for SMTP"))
        #expect(RecordJudge.tlsa(digest, found: []) == .missing)
    }

    @Test func senderPoliciesAmongOtherTexts() {
        #expect(RecordJudge.senderPolicies(["v=spf1 -all", "v=spf10 x", "V=SPF1 mx", "other"]) == ["v=spf1 -all", "V=SPF1 mx"])
    }
}
