import DMARC
import DNS
import InternetMessage
import NetworkAddress
import PosternTesting
import Testing

/// The examples of RFC 9989, Appendix B, each with the result it states.
@Suite struct AppendixTests {
    private static func name(_ text: String) -> DomainName? { DomainName(text) }

    private func evaluate(_ from: String, spf: String? = nil, dkim: String? = nil, zone: String) async throws -> (DMARCResult, ZoneResolver) {
        let dns = try ZoneResolver(zone)
        let result = await DMARCEvaluator(resolver: dns).evaluate(
            fromFields: [HeaderField(name: "From", value: from)], spf: spf.flatMap { DomainName($0) }, dkim: [dkim].compactMap { $0.flatMap { DomainName($0) } })
        return (result, dns)
    }

    private static let owner = "_dmarc.example.com. TXT \"v=DMARC1; p=reject\"\n"
    private static let strict = "_dmarc.example.com. TXT \"v=DMARC1; p=reject; aspf=s; adkim=s\"\n"

    // MARK: B.1.1, SPF

    @Test func spfInStrictAlignment() async throws {
        for zone in [Self.owner, Self.strict] {
            #expect(try await evaluate("sender@example.com", spf: "example.com", zone: zone).0.verdict == .pass)
        }
    }

    @Test func spfInRelaxedAlignmentWithAChild() async throws {
        #expect(try await evaluate("sender@example.com", spf: "child.example.com", zone: Self.owner).0.verdict == .pass)
        #expect(try await evaluate("sender@example.com", spf: "child.example.com", zone: Self.strict).0.verdict == .fail)
    }

    @Test func spfNotInAlignment() async throws {
        #expect(try await evaluate("sender@child.example.com", spf: "example.net", zone: Self.owner).0.verdict == .fail)
    }

    // MARK: B.1.2, DKIM

    @Test func dkimInStrictAlignment() async throws {
        for zone in [Self.owner, Self.strict] {
            #expect(try await evaluate("sender@example.com", dkim: "example.com", zone: zone).0.verdict == .pass)
        }
    }

    @Test func dkimInRelaxedAlignmentWithTheParent() async throws {
        #expect(try await evaluate("sender@child.example.com", dkim: "example.com", zone: Self.owner).0.verdict == .pass)
        #expect(try await evaluate("sender@child.example.com", dkim: "example.com", zone: Self.strict).0.verdict == .fail)
    }

    @Test func dkimNotInAlignment() async throws {
        #expect(try await evaluate("sender@child.example.com", dkim: "sample.net", zone: Self.owner).0.verdict == .fail)
    }

    // MARK: B.2, records in several strings, as a zone file has them

