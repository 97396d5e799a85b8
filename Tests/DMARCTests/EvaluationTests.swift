import DMARC
import DNS
import InternetMessage
import NetworkAddress
import PosternTesting
import Testing

@Suite struct EvaluationTests {
    static let zone = """
        _dmarc.example.com. TXT "v=DMARC1; p=reject"
        _dmarc.strict.example. TXT "v=DMARC1; p=quarantine; adkim=s; aspf=s"
        _dmarc.mixed.example. TXT "v=DMARC1; p=reject; adkim=s"
        _dmarc.broken.example. TXT "v=DMARC1; p=fly"
        _dmarc.test.example. TXT "v=DMARC1; p=reject; t=y"
        _dmarc.xn--bcher-kva.example. TXT "v=DMARC1; p=reject"
        _dmarc.gov.example. TXT "v=DMARC1; psd=y; p=none"
        _dmarc.dept.gov.example. TXT "v=DMARC1; p=reject"
        _dmarc.slowparent.example. TXT "v=DMARC1; p=reject"
        """

    private func run(
        _ from: String..., spf: String? = nil, dkim: [String] = [], undecided: [String] = [], timeouts: [String] = []
    ) async throws -> DMARCResult {
        let dns = try ZoneResolver(Self.zone, timeouts: timeouts)
        let fields = from.map { HeaderField(name: "From", value: $0) }
        return await DMARCEvaluator(resolver: dns).evaluate(
            fromFields: fields, spf: spf.flatMap { DomainName($0) }, dkim: dkim.compactMap { DomainName($0) },
            undecided: undecided.compactMap { DomainName($0) })
    }

