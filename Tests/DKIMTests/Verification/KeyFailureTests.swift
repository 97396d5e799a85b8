import InternetMessage
import Testing
@testable import DKIM

/// What the DNS can have wrong (RFC 6376 §3.6.1, §6.1.2) for a good signature.
@Suite("Faults in the key") struct KeyFailureTests {
    private static let place = "ed._domainkey.example.org"
    private static let key = String(TestKeys.ed25519.publicRecord.split(separator: "p=")[1])

    private func result(_ answer: LiteralResolver.Answer?, _ forge: Forge = Forge(), limits: DKIMLimits = .init()) async throws -> DKIMSignatureResult {
        let verifier = try verifier(answer.map { [Self.place: $0] } ?? [:], limits: limits)
        return try #require(await verifier.verify(try forge.sign(message(plainText))).first)
    }

    @Test("No such name, no such record") func absent() async throws {
        for answer in [nil, LiteralResolver.Answer.noData] {
            let result = try await result(answer)
            #expect(result.verdict == .permerror)
            #expect(result.reason.contains("no key at ed._domainkey.example.org"), "\(result.reason)")
            #expect(result.keyRecord == nil)
        }
    }

    @Test("A DNS failure is temporary") func failure() async throws {
        let result = try await result(.failure)
        #expect(result.verdict == .temperror)
        #expect(result.reason.contains("SERVFAIL"))
    }

    @Test("A resolver that never answers is cut off at the deadline") func silence() async throws {
        let result = try await result(.silence, limits: DKIMLimits(keyDeadline: .milliseconds(20)))
        #expect(result.verdict == .temperror)
        #expect(result.reason.contains("in time"))
    }

    @Test("Records that do not let this signature pass", arguments: [
        ("v=DKIM1; k=ed25519; p=", DKIMSignatureResult.Verdict.permerror, "revoked"),
        ("v=DKIM1; k=ed25519; s=tlsrpt; p=KEY", .permerror, "s="),
        ("v=DKIM1; k=ed25519; h=sha1; p=KEY", .permerror, "h="),
        ("v=DKIM1; k=dsa; p=KEY", .permerror, "k=dsa"),
        ("v=DKIM2; k=ed25519; p=KEY", .permerror, "v="),
        ("k=ed25519; v=DKIM1; p=KEY", .permerror, "v="),
        ("v=DKIM1; k=ed25519; n=no key here", .permerror, "p= is missing"),
        ("v=DKIM1; k=ed25519; p=KE!", .permerror, "base64"),
        ("v=DKIM1; k=ed25519; p=AAAA", .permerror, "3 octets"),
        ("v=DKIM1; p=KEY", .permerror, "RSA public key"),
        ("v=DKIM1; k=ed25519; p=KEY; p=KEY", .permerror, "twice"),
        ("this is not a key", .permerror, "§3.2"),
    ]) func records(record: String, verdict: DKIMSignatureResult.Verdict, word: String) async throws {
        let text = record.replacing("KEY", with: Self.key)
        let result = try await result(.txt([text]))
        #expect(result.verdict == verdict, "\(result.reason)")
        #expect(result.reason.contains(word), "\(result.reason)")
        #expect(result.keyRecord == text)
    }

    @Test("Line ends in a record reach neither reason nor report") func controls() async throws {
        let result = try await result(.txt(["v=DKIM1; k=d\r\n sa; p=AAAA"]))
        #expect(result.verdict == .permerror)
        #expect(result.keyRecord == "v=DKIM1; k=d?? sa; p=AAAA")
        #expect(!result.reason.utf8.contains { $0 < 32 })
    }

    @Test("Records that look odd and are right", arguments: [
        "k=ed25519; p=KEY", "v=DKIM1; k=ed25519; p=KEY;", "v=DKIM1 ; k = ed25519 ; t=x ; h=sha1:sha256; s=foo : email; n=a note; p= KEY ; new=tag",
    ]) func odd(record: String) async throws {
        let result = try await result(.txt([record.replacing("KEY", with: Self.key)]))
        #expect(result.verdict == .pass, "\(result.reason)")
    }

    @Test("A key of the other type") func otherType() async throws {
        let result = try await result(.txt([TestKeys.rsa.publicRecord]))
        #expect(result.verdict == .permerror)
        #expect(result.reason.contains("key is for rsa"))
    }

    @Test("Several key records; and one among others' texts") func several() async throws {
        let record = TestKeys.ed25519.publicRecord
        let two = try await result(.txt([record, record]))
        #expect(two.verdict == .permerror)
        #expect(two.reason.contains("2 key records"))
        #expect(try await result(.txt(["v=spf1 -all", record, "hello"])).verdict == .pass)
        #expect(try await result(.txt(["v=spf1 -all", "hello"])).reason.contains("no key"))
    }

    @Test("t=y is reported and changes nothing; t=s binds i=") func flags() async throws {
        let testing = try await result(.txt(["v=DKIM1; k=ed25519; t=y; p=\(Self.key)"]))
        #expect(testing.verdict == .pass)
        #expect(testing.isTesting)
        let strict = "v=DKIM1; k=ed25519; t=y:s; p=\(Self.key)"
        #expect(try await result(.txt([strict])).verdict == .pass)
        #expect(try await result(.txt([strict]), .with("i", "@example.org")).verdict == .pass)
        let below = try await result(.txt([strict]), .with("i", "@mail.example.org"))
        #expect(below.verdict == .permerror)
        #expect(below.reason.contains("t=s"))
        #expect(try await result(.txt(["v=DKIM1; k=ed25519; p=\(Self.key)"]), .with("i", "@mail.example.org")).verdict == .pass)
    }

    @Test("RSA keys by size: 768 bits too few, 1024 enough, 4096 fit") func sizes() async throws {
        for (bits, verdict) in [(Int32(768), DKIMSignatureResult.Verdict.policy), (1024, .pass), (4096, .pass)] {
            let key = try PrivateKey.generate(rsaBits: bits)
            var forge = Forge.with("a", "rsa-sha256")
            forge.key = key
            let result = try await result(.txt(["v=DKIM1; p=\(Base64.encode(try key.publicOctets()))"]), forge)
            #expect(result.verdict == verdict, "\(bits): \(result.reason)")
            #expect(result.keyBits == Int(bits))
        }
    }

    @Test("A bare RSAPublicKey, as RFC 6376 §3.6.1 words it, works too") func bareRSA() async throws {
        let wrapped = try TestKeys.rsa.privateKey.publicOctets()
        // The BIT STRING's content begins behind 24 octets of a 2048-bit key's SubjectPublicKeyInfo.
        let bare = Array(wrapped.dropFirst(24))
        var forge = Forge.with("a", "rsa-sha256")
        forge.key = TestKeys.rsa.privateKey
        let result = try await result(.txt(["v=DKIM1; p=\(Base64.encode(bare))"]), forge)
        #expect(result.verdict == .pass, "\(result.reason)")
        #expect(result.keyBits == 2048)
    }
}
