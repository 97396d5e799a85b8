import Foundation
import InternetMessage
import Testing
@testable import DKIM

@Suite("Signatures of ours") struct SignerTests {
    private let date = Date(timeIntervalSince1970: TimeInterval(testTime))

    private func tags(_ field: HeaderField) throws -> TagList { try TagList(parsing: field.rawValue) }

    @Test("RSA and Ed25519 together pass") func both() async throws {
        let plain = message(plainText)
        let fields = try DKIMSigner().sign(plain, with: [TestKeys.rsa, TestKeys.ed25519], at: date)
        let results = try await verifier().verify(plain.adding(fields))
        #expect(results.map(\.verdict) == [.pass, .pass], "\(results.map(\.reason))")
        #expect(results.map(\.algorithm) == ["rsa-sha256", "ed25519-sha256"])
        #expect(results.allSatisfy { $0.countsForDMARC && $0.domain == name("example.org") && $0.signedAt == testTime })
    }

    @Test("The tags are what was asked for") func tagValues() throws {
        let fields = try DKIMSigner(lifetime: 3600).sign(message(plainText), with: [TestKeys.ed25519], at: date)
        let tags = try tags(try #require(fields.first))
        #expect(tags["v"] == "1")
        #expect(tags["a"] == "ed25519-sha256")
        #expect(tags["c"] == "relaxed/relaxed")
        #expect(tags["d"] == "example.org")
        #expect(tags["s"] == "ed")
        #expect(tags["t"] == "\(testTime)")
        #expect(tags["x"] == "\(testTime + 3600)")
        #expect(tags["l"] == nil)
        let names = tags.items("h") ?? []
        // Present once, so named twice; absent, so named once; absent and optional, so not at all.
        #expect(names.filter { $0 == "from" }.count == 2)
        #expect(names.filter { $0 == "subject" }.count == 2)
        #expect(names.filter { $0 == "cc" }.count == 1)
        #expect(names.filter { $0 == "in-reply-to" }.count == 1)
        #expect(!names.contains("list-id"))
        #expect(!names.contains("received"))
    }

    @Test("A list's own fields may be added; From may not be") func optionalFields() async throws {
        let plain = message(plainText)
        var signed = plain.adding(try DKIMSigner().sign(plain, with: [TestKeys.ed25519], at: date))
        signed.header.fields.append(HeaderField(name: "List-Id", value: "<list.example.net>"))
        #expect(try await verifier().verify(signed).map(\.verdict) == [.pass])

        var withList = plain
        withList.header.fields.append(HeaderField(name: "List-Unsubscribe", value: "<https://example.org/u>"))
        var second = withList.adding(try DKIMSigner().sign(withList, with: [TestKeys.ed25519], at: date))
        #expect(try await verifier().verify(second).map(\.verdict) == [.pass])
        second.header.fields.append(HeaderField(name: "List-Unsubscribe", value: "<https://evil.example/u>"))
        #expect(try await verifier().verify(second).map(\.verdict) == [.fail])
    }

    @Test("No line is longer than 78 octets", arguments: [1, 5, 40]) func folding(labels: Int) throws {
        let domain = String(repeating: "a.", count: labels) + "example.org"
        let key = try SigningKey(pem: TestKeys.rsa.privateKey.pem(), domain: name(domain), selector: "sel-2024")
        var plain = message(plainText)
        for index in 0..<30 { plain.header.fields.append(HeaderField(name: "Feedback-ID", value: "\(index)")) }
        let field = try #require(try DKIMSigner(lifetime: 5).sign(plain, with: [key], at: date).first)
        let lines = String(decoding: field.bytes, as: UTF8.self).components(separatedBy: "\r\n")
        #expect(lines.count > 5)
        // d= alone may be longer than a line: it cannot be broken.
        #expect(lines.allSatisfy { $0.utf8.count <= 78 || $0.contains("d=") })
        #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("\t") && $0.count > 1 })
        #expect(try tags(field)["d"] == domain)
    }

    @Test("From must be there exactly once") func from() throws {
        for (text, count) in [("Subject: x\r\n\r\n", 0), ("From: a@example.org\r\nFrom: b@example.org\r\n\r\n", 2)] {
            #expect(throws: DKIMSigner.Failure.fromFields(count)) {
                try DKIMSigner().sign(message(text), with: [TestKeys.ed25519], at: date)
            }
        }
    }

    @Test("No keys, no signatures") func noKeys() throws {
        #expect(try DKIMSigner().sign(message(plainText), with: [], at: date).isEmpty)
    }

    @Test("Folded, doubled and oddly spaced fields survive a relay's refolding") func refolding() async throws {
        let plain = message("from:ann@example.org\r\nSUBJECT : a\r\n\tb   c \r\nTo:\r\n x@example.net,\r\n  y@example.net\r\nTo: z@example.net\r\n\r\nHi\r\n")
        var signed = plain.adding(try DKIMSigner().sign(plain, with: [TestKeys.ed25519, TestKeys.rsa], at: date))
        #expect(try await verifier().verify(signed).map(\.verdict) == [.pass, .pass])
        let place = try #require(signed.header.fields.firstIndex { $0.isNamed("Subject") })
        signed.header.fields[place] = try #require(HeaderField(bytes: "Subject: a b\r\n c".utf8))
        #expect(try await verifier().verify(signed).map(\.verdict) == [.pass, .pass])
    }
}
