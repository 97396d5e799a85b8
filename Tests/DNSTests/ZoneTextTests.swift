import DNS
import NetworkAddress
import PosternTesting
import Testing

@Suite struct ZoneTextTests {
    private func one(_ line: String) throws -> ZoneRecord {
        let all = try ZoneText.parse(line)
        #expect(all.count == 1)
        return try #require(all.first)
    }

    @Test func addresses() throws {
        #expect(try one("a.example. A 192.0.2.1").rdata == [192, 0, 2, 1])
        #expect(try one("a.example. 60 IN AAAA 2001:db8::1").rdata == [0x20, 1, 0xd, 0xb8] + Array(repeating: 0, count: 11) + [1])
        #expect(throws: ZoneTextError.self) { try one("a.example. A 2001:db8::1") }
        #expect(throws: ZoneTextError.self) { try one("a.example. A 192.0.2") }
    }

    @Test func namesAreCompletedWithTheOrigin() throws {
        let zone = """
            $ORIGIN example.org.
            $TTL 1h
            @       IN  NS  ns
                        MX  10 mail
            www     60  CNAME @
            $ORIGIN sub
            x       IN 1m30s PTR  elsewhere.example.
            """
        let all = try ZoneText.parse(zone)
        #expect(all.map(\.name.text) == ["example.org", "example.org", "www.example.org", "x.sub.example.org"])
        #expect(all.map(\.timeToLive) == [3600, 3600, 60, 90])
        #expect(NSRecord(rdata: all[0].rdata)?.name.text == "ns.example.org")
        #expect(MXRecord(rdata: all[1].rdata)?.exchange.text == "mail.example.org")
        #expect(PTRRecord(rdata: all[3].rdata)?.name.text == "elsewhere.example")
    }

    @Test func textStringsKeepTheirBoundariesAndEscapes() throws {
        let record = try one(#"t.example. TXT "v=spf1 " ip4:192.0.2.1 "a\"b\\c\200" "" ; comment"#)
        #expect(TXTRecord(rdata: record.rdata)?.strings == [
            Array("v=spf1 ".utf8), Array("ip4:192.0.2.1".utf8), Array(#"a"b\c"#.utf8) + [200], [],
        ])
        #expect(try one("t.example. TXT \"a;b(c\"").rdata == [5] + Array("a;b(c".utf8))
        let long = String(repeating: "x", count: 256)
        #expect(throws: ZoneTextError.self) { try one("t.example. TXT \"\(long)\"") }
        #expect(throws: ZoneTextError.self) { try one("t.example. TXT \"open") }
    }

    @Test func parenthesesJoinLines() throws {
        let soa = try one("""
            example. SOA ns.example. host.example. ( 2024010101 ; serial
                1h 600
                1w 300 )
            """)
        #expect(soa.type == .soa)
        #expect(Array(soa.rdata.suffix(20)) == [0x78, 0xa3, 0xf1, 0x75, 0, 0, 0xe, 0x10, 0, 0, 2, 88, 0, 9, 0x3a, 0x80, 0, 0, 1, 44])
        #expect(throws: ZoneTextError(line: 1, reason: "'(' is never closed")) { try ZoneText.parse("example. TXT ( a") }
    }

    @Test func otherTypes() throws {
        #expect(try one("_imaps._tcp.x.example. SRV 0 1 993 m.").rdata == [0, 0, 0, 1, 3, 225, 1, 109, 0])
        let tlsa = TLSARecord(rdata: try one("_25._tcp.x.example. TLSA 3 1 1 0aFF 10").rdata)
        #expect(tlsa?.data == [0x0a, 0xff, 0x10])
        #expect(try one(##"x.example. TYPE65280 \# 3 0102 ff"##).rdata == [1, 2, 255])
        #expect(throws: ZoneTextError.self) { try one(##"x.example. TYPE65280 \# 4 0102ff"##) }
        #expect(MXRecord(rdata: try one("x.example. MX 0 .").rdata)?.isNull == true)
    }

    @Test func namesReadBackAsWritten() throws {
        let odd = try #require(DomainName(queryName: "a b;c\\d(\u{7f}\u{1}@$\".example"))
        #expect(odd.presentation == #"a\032b\059c\092d\040\127\001\064\036\034.example."#)
        #expect(try one("\(odd.presentation) A 192.0.2.1").name == odd)
        #expect(DomainName.root.presentation == ".")
    }

    @Test func unusualLabels() throws {
        #expect(try one(#"a\032b.example. A 192.0.2.1"#).name.text == "a b.example")
        #expect(try one("Bücher.example. A 192.0.2.1").name.text == "xn--bcher-kva.example")
        #expect(throws: ZoneTextError.self) { try one(#"a\.b.example. A 192.0.2.1"#) }
        #expect(throws: ZoneTextError.self) { try one("a..example. A 192.0.2.1") }
    }

    @Test(arguments: [
        ("a.example.", "the record has no type"), ("a.example. NONSENSE x", "'NONSENSE' is not a record type"),
        ("  A 192.0.2.1", "the first record has no owner name"), ("$INCLUDE x", "directive '$INCLUDE' is not supported here"),
        ("a.example. MX 70000 b.", "'70000' is not a number from 0 to 65535"),
    ]) func errorsSayWhereAndWhat(_ line: String, _ reason: String) {
        #expect(throws: ZoneTextError(line: 2, reason: reason)) { try ZoneText.parse("; first\n" + line) }
    }
}
