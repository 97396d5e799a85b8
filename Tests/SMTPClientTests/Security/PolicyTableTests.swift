@testable import SMTPClient
import Testing

/// `smtp_tls_policy_maps`' words and look-up order.
@Suite struct PolicyTableTests {
    @Test func theMostExactEntryCounts() throws {
        let table = TLSPolicyTable(["d.test": TLSPolicy(.encrypt), ".d.test": TLSPolicy(.secure), ".test": TLSPolicy(.none),
                                    "[mx.d.test]:587": TLSPolicy(.verify)])
        func level(_ hop: String) throws -> TLSLevel? { table.policy(for: try #require(NextHop(hop)))?.level }
        #expect(try level("d.test") == .encrypt)
        #expect(try level("d.test:26") == .encrypt)
        #expect(try level("a.d.test") == .secure)
        #expect(try level("a.b.d.test") == .secure)
        #expect(try level("other.test") == TLSLevel.none)
        #expect(try level("[mx.d.test]:587") == .verify)
        #expect(try level("[mx.d.test]") == .secure)
        #expect(try level("d.example") == nil)
        #expect(try level("[192.0.2.1]") == nil)
    }

    @Test(arguments: [("none", TLSLevel.none, []), ("dane-only", .daneOnly, []), ("secure match=a.test:.b.test", .secure, [.name("a.test"), .name(".b.test")]),
                      ("verify match=nexthop:hostname:dot-nexthop", .verify, [TLSPolicy.Match.nextHop, .hostName, .dotNextHop])])
    func words(text: String, level: TLSLevel, matches: [TLSPolicy.Match]) {
        #expect(TLSPolicy(text) == TLSPolicy(level, matches: matches))
    }

    @Test(arguments: ["", "must", "may match=a.test", "secure match=a b", "secure protocols=TLSv1", "secure match=-x"])
    func whatIsNoPolicy(text: String) { #expect(TLSPolicy(text) == nil) }

    @Test func namesOfACertificate() {
        #expect(TLSPolicy(.verify).names(host: "mx.d.test", nextHop: "d.test") == ["mx.d.test"])
        #expect(TLSPolicy(.secure).names(host: "mx.d.test", nextHop: "d.test") == ["d.test", ".d.test"])
        #expect(TLSPolicy(.secure, matches: [.name("x.test")]).names(host: "mx.d.test", nextHop: "d.test") == ["x.test"])
    }
}
