import DNS
import NetworkAddress
import PosternTesting
import Testing

@Suite struct ZoneResolverTests {
    private func name(_ text: String) throws -> DomainName { try #require(DomainName(text)) }

    @Test func fourOutcomes() async throws {
        let dns = try ZoneResolver("deep.a.example. 60 A 192.0.2.1", timeouts: ["slow.example"], secure: ["a.example"])
        let found = await dns.lookup(ARecord.self, at: try name("DEEP.a.example"))
        #expect(found.records.map(\.address.description) == ["192.0.2.1"])
        #expect(found.isSecure && found.timeToLive == 60)
        #expect(await dns.resolve(DNSQuestion(try name("deep.a.example"), .mx)).outcome == .noData)
        // An empty non-terminal exists.
        #expect(await dns.resolve(DNSQuestion(try name("a.example"), .a)).outcome == .noData)
        #expect(await dns.resolve(DNSQuestion(try name("b.example"), .a)).outcome == .nameError)
        #expect(await dns.resolve(DNSQuestion(try name("slow.example"), .a)).outcome == .temporaryFailure("timed out"))
        #expect(dns.queryCount == 5)
    }

    @Test func followsAliases() async throws {
        let dns = try ZoneResolver("""
            www.example. CNAME web.example.
            web.example. CNAME host.example.
            host.example. A 192.0.2.7
            loop.example. CNAME pool.example.
            pool.example. CNAME loop.example.
            gone.example. CNAME nowhere.example.
            """)
        let answer = await dns.lookup(ARecord.self, at: try name("www.example"))
        #expect(answer.records.count == 1 && answer.canonicalName?.text == "host.example")
        #expect(await dns.lookup(ARecord.self, at: try name("loop.example")).failure != nil)
        #expect(await dns.lookup(ARecord.self, at: try name("gone.example")).isNameError)
        #expect(await dns.resolve(DNSQuestion(try name("www.example"), .cname)).outcome != .noData)
    }
}

@Suite struct RecordDataTests {
    @Test func malformedRDATA() {
        #expect(ARecord(rdata: [1, 2, 3]) == nil)
        #expect(AAAARecord(rdata: [1, 2, 3, 4]) == nil)
        #expect(MXRecord(rdata: [0, 10]) == nil)
        #expect(MXRecord(rdata: [0, 10, 5, 97]) == nil)
        #expect(PTRRecord(rdata: [0xc0, 12]) == nil)
        #expect(TXTRecord(rdata: [3, 97]) == nil)
        #expect(TXTRecord(rdata: [])?.joined == [])
        #expect(TLSARecord(rdata: [3, 1, 1]) == nil)
        #expect(NSRecord(rdata: [3, 97, 46, 98, 0]) == nil)
    }

    @Test func oneMalformedRecordSpoilsTheAnswer() async throws {
        let dns = try ZoneResolver(##"x.example. A \# 3 010203"## + "\nx.example. A 192.0.2.1")
        let answer = await dns.lookup(ARecord.self, at: try #require(DomainName("x.example")))
        #expect(answer.failure == "malformed A record at x.example")
    }

    @Test func namesSurviveTheWire() throws {
        let name = try #require(DomainName("_dmarc.example.org"))
        let wire = WireName.encode(name)
        #expect(wire.count == 20)
        #expect(WireName.decode(wire[...])?.name == name)
        #expect(WireName.decode(wire[...])?.consumed == 20)
        #expect(WireName.decode([0])?.name.isRoot == true)
    }

    @Test func recordTypes() {
        #expect(DNSRecordType("txt") == .txt)
        #expect(DNSRecordType("TYPE52") == .tlsa)
        #expect(DNSRecordType("TYPE99999") == nil)
        #expect(DNSRecordType(rawValue: 65280).description == "TYPE65280")
    }
}