    @Test(arguments: [
        // RFC 9989 §4.4, table 1, and its like.
        ("a@news.example.com", "foo.example.com", "", "pass"), ("a@news.example.com", "news.example.com", "", "pass"),
        ("a@news.example.com", "foo.example.net", "", "fail"), ("a@example.com", "", "mail.example.com", "pass"),
        ("a@example.com", "", "example.com.evil.example", "fail"), ("a@example.com", "", "notexample.com", "fail"),
        ("a@example.com", "", "com", "fail"), ("a@example.com", "", "", "fail"), ("a@EXAMPLE.com", "", "Example.Com", "pass"),
        ("a@strict.example", "", "strict.example", "pass"), ("a@strict.example", "", "x.strict.example", "fail"),
        ("a@strict.example", "x.strict.example", "", "fail"), ("a@mixed.example", "x.mixed.example", "", "pass"),
        ("a@mixed.example", "", "x.mixed.example", "fail"), ("a@norecord.example", "norecord.example", "", "none"),
        // Below a public suffix, neighbours are strangers, and the suffix speaks for none of them.
        ("a@dept.gov.example", "", "other.gov.example", "fail"), ("a@dept.gov.example", "", "gov.example", "fail"),
        ("a@dept.gov.example", "", "mail.dept.gov.example", "pass"),
    ]) func alignment(_ from: String, _ spf: String, _ dkim: String, _ verdict: String) async throws {
        let result = try await run(from, spf: spf.isEmpty ? nil : spf, dkim: dkim.isEmpty ? [] : [dkim])
        #expect(result.verdict.rawValue == verdict, "\(result.reason)")
        if verdict != "fail" { #expect(result.disposition == .none) }
    }

    @Test func dispositions() async throws {
        #expect(try await run("a@example.com").disposition == .reject)
        #expect(try await run("a@strict.example").disposition == .quarantine)
        let test = try await run("a@test.example", dkim: ["other.example"])
        #expect(test.verdict == .fail && test.policy?.published == .reject && test.disposition == .quarantine)
        #expect(test.reason.contains("t=y"))
    }

    @Test func anyAlignedSignatureIsEnough() async throws {
        let result = try await run("a@example.com", spf: "bounce.esp.example", dkim: ["esp.example", "example.com"])
        #expect(result.verdict == .pass)
        #expect(result.alignments.filter(\.isAligned).map(\.domain.text) == ["example.com"])
    }

    /// §4.10.2's shortcuts: no question beyond the first where the answer cannot matter.
    @Test func asksNoMoreThanNeeded() async throws {
        #expect(try await run("a@example.com", dkim: ["example.com"]).steps.count == 1)
        #expect(try await run("a@example.com", dkim: ["other.net"]).steps.count == 1)
        #expect(try await run("a@example.com").steps.count == 1)
        #expect(try await run("a@strict.example", dkim: ["x.strict.example"]).steps.count == 1)
    }

    @Test(arguments: [
        ("Someone <a@example.com>", "example.com"), ("\"x@evil.example\" <a@example.com>", "example.com"),
        ("(a@evil.example) a@example.com (b@evil.example)", "example.com"), ("\"a@b\"@example.com", "example.com"),
        ("Team: a@example.com, B <b@example.com>;", "example.com"), ("<@relay.example:a@example.com>", "example.com"),
        ("a@Bücher.example", "xn--bcher-kva.example"), ("a @ example . com", "example.com"),
    ]) func authorDomain(_ from: String, _ domain: String) async throws {
        let result = try await run(from, dkim: [domain])
        #expect(result.fromDomain?.text == domain)
        #expect(result.verdict == .pass, "\(result.reason)")
    }

    /// §4.4 and §5.3.1: without one sound From field nothing passes.
    @Test(arguments: ["", "undisclosed-recipients:;", "a@[192.0.2.1]", "a@192.0.2.1", "nobody", "<>", "a@"])
    func noAuthorDomain(_ from: String) async throws {
        let result = try await run(from, dkim: ["example.com"])
        #expect(result.verdict == .permerror && result.fromDomain == nil, "\(result.reason)")
    }

    @Test func malformedFromNeverPasses() async throws {
        let dns = try ZoneResolver(Self.zone)
        #expect(await DMARCEvaluator(resolver: dns).evaluate(fromFields: [], spf: nil, dkim: []).verdict == .permerror)
        let twice = try await run("a@example.com", "b@example.com", dkim: ["example.com"])
        #expect(twice.verdict == .permerror && twice.reason.contains("2 From fields"))
        #expect(try await run("a@example.com <b@example.com>", dkim: ["example.com"]).verdict == .permerror)
        #expect(try await run("a@example..com", dkim: ["example.com"]).verdict == .permerror)
        #expect(try await run("a@example.com, b@[192.0.2.1]", dkim: ["example.com"]).verdict == .permerror)
        // What a stranger's second field may not do is hide a failure.
        #expect(try await run("a@norecord.example", "b@example.com", dkim: ["norecord.example"]).disposition == .reject)
    }

    /// §11.5: the strictest of several.
    @Test func severalAuthorDomains() async throws {
        let result = try await run("a@norecord.example, b@strict.example, c@example.com", dkim: ["norecord.example"])
        #expect(result.verdict == .fail && result.fromDomain?.text == "example.com" && result.disposition == .reject)
        #expect(try await run("a@example.com, b@strict.example", dkim: ["example.com", "strict.example"]).verdict == .pass)
        let many = (1...5).map { "a@d\($0).example" }.joined(separator: ", ")
        #expect(try await run(many).verdict == .permerror)
    }

    @Test func brokenRecords() async throws {
        let result = try await run("a@broken.example", dkim: ["broken.example"])
        #expect(result.verdict == .permerror && result.disposition == .none)
        #expect(result.reason.contains("4.10.1"))
    }

    /// §5.3.6: what was needed and not answered leaves neither pass nor fail.
    @Test func temporaryFailures() async throws {
        #expect(try await run("a@other.example", timeouts: ["_dmarc.other.example"]).verdict == .temperror)
        #expect(try await run("a@slowparent.example", dkim: ["x.slowparent.example"], timeouts: ["_dmarc.example"]).verdict == .temperror)
        #expect(try await run("a@example.com", dkim: ["sub.example.com"], timeouts: ["_dmarc.sub.example.com"]).verdict == .temperror)
        // But not where they change nothing.
        #expect(try await run("a@slowparent.example", dkim: ["slowparent.example"], timeouts: ["_dmarc.example"]).verdict == .pass)
        #expect(try await run("a@slowparent.example", dkim: ["x.net"], timeouts: ["_dmarc.example"]).verdict == .fail)
        let either = try await run("a@example.com", spf: "ok.example.com", dkim: ["sub.example.com"], timeouts: ["_dmarc.sub.example.com"])
        #expect(either.verdict == .pass)
    }

    @Test func undecidedChecks() async throws {
        #expect(try await run("a@example.com", undecided: ["example.com"]).verdict == .temperror)
        #expect(try await run("a@example.com", undecided: ["mail.example.com"]).verdict == .temperror)
        #expect(try await run("a@example.com", undecided: ["other.com"]).verdict == .fail)
        #expect(try await run("a@strict.example", undecided: ["x.strict.example"]).verdict == .fail)
        #expect(try await run("a@example.com", dkim: ["example.com"], undecided: ["example.com"]).verdict == .pass)
    }
}
