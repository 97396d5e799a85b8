import Foundation
import InternetMessage
import Testing
@testable import DKIM

@Suite("Bodies: l=, missing line ends, spool files") struct BodyTests {
    private func verify(_ message: Message) async throws -> DKIMSignatureResult {
        try #require(try await verifier().verify(message).first)
    }

    /// The forge with l= and the hash of that many octets of an already canonical body.
    private func partial(_ length: Int, of text: String) throws -> Message {
        let whole = message("From: ann@example.org\r\nSubject: x\r\n\r\n" + text)
        var digest = try SHA256Digest()
        digest.update(Array(text.utf8.prefix(length)))
        let forge = Forge(tags: Forge.good.replacing("%BH", with: Base64.encode(try digest.finish())) + "; l=\(length)")
        return try forge.sign(whole)
    }

    @Test("l= that leaves a rest out passes and does not count for DMARC") func partialBody() async throws {
        let result = try await verify(try partial(5, of: "12345678\r\n"))
        #expect(result.verdict == .pass, "\(result.reason)")
        #expect(!result.coversWholeBody)
        #expect(!result.countsForDMARC)
    }

    @Test("l= that reaches the end counts") func exactLength() async throws {
        let result = try await verify(try partial(10, of: "12345678\r\n"))
        #expect(result.verdict == .pass, "\(result.reason)")
        #expect(result.countsForDMARC)
    }

    @Test("l=0 signs no body at all") func zeroLength() async throws {
        let result = try await verify(try partial(0, of: "12345678\r\n"))
        #expect(result.verdict == .pass, "\(result.reason)")
        #expect(!result.countsForDMARC)
    }

    @Test("Text added behind l= still passes and still does not count") func appended() async throws {
        var signed = try partial(10, of: "12345678\r\n")
        signed.body = MessageBody(try signed.body.bytes() + Array("advertising\r\n".utf8))
        let result = try await verify(signed)
        #expect(result.verdict == .pass, "\(result.reason)")
        #expect(!result.countsForDMARC)
    }

    @Test("l= beyond the body fails") func tooLong() async throws {
        let result = try await verify(try partial(11, of: "12345678\r\n"))
        #expect(result.verdict == .fail)
        #expect(result.reason.contains("l= is larger"), "\(result.reason)")
    }

    @Test("Awkward bodies signed and verified", arguments: [
        "", "\r\n", "\r\n\r\n\r\n", "x", "x\r\n", "no line end", "trailing empties\r\n\r\n\r\n", "blank at end \t \r\n", " \t \r\n", " ",
        "\ttab\tand  blanks \r\n \r\n\r\nmore\r\n", String(repeating: "z", count: 998) + "\r\n", "\u{e9}\u{4e2d}\r\n", "ends in CR\r", ".\r\n..\r\n",
        String(repeating: "line of text with  blanks\r\n", count: 5000), String(repeating: "\r\n", count: 40000) + "end\r\n",
    ]) func awkward(body: String) async throws {
        let plain = message("From: ann@example.org\r\nSubject: x\r\n\r\n" + body)
        let result = try await verify(plain.adding(try DKIMSigner().sign(plain, with: [TestKeys.ed25519], at: Date(timeIntervalSince1970: TimeInterval(testTime)))))
        #expect(result.verdict == .pass, "\(result.reason)")
        #expect(result.countsForDMARC)
    }

    @Test("Octets above 127 in another charset") func eightBit() async throws {
        var plain = message(plainText)
        plain.body = MessageBody(Array(UInt8(128)...255) + [13, 10])
        let signed = plain.adding(try DKIMSigner().sign(plain, with: [TestKeys.rsa], at: Date(timeIntervalSince1970: TimeInterval(testTime))))
        #expect(try await verify(signed).verdict == .pass)
    }

    @Test("A body in a spool file is signed and verified as one in memory") func spooled() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "dkim-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        let body = Array(String(repeating: "a line of  text \r\n", count: 20000).utf8)
        var assembler = MessageAssembler(memoryLimit: 1000, spoolFolder: folder.path)
        try assembler.append(Array("From: ann@example.org\r\n\r\n".utf8))
        for start in stride(from: 0, to: body.count, by: 50000) {
            try assembler.append(body[start..<min(start + 50000, body.count)])
            if assembler.wantsSpill { try assembler.spill() }
        }
        let inFile = try assembler.finish()
        #expect(inFile.body.isInFile)
        let inMemory = Message(header: inFile.header, body: MessageBody(body))
        #expect(try DKIMSigner.bodyHash(inFile.body) == DKIMSigner.bodyHash(inMemory.body))
        let fields = try DKIMSigner().sign(inFile, with: [TestKeys.ed25519], at: Date(timeIntervalSince1970: TimeInterval(testTime)))
        #expect(try await verify(inFile.adding(fields)).verdict == .pass)
        #expect(try await verify(inMemory.adding(fields)).verdict == .pass)
    }
}
