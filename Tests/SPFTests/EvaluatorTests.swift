import DNS
import InternetMessage
import NetworkAddress
import PosternTesting
import SPF
import Testing

@Suite struct EvaluatorTests {
    private func check(
        _ zone: String, from sender: String? = "user@example.com", helo: String = "client.example.net", client: String = "192.0.2.1",
        limits: SPFLimits = .init(), failing: [String] = []
    ) async throws -> SPFResult {
        let spf = SPFEvaluator(resolver: try ZoneResolver(zone, failing: failing), limits: limits, receiverName: "mx.example.org", now: { 1234 })
        let address = try sender.map { try #require(EmailAddress($0)) }
        return await spf.check(client: try #require(IPAddress(client)), helo: helo, sender: address)
    }

    @Test func saysWhatMatched() async throws {
        let result = try await check("""
            example.com. TXT "v=spf1 ip4:198.51.100.0/24 include:esp.example -all"
            esp.example. TXT "v=spf1 a:out.esp.example ?all"
            out.esp.example. A 192.0.2.1
            """)
        #expect(result.verdict == .pass && result.identity == .mailfrom && result.domain?.text == "example.com")
        #expect(result.match?.description == "include:esp.example in the record of example.com")
        #expect(result.reason == "192.0.2.1 matches include:esp.example in the record of example.com")
        #expect(result.record == "v=spf1 ip4:198.51.100.0/24 include:esp.example -all")
        #expect(result.lookups.map(\.description) == [
            "example.com TXT: \"v=spf1 ip4:198.51.100.0/24 include:esp.example -all\"",
            "esp.example TXT: \"v=spf1 a:out.esp.example ?all\"", "out.esp.example A: 192.0.2.1",
        ])
    }

    @Test func redirectNamesTheRecordThatDecided() async throws {
        let result = try await check("example.com. TXT \"v=spf1 redirect=b.example\"\nb.example. TXT \"v=spf1 ~all\"")
        #expect(result.verdict == .softfail && result.match?.domain.text == "b.example" && result.match?.directive == "~all")
    }

    /// RFC 7208 §2.4: the null sender stands for postmaster at the HELO name.
    @Test func nullSender() async throws {
        let result = try await check("client.example.net. TXT \"v=spf1 exists:%{l}.%{o}.x.example -all\"\npostmaster.client.example.net.x.example. A 127.0.0.2",
                                     from: nil)
        #expect(result.verdict == .pass && result.identity == .helo && result.domainText == "client.example.net")
    }

    @Test(arguments: ["localhost", "[192.0.2.1]", "[IPv6:2001:db8::1]", "192.0.2.1", "", "a..b", "2001:db8::1"])
    func heloThatIsNoDomain(_ helo: String) async throws {
        let result = try await check("", from: nil, helo: helo)
        #expect(result.verdict == .none && result.domain == nil && result.lookups.isEmpty)
        #expect(result.reason.contains("4.3"))
    }

    @Test func addressLiteralsAsSender() async throws {
        #expect(try await check("", from: "user@[192.0.2.1]").verdict == .none)
    }

    /// RFC 8616 §4: U-labels are asked for as A-labels; terms with %{l} or %{s} match nothing for a non-ASCII local part.
    @Test func internationalMail() async throws {
        let zone = "xn--bcher-kva.example. TXT \"v=spf1 -exists:%{l}.x.example ip4:192.0.2.1 -all\"\n*.x.example. A 127.0.0.2"
        #expect(try await check(zone, from: "jörg@Bücher.example").verdict == .pass)
        #expect(try await check("example.com. TXT \"v=spf1 include:%{l}.x.example ?all\"", from: "jörg@example.com").verdict == .neutral)
        #expect(try await check("example.com. TXT \"v=spf1 redirect=%{l}.x.example\"", from: "jörg@example.com").verdict == .permerror)
    }

    /// §4.6.4's limits are configurable, and one more is one too many.
    @Test func limits() async throws {
        let zone = """
            example.com. TXT "v=spf1 a:n1.example a:n2.example a:n3.example ip4:192.0.2.1 -all"
            mx.example. TXT "v=spf1 mx -all"
            mx.example. MX 1 a.mx.example
            mx.example. MX 2 b.mx.example
            b.mx.example. A 192.0.2.1
            """
        let voids = try await check(zone)
        #expect(voids.verdict == .permerror && voids.reason.contains("4.6.4") && voids.match == nil)
        #expect(try await check(zone, limits: .init(voidLookups: 3)).verdict == .pass)
        #expect(try await check(zone, limits: .init(lookupTerms: 2, voidLookups: 3)).verdict == .permerror)
        #expect(try await check(zone, limits: .init(lookupTerms: 3, voidLookups: 3)).verdict == .pass)
        #expect(try await check(zone, from: "u@mx.example").verdict == .pass)
        #expect(try await check(zone, from: "u@mx.example", limits: .init(names: 1)).verdict == .permerror)
    }

    @Test func temporaryFailures() async throws {
        let zone = "example.com. TXT \"v=spf1 a:slow.example -all\"\nptr.example. TXT \"v=spf1 ptr ip4:192.0.2.1 -all\""
        let result = try await check(zone, failing: ["slow.example"])
        #expect(result.verdict == .temperror && result.reason == "the DNS did not answer slow.example A: SERVFAIL")
        #expect(try await check("", failing: ["example.com"]).verdict == .temperror)
        // §5.5: ptr does not match where the DNS fails.
        #expect(try await check(zone, from: "u@ptr.example", failing: ["1.2.0.192.in-addr.arpa"]).verdict == .pass)
    }

