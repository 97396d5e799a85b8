import Foundation
import InternetMessage
import Testing
@testable import DKIM

/// Headers made to mislead or to exhaust.
@Suite("Hostile headers") struct HostileHeaderTests {
    private let date = Date(timeIntervalSince1970: TimeInterval(testTime))

    private func signed(_ keys: [SigningKey] = [TestKeys.ed25519]) throws -> Message {
        let plain = message(plainText)
        return plain.adding(try DKIMSigner().sign(plain, with: keys, at: date))
    }

    private func field(_ text: String) throws -> HeaderField { try #require(HeaderField(bytes: text.utf8)) }

    @Test("A field added to the over-signed ones breaks the signature", arguments: [
        "From: eve@example.com", "Subject: other", "from : eve@example.com", "Reply-To: eve@example.com", "Content-Type: text/html",
    ]) func added(text: String) async throws {
        for onTop in [true, false] {
            var changed = try signed()
            changed.header.fields.insert(try field(text), at: onTop ? 0 : changed.header.fields.count)
            let result = try #require(try await verifier().verify(changed).first)
            #expect(result.verdict == .fail, "\(result.reason)")
        }
    }

    @Test("A second From that libopendkim does not read, or reads to its NUL only, does not pass") func unreadable() async throws {
        var tab = try signed()
        tab.header.fields.append(try field("From\t: eve@example.com"))
        #expect(try #require(try await verifier().verify(tab).first).verdict == .neutral)

        var nul = try signed()
        let place = try #require(nul.header.fields.firstIndex { $0.isNamed("Subject") })
        nul.header.fields[place] = try #require(HeaderField(bytes: nul.header.fields[place].bytes + [0] + Array(" and more".utf8)))
        let result = try #require(try await verifier().verify(nul).first)
        #expect(result.verdict == .neutral)
        #expect(result.reason.contains("subject"), "\(result.reason)")
    }

    @Test("A stray CR in a signed field does not pass") func strayCR() async throws {
        var stray = try signed()
        let place = try #require(stray.header.fields.firstIndex { $0.isNamed("From") })
        stray.header.fields[place] = try field("From:\r Ann <ann@example.org>")
        #expect(try await verifier().verify(stray).map(\.verdict) == [.neutral])
    }

    @Test("An ambiguous signature above a good one of the same key takes nothing from it", arguments: [
        "DKIM-Signature\t: TAGS", "DKIM-Signature: TAGS\u{0}", "DKIM-Signature: TAGS;\rz=y", "DKIM-Signature : TAGS",
    ]) func ambiguousSignature(text: String) async throws {
        var both = try signed()
        let good = String(decoding: try #require(both.header.first("DKIM-Signature")).rawValue, as: UTF8.self)
        both.header.fields.insert(try field(text.replacing("TAGS", with: good.replacing("t=1", with: "t=2"))), at: 0)
        let results = try await verifier().verify(both)
        #expect(results.count == 2)
        #expect(results.first?.verdict != .pass)
        #expect(results.last?.verdict == .pass, "\(results.map(\.reason))")
    }

    @Test("An unsigned odd field harms nothing") func unsignedOdd() async throws {
        var odd = try signed()
        odd.header.fields.append(try field("X-Odd\t: a\u{0}b"))
        odd.header.fields.append(try field("X;Odd: y"))
        #expect(try #require(try await verifier().verify(odd).first).verdict == .pass)
    }

    @Test("Bad signatures around a good one take nothing from it") func mixed() async throws {
        var mixed = try signed()
        let bad = [
            "DKIM-Signature: garbage", "DKIM-Signature:", "DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=ed; h=from; bh=AA; b=AA",
            "DKIM-Signature: v=1; a=ed25519-sha256; d=other.example; s=no; h=from; bh=\(Base64.encode(Array(repeating: 1, count: 32))); b=AAAA",
            "DKIM-Signature: " + String(repeating: "v=1;", count: 10), "DKIM-Signature: v=1; \u{e9}=x",
        ]
        mixed.header.fields.insert(contentsOf: try bad.map(field), at: 0)
        mixed.header.fields += try bad.map(field)
        let results = try await verifier(limits: DKIMLimits(maxSignatures: 20)).verify(mixed)
        #expect(results.count == 13)
        #expect(results.enumerated().filter { $1.verdict == .pass }.map(\.offset) == [6])
        #expect(results[3].verdict == .permerror)
    }

    @Test("A huge signature field is refused and the good one still passes") func huge() async throws {
        var huge = try signed()
        huge.header.fields.insert(try field("DKIM-Signature: v=1; z=" + String(repeating: "a", count: 200_000)), at: 0)
        let results = try await verifier().verify(huge)
        #expect(results.map(\.verdict) == [.policy, .pass], "\(results.map(\.reason))")
    }

    @Test("Thousands of signatures cost no more than the limit") func many() async throws {
        var many = try signed()
        let copy = try #require(many.header.first("DKIM-Signature"))
        many.header.fields = Array(repeating: copy, count: 1500) + many.header.fields
        let resolver = LiteralResolver(TestKeys.zone)
        let verifier = try DKIMVerifier(resolver: resolver, limits: DKIMLimits(maxSignatures: 4), now: { testTime })
        let results = await verifier.verify(many)
        #expect(results.count == 1501)
        #expect(results.prefix(4).allSatisfy { $0.verdict == .pass })
        #expect(results.dropFirst(4).allSatisfy { $0.verdict == .policy && $0.reason.contains("more than 4") })
        #expect(resolver.questions.count == 1)
    }

    @Test("A signature over DKIM-Signature fields is verified while all of them are read") func signsSignatures() async throws {
        let inner = try signed()
        let fields = SignedFields(always: ["From", "DKIM-Signature"], ifPresent: [])
        let outer = inner.adding(try DKIMSigner(fields: fields).sign(inner, with: [TestKeys.rsa], at: date))
        // h= names dkim-signature once more than it occurs: RFC 6376 §3.7 takes the new field itself for none of them.
        let results = try await verifier().verify(outer)
        #expect(results.last?.verdict == .pass)
        let limited = try await verifier(limits: DKIMLimits(maxSignatures: 1)).verify(outer)
        #expect(limited.map(\.verdict) == [.neutral, .policy], "\(limited.map(\.reason))")
    }

    @Test("A signature field just within the limit passes, z= and all") func longSignature() async throws {
        let long = try Forge(tags: Forge.good + "; z=" + String(repeating: "From:a|", count: 2200)).sign(message(plainText))
        let length = try #require(long.header.first("DKIM-Signature")).bytes.count
        #expect(length > 15000 && length <= 16384)
        let results = try await verifier().verify(long)
        #expect(results.map(\.verdict) == [.pass], "\(results.map(\.reason))")
    }

    @Test("Large signed fields pass", arguments: [60_000, 100_000, 900_000]) func largeSignedField(octets: Int) async throws {
        var plain = message(plainText)
        plain.header.fields.append(HeaderField(name: "Cc", value: String(repeating: "a@example.net,\r\n ", count: octets / 17) + "b@example.net"))
        let signed = plain.adding(try DKIMSigner().sign(plain, with: [TestKeys.ed25519], at: date))
        let results = try await verifier().verify(signed)
        #expect(results.map(\.verdict) == [.pass], "\(results.map(\.reason))")
    }

    @Test("A large unsigned header passes") func largeHeader() async throws {
        var large = try signed()
        for index in 0..<2000 { large.header.fields.append(try field("X-Number-\(index): " + String(repeating: "v", count: 200))) }
        #expect(try #require(try await verifier().verify(large).first).verdict == .pass)
    }

    @Test("Headers and h= past the limits are refused by policy") func tooLarge() async throws {
        for limits in [DKIMLimits(maxSignedNames: 3), DKIMLimits(maxHeaderFields: 5), DKIMLimits(maxHeaderOctets: 100)] {
            let results = try await verifier(limits: limits).verify(try signed())
            #expect(results.map(\.verdict) == [.policy], "\(results.map(\.reason))")
        }
    }

    @Test("A field of thousands of tags is parsed in no time") func manyTags() throws {
        let text = (0..<60_000).map { "t\($0)=v" }.joined(separator: ";")
        #expect(try TagList(parsing: text.utf8).tags.count == 60_000)
    }

    @Test("b= prefixes grow until they differ (RFC 6008 §4)") func prefixes() {
        #expect(SignaturePrefix.prefixes(of: ["abcdefghijk", "abcdefghxyz", "zzzzzzzzzz", "short", ""]) == ["abcdefghi", "abcdefghx", "zzzzzzzz", "short", nil])
        #expect(SignaturePrefix.prefixes(of: ["samesamesame", "samesamesame"]) == ["samesame", "samesame"])
    }
}
