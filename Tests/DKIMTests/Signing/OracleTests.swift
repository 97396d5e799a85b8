import Foundation
import InternetMessage
import Testing
@testable import DKIM

/// Our canonicalization against libopendkim's: a signature of ours passes there only if both see the same octets.
@Suite("libopendkim as the oracle") struct OracleTests {
    private static let bodyPieces: [[UInt8]] = [
        [13, 10], [13, 10], [13, 10, 13, 10], [32], [32, 32], [9], [32, 9, 32], Array("word".utf8), Array("a".utf8), Array(".".utf8), [0xe9], [0xc3, 0xa9],
        Array(repeating: 120, count: 998), [13, 10, 32, 13, 10], Array("=20".utf8), [127], [1],
    ]
    private static let valuePieces = [" ", "  ", "\t", "\r\n ", "\r\n\t", "\r\n  ", "word", "a", ":", ";", "<x@example.org>", "\u{e9}", "\"q\"", "=?utf-8?q?=C3=A9?="]
    private static let names = ["Subject", "subject", "To", "CC", "Reply-To", "List-Id", "X-Other", "Content-Type", "Received", "Message-ID"]

    private static func randomMessage(_ random: inout SplitMix) -> Message {
        var fields = [HeaderField(name: "From", value: "ann@example.org")]
        for _ in 0..<Int.random(in: 0...8, using: &random) {
            var text = names.randomElement(using: &random) ?? "To"
            if Int.random(in: 0...9, using: &random) == 0 { text += " " }
            text += ":"
            for _ in 0..<Int.random(in: 0...8, using: &random) { text += valuePieces.randomElement(using: &random) ?? "" }
            if let field = HeaderField(bytes: text.utf8) { fields.insert(field, at: Int.random(in: 0...fields.count, using: &random)) }
        }
        var body: [UInt8] = []
        for _ in 0..<Int.random(in: 0...30, using: &random) { body += bodyPieces.randomElement(using: &random) ?? [] }
        return Message(header: MessageHeader(fields), body: MessageBody(body))
    }

    @Test("1,500 generated messages pass") func generated() async throws {
        let verifier = try verifier()
        let signer = DKIMSigner()
        var random = SplitMix(state: 20231114)
        for index in 0..<1500 {
            let plain = Self.randomMessage(&random)
            let keys = index % 10 == 0 ? [TestKeys.ed25519, TestKeys.rsa] : [TestKeys.ed25519]
            let signed = plain.adding(try signer.sign(plain, with: keys, at: Date(timeIntervalSince1970: TimeInterval(testTime))))
            let results = await verifier.verify(signed)
            let shown = String(decoding: try signed.bytes(), as: UTF8.self).debugDescription
            #expect(results.map(\.verdict) == keys.map { _ in .pass }, "message \(index): \(results.map(\.reason))\n\(shown)")
        }
    }

    @Test("The body's hash does not depend on how it is cut") func chunks() throws {
        var random = SplitMix(state: 7)
        for _ in 0..<200 {
            let body = try Self.randomMessage(&random).body.bytes()
            var pieces = try RelaxedBody()
            var start = 0
            while start < body.count {
                let end = min(start + Int.random(in: 1...7, using: &random), body.count)
                body[start..<end].withUnsafeBytes { pieces.append($0) }
                start = end
            }
            #expect(try pieces.finish() == DKIMSigner.bodyHash(MessageBody(body)))
        }
    }

    @Test("RFC 6376 §3.4.5's examples") func printedExamples() throws {
        let fields = ["A: X\r\n", "B : Y\t\r\n\tZ  \r\n"].map { HeaderField(bytes: $0.utf8.dropLast(2)) }
        #expect(fields.compactMap { $0.map { String(decoding: RelaxedHeader.canonicalize($0), as: UTF8.self) } } == ["a:X", "b:Y Z"])
        var expected = try SHA256Digest()
        expected.update(Array(" C\r\nD E\r\n".utf8))
        #expect(try DKIMSigner.bodyHash(MessageBody(Array(" C \r\nD \t E\r\n\r\n\r\n".utf8))) == expected.finish())
    }

    @Test("The hash of an empty body is that of nothing (RFC 6376 §3.4.4)") func emptyBody() throws {
        #expect(Base64.encode(try DKIMSigner.bodyHash(MessageBody())) == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
        #expect(Base64.encode(try DKIMSigner.bodyHash(MessageBody([13, 10, 13, 10]))) == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
    }
}