    @Test(arguments: [
        ("ip4:192.0.2.0/23", "192.0.3.255", "pass"), ("ip4:192.0.2.0/24", "192.0.3.0", "fail"), ("ip4:192.0.2.1", "::ffff:192.0.2.1", "pass"),
        ("ip6:2001:db8::/33", "2001:db8:7fff::1", "pass"), ("ip6:2001:db8::/33", "2001:db8:8000::1", "fail"),
        ("ip6:::ffff:0:0/96", "192.0.2.1", "fail"), ("ip6:::/0", "192.0.2.1", "fail"), ("ip6:::/0", "2001:db8::1", "pass"),
        ("ip4:0.0.0.0/0", "2001:db8::1", "fail"), ("ip4:192.0.2.1/00", "192.0.2.1", "permerror"), ("ip6:2001:db8::1%eth0", "2001:db8::1", "permerror"),
        ("ip4:192.0.2.01", "192.0.2.1", "permerror"), ("IP4:192.0.2.1", "192.0.2.1", "pass"), ("ip4:192.0.2.1/", "192.0.2.1", "permerror"),
        ("ip6:fe80::1/0128", "fe80::1", "permerror"), ("a/", "192.0.2.1", "permerror"), ("a//", "192.0.2.1", "permerror"),
        ("a:/24", "192.0.2.1", "permerror"), ("a:x.example/0/", "192.0.2.1", "permerror"),
    ]) func addressRanges(_ mechanism: String, _ client: String, _ verdict: String) async throws {
        let result = try await check("example.com. TXT \"v=spf1 \(mechanism) -all\"", client: client)
        #expect(result.verdict.rawValue == verdict, "\(result.reason)")
    }

    /// RFC 7208 §7.4's table.
    @Test(arguments: [
        ("%{s}", "strong-bad@email.example.com"), ("%{o}", "email.example.com"), ("%{d}", "email.example.com"), ("%{d4}", "email.example.com"),
        ("%{d3}", "email.example.com"), ("%{d2}", "example.com"), ("%{d1}", "com"), ("%{dr}", "com.example.email"), ("%{d2r}", "example.email"),
        ("%{l}", "strong-bad"), ("%{l-}", "strong.bad"), ("%{lr}", "strong-bad"), ("%{lr-}", "bad.strong"), ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"), ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
        ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
        ("%{c} %{r} %{t}%%%_%- %{d999999999999999999999}", "192.0.2.3 mx.example.org 1234% %20 email.example.com"),
        ("%{S}", "strong-bad%40email.example.com"),
    ]) func macros(_ text: String, _ expansion: String) async throws {
        let zone = "email.example.com. TXT \"v=spf1 -all exp=why.example\"\nwhy.example. TXT \"\(text)\""
        #expect(try await check(zone, from: "strong-bad@email.example.com", client: "192.0.2.3").explanation == expansion)
    }

    @Test(arguments: ["%{d0}", "%{d", "%{}", "%", "%{d!}", "%{dr2}", "%{ d}"]) func malformedMacros(_ macro: String) async throws {
        #expect(try await check("example.com. TXT \"v=spf1 exists:\(macro).example.net ?all\"").verdict == .permerror)
    }

    /// What a stranger wrote is made harmless: no control octets, bounded length.
    @Test func explanationsAreClean() async throws {
        let zone = "example.com. TXT \"v=spf1 -all exp=why.example\"\nwhy.example. TXT \"no: %{h}\""
        let result = try await check(zone, helo: "evil\r\nX: y\u{1b}[0mé" + String(repeating: "h", count: 2000))
        let text = try #require(result.explanation)
        #expect(text.hasPrefix("no: evil??X: y?[0m?h") || text.hasPrefix("no: evil?X: y?[0m?h"))
        #expect(text.utf8.count == 1000 && text.utf8.allSatisfy { (32...126).contains($0) })
    }

    /// A resolver that answers only when cancelled: the deadline ends the evaluation with temperror and keeps the trace.
    @Test func deadline() async throws {
        struct Stuck: Resolver {
            func resolve(_ question: DNSQuestion) async -> DNSResponse {
                if question.type == .txt { return DNSResponse(.records([[11] + Array("v=spf1 a mx".utf8)])) }
                try? await Task.sleep(for: .seconds(600))
                return DNSResponse(.temporaryFailure("cancelled"))
            }
        }
        let spf = SPFEvaluator(resolver: Stuck(), limits: .init(deadline: .milliseconds(20)), receiverName: "")
        let result = await spf.checkHelo(client: .v4Loopback, helo: "client.example")
        #expect(result.verdict == .temperror && result.reason.contains("took longer than"))
        #expect(result.lookups.map(\.question.type) == [.txt, .a])
    }

    @Test func hugeRecordsAreRead() async throws {
        let terms = (0..<200).map { "\"ip4:198.51.100.\($0) \"" }.joined(separator: " ")
        #expect(try await check("example.com. TXT \"v=spf1 \" \(terms) ip4:192.0.2.1").verdict == .pass)
    }
}