    @Test(arguments: [
        ("example.com", "\"v=DMARC1; p=none; \" \"rua=mailto:dmarc-feedback@example.com\"", "none", 1, 0),
        ("example.com", "\"v=DMARC1; p=none; \" \"rua=mailto:dmarc-feedback@example.com; \" \"ruf=mailto:auth-reports@example.com\"", "none", 1, 1),
        ("example.com", "\"v=DMARC1; p=none; \" \"rua=mailto:dmarc-feedback@example.com; \" \"ruf=mailto:auth-reports@thirdparty.example.net\"", "none", 1, 1),
        // B.2.4: p=quarantine under t=y asks for nothing yet.
        ("test.example.com", "\"v=DMARC1; p=quarantine; \" \"rua=mailto:dmarc-feedback@example.com,\" \"mailto:tld-test@thirdparty.example.net; \" \"t=y\"", "none", 2, 0),
        ("test.example.com", "\"v=DMARC1; p=reject; \" \"rua=mailto:dmarc-feedback@example.com,\" \"mailto:tld-test@thirdparty.example.net\"", "reject", 2, 0),
    ])
    func ownersRecords(_ domain: String, _ text: String, _ applied: String, _ aggregate: Int, _ failure: Int) async throws {
        let dns = try ZoneResolver("_dmarc.\(domain). TXT \(text)")
        let found = await DMARCEvaluator(resolver: dns).discover(try #require(DomainName(domain)))
        let policy = try #require(found.policy)
        #expect(policy.domain.text == domain)
        #expect(policy.applied.rawValue == applied)
        #expect(policy.record.rua.count == aggregate && policy.record.ruf.count == failure)
        #expect(policy.record.defect == nil)
    }

    @Test func theSubdomainsRecordIsItsOwn() async throws {
        let zone = "_dmarc.example.com. TXT \"v=DMARC1; p=none\"\n_dmarc.test.example.com. TXT \"v=DMARC1; p=reject\"\n"
        #expect(try await evaluate("a@test.example.com", zone: zone).0.disposition == .reject)
        #expect(try await evaluate("a@example.com", zone: zone).0.disposition == .none)
    }

    // MARK: B.3.1, processing at SMTP time

    @Test func bothIdentifiersAlign() async throws {
        let zone = "_dmarc.example.com. TXT \"v=DMARC1; p=reject; aspf=r; rua=mailto:dmarc-feedback@example.com\""
        for (spf, dkim) in [("mail.example.com", nil), (nil, "example.com"), ("mail.example.com", "example.com")] as [(String?, String?)] {
            #expect(try await evaluate("a@example.com", spf: spf, dkim: dkim, zone: zone).0.verdict == .pass)
        }
        let (result, _) = try await evaluate("a@example.com", zone: zone)
        #expect(result.verdict == .fail && result.disposition == .reject)
    }

    // MARK: B.3.2, Organizational and Policy Domains

    private static let signing = owner + "_dmarc.signing.example.com. TXT \"v=DMARC1; p=none\"\n"

    /// From and MAIL FROM example.com, d=signing.example.com, both with records.
    @Test func simpleWalk() async throws {
        let (dkim, _) = try await evaluate("a@example.com", dkim: "signing.example.com", zone: Self.signing)
        #expect(dkim.verdict == .pass)
        #expect(dkim.alignments.map(\.state) == [.organizational(try #require(DomainName("example.com")))])
        #expect(try await evaluate("a@example.com", spf: "example.com", zone: Self.signing).0.verdict == .pass)
        let (neither, _) = try await evaluate("a@example.com", zone: Self.signing)
        #expect(neither.policy?.domain.text == "example.com" && neither.disposition == .reject)
    }

    /// From a.b.c.d.e.f.g.h.i.j.k.example.com: the name itself, then from seven labels down to one.
    @Test func deepWalk() async throws {
        let author = "a.b.c.d.e.f.g.h.i.j.k.example.com"
        let (result, dns) = try await evaluate("x@\(author)", dkim: "signing.example.com", zone: Self.signing)
        #expect(result.verdict == .pass)
        #expect(result.policy?.domain.text == "example.com")
        #expect(dns.questions.map(\.name.text).prefix(8) == [
            "_dmarc.\(author)", "_dmarc.g.h.i.j.k.example.com", "_dmarc.h.i.j.k.example.com", "_dmarc.i.j.k.example.com", "_dmarc.j.k.example.com",
            "_dmarc.k.example.com", "_dmarc.example.com", "_dmarc.com",
        ])
        #expect(try await evaluate("x@\(author)", spf: "example.com", zone: Self.signing).0.verdict == .pass)
    }

    /// From giant.bank.example, MAIL FROM mail.giant.bank.example, d=mail.mega.bank.example below a public suffix.
    @Test func publicSuffixWalk() async throws {
        let zone = """
            _dmarc.bank.example. TXT "v=DMARC1; p=reject; psd=y"
            _dmarc.giant.bank.example. TXT "v=DMARC1; p=quarantine"
            _dmarc.mega.bank.example. TXT "v=DMARC1; p=none"

            """
        let (spf, _) = try await evaluate("a@giant.bank.example", spf: "mail.giant.bank.example", zone: zone)
        #expect(spf.verdict == .pass)
        #expect(spf.organizationalDomain?.text == "giant.bank.example")
        let (dkim, _) = try await evaluate("a@giant.bank.example", dkim: "mail.mega.bank.example", zone: zone)
        #expect(dkim.verdict == .fail)
        #expect(dkim.policy?.domain.text == "giant.bank.example" && dkim.disposition == .quarantine)
    }
}
