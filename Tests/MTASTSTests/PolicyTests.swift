import DNS
import MTASTS
import NetworkAddress
import Testing

/// RFC 8461 §3.1, §3.2, §4.1.
@Suite struct PolicyTests {
    static let document = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmx: backupmx.example.com\r\nmax_age: 604800\r\n"

    @Test func theStandardsExample() throws {
        let policy = try STSPolicy(Self.document)
        #expect(policy.mode == .enforce)
        #expect(policy.mx == ["mail.example.com", "*.example.net", "backupmx.example.com"])
        #expect(policy.maxAge == 604_800)
    }

    @Test(arguments: [
        ("version: STSv1\nmode: testing\nmx: a.example\nmax_age: 1", true), ("version:STSv1\nmode:none\nmax_age:0\n", true),
        ("version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 86400\nfuture: thing\n\n", true),
        ("mode: enforce\nmx: a.example\nmax_age: 1", false), ("version: STSv2\nmode: enforce\nmx: a.example\nmax_age: 1", false),
        ("version: STSv1\nmode: strict\nmx: a.example\nmax_age: 1", false), ("version: STSv1\nmode: enforce\nmax_age: 1", false),
        ("version: STSv1\nmode: enforce\nmx: a.example", false), ("version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 31557601", false),
        ("version: STSv1\nmode: enforce\nmx: a.example\nmax_age: -1", false), ("version: STSv1\nmode: enforce\nmx: *.*.example\nmax_age: 1", false),
        ("version: STSv1\nmode: enforce\nmx: a b\nmax_age: 1", false), ("<html>no such page</html>", false), ("", false),
    ])
    func documents(text: String, isValid: Bool) { #expect(((try? STSPolicy(text)) != nil) == isValid) }

    @Test(arguments: [
        ("mail.example.com", true), ("MAIL.example.com", true), ("mx.example.net", true), ("example.net", false), ("a.mx.example.net", false),
        ("other.example.com", false), ("mail.example.com.evil.test", false), ("xexample.net", false),
    ])
    func hosts(name: String, isAllowed: Bool) throws {
        #expect(try STSPolicy(Self.document).allows(#require(DomainName(name))) == isAllowed)
    }

    @Test(arguments: [
        (["v=STSv1; id=20160831085700Z;"], "20160831085700Z"), (["v=STSv1;id=1"], "1"), (["v=STSv1; future=x; id=abc"], "abc"),
        (["v=spf1 -all", "v=STSv1; id=7;"], "7"), ([], nil), (["v=STSv1; id=1;", "v=STSv1; id=2;"], nil), (["v=STSv1;"], nil),
        (["v=STSv1; id=a-b"], nil), (["v=STSv1; id=" + String(repeating: "1", count: 33)], nil), (["v=STSv10; id=1"], nil),
    ])
    func records(texts: [String], id: String?) {
        let records = texts.compactMap { TXTRecord(rdata: [UInt8($0.utf8.count)] + Array($0.utf8)) }
        #expect(STSRecord(records)?.id == id)
    }
}
