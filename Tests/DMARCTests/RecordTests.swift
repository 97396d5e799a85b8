import DMARC
import Testing

@Suite struct RecordTests {
    private func record(_ text: String) -> DMARCRecord? { DMARCRecord(Array(text.utf8)) }

    /// RFC 9989 §4.7: v= comes first, exactly DMARC1, or the record is not one.
    @Test(arguments: [
        "", "v=DMARC2; p=none", "v=dmarc1; p=none", "p=none; v=DMARC1", "v=DMARC1 p=none", "v=DMARC10; p=none", " v=DMARC1; p=none",
        "v=spf1 -all", "vDMARC1", "; v=DMARC1",
    ]) func notARecord(_ text: String) { #expect(record(text) == nil) }

    @Test(arguments: ["v=DMARC1", "v=DMARC1;", "v = DMARC1 ; p = none", "V=DMARC1;p=none", "v=DMARC1;\tp=none ;", "v=DMARC1; ; p=none"])
    func aRecord(_ text: String) {
        #expect(record(text)?.p == DMARCPolicy.none)
        #expect(record(text)?.defect == nil)
    }

    @Test func defaults() throws {
        let bare = try #require(record("v=DMARC1; p=reject"))
        #expect(bare.p == .reject && bare.sp == nil && bare.np == nil && bare.psd == .unknown)
        #expect(bare.adkim == .relaxed && bare.aspf == .relaxed && !bare.isTesting && bare.fo == "0")
    }

    @Test func everyTag() throws {
        let full = try #require(record(
            "v=DMARC1; p=Quarantine; sp=reject; np=none; psd=n; adkim=s; aspf=S; t=y; fo=1:d; rua=mailto:a@x.example!10m, https://x.example/d ; "
                + "ruf=mailto:b@x.example; pct=50; unknown=1"))
        #expect(full.p == .quarantine && full.sp == .reject && full.np == DMARCPolicy.none && full.psd == .no)
        #expect(full.adkim == .strict && full.aspf == .strict && full.isTesting && full.fo == "1:d")
        #expect(full.rua == ["mailto:a@x.example", "https://x.example/d"] && full.ruf == ["mailto:b@x.example"])
    }

    /// §4.8: errors in the remainder are discarded in favour of the defaults; the first of a repeated tag counts.
    @Test func errorsFallBackToDefaults() throws {
        let odd = try #require(record("v=DMARC1; p=reject; p=none; adkim=x; aspf=; psd=maybe; t=2; rua=nonsense; =; garbage; 1x=2"))
        #expect(odd.p == .reject && odd.adkim == .relaxed && odd.aspf == .relaxed && odd.psd == .unknown && !odd.isTesting && odd.rua.isEmpty)
    }

    /// §4.10.1: a wrong p, sp or np is p=none if reports were asked for, and otherwise no ground for anything.
    @Test(arguments: ["p=block", "p=", "p=reject; sp=bad", "p=reject; np=bad"]) func wrongPolicies(_ tags: String) throws {
        let silent = try #require(record("v=DMARC1; \(tags)"))
        #expect(silent.defect?.contains("4.10.1") == true)
        let reporting = try #require(record("v=DMARC1; \(tags); rua=mailto:a@x.example"))
        #expect(reporting.defect == nil && reporting.p == DMARCPolicy.none && reporting.sp == nil && reporting.np == nil)
        #expect(record("v=DMARC1; \(tags); rua=:")?.defect != nil)
    }

    @Test func octetsOutsideASCII() throws {
        let raw = Array("v=DMARC1; p=reject; rua=mailto:".utf8) + [0xff, 0x0a] + Array("@x; sp=none".utf8)
        let record = try #require(DMARCRecord(raw))
        #expect(record.text.contains("mailto:??@x"))
        #expect(record.p == .reject && record.sp == DMARCPolicy.none && record.rua.isEmpty)
    }
}
