import Foundation
import InternetMessage
import Testing
@testable import Aliases

/// The Sender Rewriting Scheme; the forms are those of libsrs2's documentation, the hashes made with OpenSSL's command.
@Suite struct SRSTests {
    private let day = 86_400
    private let now = 20_000 * 86_400
    private func rewriter(_ secrets: [String] = ["tops3cr3t"], domain name: String = "ours.example") throws -> SRSRewriter {
        SRSRewriter(domain: try domain(name), secrets: secrets.map { Array($0.utf8) })
    }

    /// printf rasource.examplealice (in lower case) | openssl dgst -sha1 -hmac tops3cr3t -binary | base64
    @Test func theForm() throws {
        let out = try #require(try rewriter().forward(try address("Alice@source.example"), now: now))
        // 20000 mod 1024 is 544: 17 and 0 in base 32.
        #expect(SRSTimestamp.text(now) == "RA")
        let hash = SRSHash.text(Array("tops3cr3t".utf8), ["ra", "source.example", "alice"])
        #expect(out.description == "SRS0=\(hash)=RA=source.example=Alice@ours.example")
        #expect(hash == Self.opensslHash)
    }

    /// What Mail::SRS 0.31, the scheme's first implementation, makes with the same secret.
    @Test func asTheReferenceWritesIt() throws {
        let first = "SRS0=VCK6=JN=source.example=Alice@ours.example", rewriter = try rewriter()
        let alice = try address("Alice@source.example")
        #expect(rewriter.forward(alice, now: 301 * day)?.description == first)
        for (name, sender) in [("second.example", first), ("third.example", "SRS1=+WDI=ours.example==VCK6=JN=source.example=Alice@second.example")] {
            let hop = SRSRewriter(domain: try domain(name), secrets: [Array("tops3cr3t".utf8)])
            let sender = try address(sender)
            #expect(hop.forward(sender, now: 301 * day)?.description == "SRS1=+WDI=ours.example==VCK6=JN=source.example=Alice@\(name)")
        }
    }

    static let opensslHash = "4R37"

    @Test(arguments: ["alice@source.example", "a=b=c@source.example", "x+y-z@sub.source.example", "bounces+12345-0123456789abcdef0123456789abcdef-user=example.org@em1234.newsletter.example"])
    func thereAndBack(_ text: String) throws {
        let rewriter = try rewriter(), sender = try address(text)
        let out = try #require(rewriter.forward(sender, now: now))
        #expect(rewriter.concerns(out) && rewriter.reverse(out, now: now) == sender)
        #expect(EmailAddress(out.description) == out)
        // Servers on the way may fold the case of everything.
        let folded = EmailAddress(localPart: out.localPart.lowercased(), domain: out.domain)
        #expect(rewriter.reverse(folded, now: now) == sender.folded)
    }

    @Test func anAddressAges() throws {
        let rewriter = try rewriter(), sender = try address("alice@source.example")
        let out = try #require(rewriter.forward(sender, now: now))
        #expect(rewriter.reverse(out, now: now + 21 * day) == sender)
        #expect(rewriter.reverse(out, now: now + 22 * day) == nil)
        // From the future, and round the circle of 1024 days.
        #expect(rewriter.reverse(out, now: now - day) == nil)
        let late = try #require(rewriter.forward(sender, now: 1023 * day))
        #expect(rewriter.reverse(late, now: 1030 * day) == sender)
    }

    @Test func forgeries() throws {
        let rewriter = try rewriter()
        let out = try #require(rewriter.forward(try address("alice@source.example"), now: now)).localPart
        for forged in [out.replacingOccurrences(of: "=alice", with: "=bob"), out.replacingOccurrences(of: "source", with: "victim"), out.replacingOccurrences(of: "=RA=", with: "=RB="),
                       "SRS0=AAAA=RA=source.example=alice", "SRS0==RA=source.example=alice", "SRS0=" + out.dropFirst(6), "SRS0=x", "SRS0=", "SRS1=AAAA=host.example==HHHH=RA=a.example=b", "SRS1=", "SRS1===="] {
            #expect(rewriter.reverse(EmailAddress(localPart: forged, domain: try domain("ours.example")), now: now) == nil, "\(forged)")
        }
        #expect(rewriter.reverse(EmailAddress(localPart: out, domain: try domain("other.example")), now: now) == nil)
        #expect(!rewriter.concerns(try address("srs0alice@ours.example")))
    }

    @Test func secretsMayChange() throws {
        let sender = try address("alice@source.example")
        let old = try #require(try rewriter(["old secret"]).forward(sender, now: now))
        #expect(try rewriter(["new secret", "old secret"]).reverse(old, now: now) == sender)
        #expect(try rewriter(["new secret"]).reverse(old, now: now) == nil)
        #expect(try rewriter([]).forward(sender, now: now) == nil && rewriter([]).reverse(old, now: now) == nil)
    }

    /// The first forwarder stays named however many follow, and each returns to it directly.
    @Test func furtherHops() throws {
        let sender = try address("alice@source.example")
        let first = try rewriter(["one"], domain: "first.example"), second = try rewriter(["two"], domain: "second.example"), third = try rewriter(["three"], domain: "third.example")
        let one = try #require(first.forward(sender, now: now)), two = try #require(second.forward(one, now: now)), three = try #require(third.forward(two, now: now))
        #expect(two.localPart.hasPrefix("SRS1=") && two.localPart.contains("=first.example==" + one.localPart.dropFirst(5)))
        #expect(three.localPart.hasPrefix("SRS1=") && three.localPart.hasSuffix(String(two.localPart.dropFirst(10))))
        #expect(third.reverse(three, now: now) == one && second.reverse(two, now: now) == one && first.reverse(one, now: now) == sender)
        let folded = EmailAddress(localPart: three.localPart.lowercased(), domain: three.domain)
        #expect(third.reverse(folded, now: now).flatMap { first.reverse($0, now: now) } == sender)
    }

    @Test func everyDomainThatSendsFindsBack() throws {
        for text in ["a@under_score.example", "a@b\u{fc}cher.example", "\"a b\"@source.example"] {
            let sender = try address(text)
            let written = try #require(try rewriter().forward(sender, now: now))
            #expect(try rewriter().reverse(written, now: now) == sender)
        }
    }

    @Test func whatCannotBeRewritten() throws {
        #expect(try rewriter().forward(EmailAddress(localPart: String(repeating: "x", count: 230), domain: try domain("source.example")), now: now) == nil)
        #expect(try rewriter().forward(try address("alice@[192.0.2.1]"), now: now) == nil)
    }

    @Test func theFileOfSecrets() throws {
        let path = NSTemporaryDirectory() + "srs-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(try SRSSecrets.read(path) == nil)
        let made = try SRSSecrets.load(path)
        #expect(made.count == 1 && made[0].count == 32)
        #expect(try SRSSecrets.load(path) == made)
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        try "a new secret\nthe old secret\n".write(toFile: path, atomically: false, encoding: .utf8)
        #expect(try SRSSecrets.load(path) == [Array("a new secret".utf8), Array("the old secret".utf8)])
        try "\n".write(toFile: path, atomically: false, encoding: .utf8)
        #expect(throws: SRSSecrets.Problem.self) { try SRSSecrets.load(path) }
    }
}
