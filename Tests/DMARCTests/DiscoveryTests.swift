import DMARC
import DNS
import NetworkAddress
import PosternTesting
import Testing

@Suite struct DiscoveryTests {
    private func name(_ text: String) throws -> DomainName { try #require(DomainName(text)) }

    private func discover(_ domain: String, _ zone: String, timeouts: [String] = []) async throws -> DMARCDiscovery {
        let dns = try ZoneResolver(zone, timeouts: timeouts)
        return await DMARCEvaluator(resolver: dns).discover(try name(domain))
    }

    /// The example of RFC 9989 §4.10: thirteen labels, eight questions.
    @Test func longNamesTakeEightQuestions() async throws {
        let found = try await discover("a.b.c.d.e.f.g.h.i.j.mail.example.com", "")
        #expect(found.steps.map(\.domain.text) == [
            "a.b.c.d.e.f.g.h.i.j.mail.example.com", "g.h.i.j.mail.example.com", "h.i.j.mail.example.com", "i.j.mail.example.com",
            "j.mail.example.com", "mail.example.com", "example.com", "com",
        ])
        #expect(found.policy == nil && found.organizationalDomain?.text == "a.b.c.d.e.f.g.h.i.j.mail.example.com")
    }

    @Test(arguments: [("a.b.c.d.e.f.g.com", 8), ("a.b.c.d.e.f.g.h.com", 8), ("b.c.d.e.f.g.com", 7), ("com", 1)])
    func walkLength(_ domain: String, _ count: Int) async throws {
        #expect(try await discover(domain, "").steps.count == count)
    }

    /// The three examples at the end of §4.10.2.
    @Test func organizationalDomains() async throws {
        let twoRecords = "_dmarc.mail.example.com. TXT \"v=DMARC1; p=none\"\n_dmarc.example.com. TXT \"v=DMARC1; p=reject\""
        #expect(try await discover("a.mail.example.com", twoRecords).organizationalDomain?.text == "example.com")
        let zoneCut = "_dmarc.mail.example.com. TXT \"v=DMARC1; psd=n\"\n_dmarc.example.com. TXT \"v=DMARC1; p=reject\""
        let cut = try await discover("a.mail.example.com", zoneCut)
        #expect(cut.organizationalDomain?.text == "mail.example.com")
        #expect(cut.steps.count == 2)
        let suffix = try await discover("a.mail.example.com", "_dmarc.com. TXT \"v=DMARC1; psd=y; p=reject\"")
        #expect(suffix.organizationalDomain?.text == "example.com")
        #expect(suffix.policy?.domain.text == "com" && suffix.policy?.tag == .p)
    }

    @Test func aPublicSuffixIsItsOwnOrganizationWhereTheWalkStarts() async throws {
        let found = try await discover("gov.example", "_dmarc.gov.example. TXT \"v=DMARC1; psd=y; p=reject; sp=none\"")
        #expect(found.organizationalDomain?.text == "gov.example")
        #expect(found.policy?.tag == .p && found.policy?.published == .reject)
        #expect(found.steps.count == 1)
    }

    /// A record between author and Organizational Domain is not among §4.10.1's three places.
    @Test func recordsInBetweenDoNotApply() async throws {
        let zone = """
            _dmarc.mail.example.com. TXT "v=DMARC1; p=reject"
            _dmarc.example.com. TXT "v=DMARC1; p=none; sp=quarantine"
            a.mail.example.com. A 192.0.2.1
            """
        let found = try await discover("a.mail.example.com", zone)
        #expect(found.policy?.domain.text == "example.com" && found.policy?.tag == .sp && found.policy?.published == .quarantine)
    }

    @Test(arguments: [
        ("example.com", "p", "none"), ("real.example.com", "sp", "quarantine"), ("nothing.example.com", "np", "reject"),
        // An empty non-terminal exists.
        ("empty.example.com", "sp", "quarantine"),
    ]) func tags(_ domain: String, _ tag: String, _ policy: String) async throws {
        let zone = """
            _dmarc.example.com. TXT "v=DMARC1; p=none; sp=quarantine; " "np=reject"
            real.example.com. A 192.0.2.1
            www.empty.example.com. A 192.0.2.1
            """
        let found = try await discover(domain, zone)
        #expect(found.policy?.tag.rawValue == tag && found.policy?.published.rawValue == policy)
        #expect(found.failure == nil)
    }

    @Test func npFallsBackToSpThenP() async throws {
        let sp = try await discover("no.example.com", "_dmarc.example.com. TXT \"v=DMARC1; p=none; sp=reject\"")
        #expect(sp.policy?.tag == .sp && sp.policy?.published == .reject)
        let p = try await discover("no.example.com", "_dmarc.example.com. TXT \"v=DMARC1; p=quarantine\"")
        #expect(p.policy?.tag == .p && p.policy?.published == .quarantine)
    }

    @Test(arguments: [("reject", "quarantine"), ("quarantine", "none"), ("none", "none")])
    func testModeIsOneLevelMilder(_ published: String, _ applied: String) async throws {
        let found = try await discover("example.com", "_dmarc.example.com. TXT \"v=DMARC1; t=y; p=\(published)\"")
        #expect(found.policy?.published.rawValue == published && found.policy?.applied.rawValue == applied)
    }

    /// §4.10 step 2: several records count as none, others at the name do not matter.
    @Test func severalRecords() async throws {
        let zone = """
            _dmarc.example.com. TXT "v=DMARC1; p=reject"
            _dmarc.example.com. TXT "v=DMARC1; p=none"
            """
        let found = try await discover("example.com", zone)
        #expect(found.policy == nil)
        #expect(found.steps.first?.finding == .several(2))
        let mixed = try await discover("example.com", "_dmarc.example.com. TXT \"hello\"\n_dmarc.example.com. TXT \"v=DMARC1; p=reject\"")
        #expect(mixed.policy?.published == .reject)
    }

    @Test func failuresConcludeNothing() async throws {
        let found = try await discover("a.example.com", "_dmarc.a.example.com. TXT \"v=DMARC1; p=reject\"", timeouts: ["_dmarc.example.com"])
        #expect(found.failure == "_dmarc.example.com: timed out")
        #expect(found.policy == nil && found.organizationalDomain == nil)
        let existence = try await discover(
            "a.example.com", "_dmarc.example.com. TXT \"v=DMARC1; p=none; np=reject\"", timeouts: ["a.example.com"])
        #expect(existence.failure == "a.example.com A: timed out" && existence.policy == nil)
    }
}
