import DNS
import NetworkAddress
import PosternTesting
import Testing

/// iprev (RFC 8601 §3, results by §2.7.3).
@Suite struct ReverseNameCheckTests {
    static let zone = """
        1.2.0.192.in-addr.arpa. PTR mail.example.
        mail.example. A 192.0.2.1
        2.2.0.192.in-addr.arpa. PTR mail.example.
        3.2.0.192.in-addr.arpa. PTR nowhere.example.
        4.2.0.192.in-addr.arpa. PTR slow.example.
        5.2.0.192.in-addr.arpa. PTR bad_name.example.
        6.2.0.192.in-addr.arpa. PTR slow.example.
        6.2.0.192.in-addr.arpa. PTR mail6.example.
        mail6.example. A 192.0.2.6
        1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. PTR six.example.
        six.example. AAAA 2001:db8::1
        """

    @Test(arguments: [
        ("192.0.2.1", ReverseNameCheck.Verdict.pass, "mail.example"), ("::ffff:192.0.2.1", .pass, "mail.example"), ("2001:db8::1", .pass, "six.example"),
        ("192.0.2.2", .fail, ""), ("192.0.2.3", .fail, ""), ("192.0.2.4", .temperror, ""), ("192.0.2.5", .permerror, ""),
        ("192.0.2.6", .pass, "mail6.example"), ("192.0.2.7", .permerror, ""), ("192.0.2.8", .temperror, ""),
    ])
    func verdicts(_ client: String, _ verdict: ReverseNameCheck.Verdict, _ name: String) async throws {
        let dns = try ZoneResolver(Self.zone, timeouts: ["slow.example", "8.2.0.192.in-addr.arpa"])
        let found = await ReverseNameCheck.run(try #require(IPAddress(client)), dns)
        #expect(found.verdict == verdict, "\(found.reason)")
        #expect((found.verifiedName ?? "") == name)
    }
}
