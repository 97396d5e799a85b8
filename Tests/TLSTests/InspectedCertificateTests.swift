import Foundation
import Testing
@testable import TLS

struct InspectedCertificateTests {
    private func written(_ text: String) throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("facts-\(UUID().uuidString).pem").path
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    @Test func aCertificateSaysItsNamesAndDates() throws {
        let (pem, _) = try SelfSignedCertificate.generate(names: ["mail.example.org", "*.mail.example.org", "192.0.2.1"], days: 2)
        let path = try written(pem)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let facts = try #require(try InspectedCertificate.chain(pemFile: path).first)
        #expect(facts.subject == "mail.example.org" && facts.isSelfIssued)
        #expect(facts.names == ["mail.example.org", "*.mail.example.org", "192.0.2.1"])
        #expect(facts.bears("mail.example.org") && facts.bears("a.mail.example.org") && facts.bears("192.0.2.1"))
        #expect(!facts.bears("example.org") && !facts.bears("a.b.mail.example.org") && !facts.bears("192.0.2.2"))
        let now = Int64(Date().timeIntervalSince1970)
        #expect(facts.notBefore < now && (now + 86_400...now + 2 * 86_400 + 5).contains(facts.notAfter))
        #expect(facts.keyDigest.count == 32)
        #expect(try ChainVerification.problem(of: [facts], trust: .file(path)) == nil)
        #expect(try ChainVerification.problem(of: [facts], trust: .system)?.contains("self") == true)
        #expect(try ChainVerification.problem(of: [facts], trust: .file(path), now: now + 5 * 86_400)?.contains("expired") == true)
    }

    @Test func whatIsNoCertificateIsSaid() throws {
        let path = try written("hello\n")
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(throws: TLSError.file(path: path, problem: "holds no certificate in PEM form")) { try InspectedCertificate.chain(pemFile: path) }
        #expect(throws: TLSError.self) { try InspectedCertificate.chain(pemFile: "/nonexistent.pem") }
    }
}
