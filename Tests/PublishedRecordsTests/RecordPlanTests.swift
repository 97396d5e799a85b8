import DKIM
import DNS
import NetworkAddress
import Testing
@testable import PublishedRecords

func name(_ text: String) -> DomainName { DomainName(text) ?? .root }
func ip(_ text: String) -> IPAddress { IPAddress(text) ?? .v4Loopback }

struct RecordPlanTests {
    static func setup() -> MailSetup {
        var setup = MailSetup(hostname: name("mail.example.org"), domains: [name("example.org")], addresses: [ip("203.0.113.5"), ip("2001:db8::5")])
        setup.keys = [.init(domain: name("example.org"), selector: "s1", record: "v=DKIM1; k=rsa; p=" + String(repeating: "A", count: 392), state: .active)]
        setup.certificateKeyDigest = [UInt8](repeating: 0xab, count: 32)
        setup.ports = [.imaps: 993, .submissions: 465]
        return setup
    }

    private func values(_ plan: RecordPlan, _ purpose: WantedRecord.Purpose) -> [String] {
        plan.records.filter { $0.purpose == purpose }.map { "\($0.name) \($0.type) \($0.value.zoneText)" }
    }

    @Test func aServerOfItsOwn() {
        let plan = RecordPlan(Self.setup())
        #expect(values(plan, .address) == ["mail.example.org A 203.0.113.5", "mail.example.org AAAA 2001:db8::5"])
        #expect(values(plan, .mx) == ["example.org MX 10 mail.example.org."])
        #expect(values(plan, .spf) == ["mail.example.org TXT \"v=spf1 a -all\"", "example.org TXT \"v=spf1 mx -all\""])
        #expect(values(plan, .dmarc) == ["_dmarc.example.org TXT \"v=DMARC1; p=quarantine\""])
        #expect(values(plan, .reverse).first == "5.113.0.203.in-addr.arpa PTR mail.example.org.")
        #expect(values(plan, .reverse).last?.hasSuffix(".8.b.d.0.1.0.0.2.ip6.arpa PTR mail.example.org.") == true)
        #expect(values(plan, .tlsa) == ["_25._tcp.mail.example.org TLSA 3 1 1 " + String(repeating: "ab", count: 32)])
        #expect(values(plan, .tlsReport) == [])
        // RFC 6186 §3.4: what is not offered has the root as its target.
        #expect(values(plan, .service) == [
            "_submissions._tcp.example.org SRV 0 1 465 mail.example.org.", "_imaps._tcp.example.org SRV 0 1 993 mail.example.org.",
            "_submission._tcp.example.org SRV 0 0 0 .", "_imap._tcp.example.org SRV 0 0 0 .", "_pop3s._tcp.example.org SRV 0 0 0 .", "_pop3._tcp.example.org SRV 0 0 0 .",
        ])
        #expect(plan.remarks == [])
    }

    @Test func longTextIsSplitAt255Octets() throws {
        let plan = RecordPlan(Self.setup())
        let key = try #require(plan.records.first { $0.purpose == .dkim })
        let text = "v=DKIM1; k=rsa; p=" + String(repeating: "A", count: 392)
        #expect(key.value.zoneText == "\"\(text.prefix(255))\" \"\(text.dropFirst(255))\"")
        #expect(TextStrings.split(String(repeating: "x", count: 255)).map(\.count) == [255])
        #expect(TextStrings.split(String(repeating: "x", count: 511)).map(\.count) == [255, 255, 1])
        #expect(TextStrings.split("").map(\.count) == [0])
        #expect(TextStrings.quoted([34, 92, 7, 200, 65]) == #""\"\\\007\200A""#)
        // And what is written reads back as it was.
        let fragment = ZoneFragment(plan).text
        let read = try ZoneText.parse(fragment).filter { $0.name == key.name }
        #expect(read.map { TXTRecord(rdata: $0.rdata)?.joined } == [Array(text.utf8)])
    }

    @Test func theSenderPolicyFitsTheWayOut() {
        var setup = Self.setup()
        setup.otherSources = [ip("198.51.100.7"), ip("2001:db8::7")]
        #expect(values(RecordPlan(setup), .spf).last == "example.org TXT \"v=spf1 mx ip4:198.51.100.7 ip6:2001:db8::7 -all\"")
        #expect(values(RecordPlan(setup), .reverse).count == 4)
        setup.relay = .host(name("smtp.isp.example"))
        #expect(values(RecordPlan(setup), .spf) == ["example.org TXT \"v=spf1 mx a:smtp.isp.example ~all\""])
        #expect(RecordPlan(setup).remarks.contains { $0.contains("smtp.isp.example") })
        setup.relay = .address(ip("192.0.2.9"))
        #expect(values(RecordPlan(setup), .spf) == ["example.org TXT \"v=spf1 mx ip4:192.0.2.9 ~all\""])
    }

    @Test func keysAreToldByTheirState() {
        var setup = Self.setup()
        let states: [MailSetup.Key.State] = [.staged, .active, .retiring, .retired]
        setup.keys = states.map { .init(domain: name("example.org"), selector: $0.rawValue, record: "v=DKIM1; p=", state: $0) }
        #expect(RecordPlan(setup).records.filter { $0.purpose == .dkim }.map(\.name.text)
            == ["staged._domainkey.example.org", "active._domainkey.example.org", "retiring._domainkey.example.org"])
        #expect(RecordPlan(setup).remarks == ["retired._domainkey.example.org may go from the zone: the key is retired"])
        setup.keys = []
        #expect(RecordPlan(setup).remarks.first?.contains("postern dkim new example.org") == true)
    }

    @Test func reportsOnlyWhereSomebodyWantsThem() {
        var setup = Self.setup()
        setup.dmarcReports = "dmarc@example.org"
        setup.tlsReports = "tls@example.org"
        setup.dmarcPolicy = .reject
        #expect(values(RecordPlan(setup), .dmarc) == ["_dmarc.example.org TXT \"v=DMARC1; p=reject; rua=mailto:dmarc@example.org\""])
        #expect(values(RecordPlan(setup), .tlsReport) == ["_smtp._tls.example.org TXT \"v=TLSRPTv1; rua=mailto:tls@example.org\""])
    }

    @Test func thePolicyFileAndItsId() throws {
        var setup = Self.setup()
        let testing = try #require(RecordPlan(setup).policies.first)
        #expect(testing.text == "version: STSv1\r\nmode: testing\r\nmx: mail.example.org\r\nmax_age: 86400\r\n")
        #expect(testing.address == "https://mta-sts.example.org/.well-known/mta-sts.txt")
        setup.stsMode = .enforce
        let enforced = try #require(RecordPlan(setup).policies.first)
        #expect(enforced.id != testing.id && enforced.id.count == 16)
        #expect(values(RecordPlan(setup), .sts) == ["_mta-sts.example.org TXT \"v=STSv1; id=\(enforced.id)\""])
        setup.stsMode = .none
        #expect(RecordPlan(setup).policies == [] && values(RecordPlan(setup), .sts) == [])
    }

    @Test func aPolicyThatWeServeIsAnnouncedWithItsHost() throws {
        var setup = Self.setup()
        setup.servedPolicy = "version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n"
        let plan = RecordPlan(setup)
        #expect(plan.policies.first?.text == setup.servedPolicy)
        #expect(values(plan, .stsHost) == ["mta-sts.example.org A 203.0.113.5", "mta-sts.example.org AAAA 2001:db8::5"])
        let record = try #require(plan.records.first { $0.purpose == .sts })
        #expect(record.condition == nil && record.weight == .recommended)
        #expect(ZoneFragment(plan).text.contains("\n_mta-sts.example.org. 3600 IN TXT"))
    }

    @Test func whatMustWaitIsCommentedOut() {
        let plan = RecordPlan(Self.setup())
        let plain = ZoneFragment(plan).text.split(separator: "\n")
        #expect(plain.contains { $0.hasPrefix(";_25._tcp.mail.example.org. 3600 IN TLSA") })
        #expect(plain.contains { $0.hasPrefix(";_mta-sts.example.org. ") })
        #expect(plain.contains("; 5.113.0.203.in-addr.arpa. 3600 IN PTR mail.example.org."))
        #expect(ZoneFragment(plan, isSigned: true).text.contains("\n_25._tcp.mail.example.org. 3600 IN TLSA"))
    }

    @Test func eachZoneHasItsOwnSection() {
        var setup = Self.setup()
        setup.domains = [name("example.org"), name("example.com")]
        setup.hostname = name("mx.provider.example")
        let all = ZoneFragment(RecordPlan(setup)).text
        #expect(all.contains("==== records of the zone that holds mx.provider.example"))
        let one = ZoneFragment(RecordPlan(setup), only: name("example.com")).text
        let owners = one.split(separator: "\n").filter { !$0.hasPrefix(";") }.map { $0.prefix { $0 != " " } }
        #expect(!owners.isEmpty && owners.allSatisfy { $0.hasSuffix("example.com.") })
    }
}
