import InternetMessage
import Testing
@testable import DKIM

/// What a DKIM-Signature field can have wrong (RFC 6376 §3.5, §6.1.1), each in an otherwise good signature.
@Suite("Faults in the signature field") struct FieldFailureTests {
    private func result(_ forge: Forge, now: Int = testTime) async throws -> DKIMSignatureResult {
        let signed = try forge.sign(message(plainText))
        return try #require(try await verifier(now: now).verify(signed).first)
    }

    @Test("The forge itself makes signatures that pass") func good() async throws {
        let result = try await result(Forge())
        #expect(result.verdict == .pass, "\(result.reason)")
        #expect(result.identity == "@example.org")
        #expect(result.reason == "good signature")
    }

    @Test("Each required tag missing or empty is a syntax error", arguments: ["v", "a", "bh", "d", "h", "s"])
    func missing(tag: String) async throws {
        let missing = try await result(.with(tag, nil))
        #expect(missing.verdict == .neutral)
        #expect(missing.reason.contains("\(tag)= is missing"), "\(missing.reason)")
        let empty = try await result(.with(tag, ""))
        #expect(empty.verdict == .neutral)
        #expect(empty.reason.contains("\(tag)= is empty"), "\(empty.reason)")
    }

    @Test("Without b=") func missingSignature() async throws {
        let field = HeaderField(name: "DKIM-Signature", value: Forge.good.replacing("%BH", with: Base64.encode(Array(repeating: 0, count: 32))))
        let result = try #require(try await verifier().verify(message(plainText).adding([field])).first)
        #expect(result.verdict == .neutral)
        #expect(result.signaturePrefix == nil)
    }

    @Test("Values that cannot be", arguments: [
        ("v", "2", DKIMSignatureResult.Verdict.neutral, "v="),
        ("a", "rsa-sha1", .policy, "RFC 8301"),
        ("a", "rsa-md5", .neutral, "algorithm"),
        ("c", "strict/relaxed", .neutral, "canonicalization"),
        ("c", "relaxed/relaxed/relaxed", .neutral, "canonicalization"),
        ("q", "http", .neutral, "query"),
        ("h", "subject:date", .permerror, "From"),
        ("h", "from::subject", .neutral, "empty name"),
        ("d", "example org", .neutral, "d="),
        ("d", "example..org", .neutral, "d="),
        ("d", "example.org.", .neutral, "d="),
        ("s", "e d", .neutral, "s="),
        ("bh", "AAAA", .neutral, "bh="),
        ("t", "yesterday", .neutral, "t="),
        ("l", "-1", .neutral, "l="),
        ("x", "99999999999999999999", .neutral, "x="),
        ("i", "ann@example.net", .permerror, "i="),
        ("i", "ann@notexample.org", .permerror, "i="),
        ("i", "ann", .neutral, "i="),
        ("i", "ann=4@example.org", .neutral, "i="),
        ("i", "ann=0D=0AX-Evil:=20x@example.org", .neutral, "i="),
        ("d", "exam\"ple.org", .neutral, "d="),
        ("s", "e(d)", .neutral, "s="),
        ("c", "relaxed\r\n x", .neutral, "canonicalization"),
        ("L", "3", .neutral, "lower case"),
    ]) func wrong(tag: String, value: String, verdict: DKIMSignatureResult.Verdict, word: String) async throws {
        let result = try await result(.with(tag, value))
        #expect(result.verdict == verdict, "\(result.reason)")
        #expect(result.reason.contains(word), "\(result.reason)")
        #expect(!result.countsForDMARC)
        let shown = [result.reason, result.identity ?? "", result.selector ?? "", result.algorithm ?? ""].joined()
        #expect(!shown.utf8.contains { $0 < 32 }, "\(shown)")
    }

    @Test("Values that look odd and are right", arguments: [
        ("q", "http:dns/txt"), ("i", "ann@mail.example.org"), ("i", "a=6En@EXAMPLE.org"), ("d", "EXAMPLE.ORG"),
        ("a", "ED25519-SHA256"), ("zz", "unknown tags are ignored"), ("t", "\(testTime + 299)"), ("x", "9999999999"), ("h", "From : Subject"),
    ]) func odd(tag: String, value: String) async throws {
        let result = try await result(.with(tag, value))
        #expect(result.verdict == .pass, "\(result.reason)")
    }

    @Test("Expired, from the future, and turned round") func times() async throws {
        let expired = try await result(.with("x", "\(testTime - 300)"))
        #expect(expired.verdict == .policy)
        #expect(expired.reason.contains("expired"))
        #expect(expired.expiresAt == testTime - 300)
        #expect(!(try await result(.with("x", "\(testTime - 299)"))).reason.contains("RFC 6376"), "within the drift; only libopendkim's own clock objects")
        let early = try await result(.with("t", "\(testTime + 301)"))
        #expect(early.verdict == .policy)
        #expect(early.reason.contains("future"))
        let turned = try await result(Forge(tags: Forge.good + "; t=\(testTime - 10); x=\(testTime - 20)"))
        #expect(turned.verdict == .permerror)
    }

    @Test("Broken lists", arguments: [
        "; d=example.org", "; D=evil.example", "; ; x=4000000000", "; novalue", "; 1x=y", "; z=\u{e9}",
    ]) func brokenLists(addition: String) async throws {
        let result = try await result(Forge(tags: Forge.good + addition))
        #expect(result.verdict == .neutral)
        #expect(result.domain == nil)
        #expect(result.reason.contains("§3.2"), "\(result.reason)")
    }

    @Test("No signature, no result") func none() async throws {
        #expect(try await verifier().verify(message(plainText)).isEmpty)
    }

    @Test("A field refused for its text asks the DNS nothing") func asksNothing() async throws {
        let resolver = LiteralResolver(TestKeys.zone)
        let verifier = try DKIMVerifier(resolver: resolver, now: { testTime })
        _ = await verifier.verify(try Forge.with("a", "rsa-sha1").sign(message(plainText)))
        #expect(resolver.questions.isEmpty)
        _ = await verifier.verify(try Forge().sign(message(plainText)))
        #expect(resolver.questions == ["ed._domainkey.example.org TXT"])
    }
}
