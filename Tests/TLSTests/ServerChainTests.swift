import Foundation
import Testing
@testable import TLS

/// Files of certificates as certbot, HAProxy and Postfix have them.
@Suite struct ServerChainTests {
    let folder: CertificateFolder
    init() throws { folder = try CertificateFolder() }

    func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    @Test func aChainFileHasTheKeyFirst() throws {
        let a = try folder.make("a", names: ["a.example"])
        try folder.write(try text(a.key) + text(a.certificate), to: folder.path + "/both.pem", mode: 0o600)
        let chains = try ServerChain.read(chainFiles: [folder.path + "/both.pem"])
        #expect(chains.count == 1)
        #expect(try TLSContext.server(chains).certificate?.names == ["a.example"])
        // In files of their own.
        #expect(try TLSContext.server(ServerChain.read(chainFiles: [a.key, a.certificate])).certificate?.names == ["a.example"])
    }

    @Test func theKeyMayComeLast() throws {
        let a = try folder.make("a", names: ["a.example"]), b = try folder.make("b", names: ["b.example"])
        try folder.write(try text(a.certificate) + text(a.key) + text(b.certificate) + text(b.key), to: folder.path + "/both.pem", mode: 0o600)
        let chains = try ServerChain.read(chainFiles: [folder.path + "/both.pem"])
        #expect(chains.count == 2)
    }

    @Test func whatIsMissingIsSaid() throws {
        let a = try folder.make("a", names: ["a.example"])
        func problem(_ files: [String]) -> String {
            do throws(TLSError) { _ = try ServerChain.read(chainFiles: files); return "" } catch { return error.description }
        }
        #expect(problem([a.certificate]).contains("no private key comes with it"))
        #expect(problem([a.key]).contains("no certificate follows it"))
        try folder.write("-----BEGIN CERTIFICATE-----\nabc\n", to: folder.path + "/cut.pem", mode: 0o600)
        #expect(problem([folder.path + "/cut.pem"]).contains("holds no certificate"))
    }

    @Test func aKeyAmongCertificatesIsASecret() throws {
        let a = try folder.make("a", names: ["a.example"])
        try folder.write(try text(a.key) + text(a.certificate), to: folder.path + "/both.pem", mode: 0o644)
        #expect(throws: TLSError.self) { try ServerChain.read(chainFiles: [folder.path + "/both.pem"]) }
    }

    @Test func factsOfACertificate() throws {
        let pair = try SelfSignedCertificate.generate(names: ["Mail.Example.org", "192.0.2.1", "2001:db8::1"], days: 10)
        let facts = try #require(CertificateFacts(pem: pair.certificatePEM))
        #expect(facts.names == ["mail.example.org", "192.0.2.1", "2001:db8::1"])
        #expect(facts.issuer == "Mail.Example.org")
        #expect(facts.isSelfSigned)
        #expect(facts.serial.count >= 16)
        let start = try #require(facts.notBefore), end = try #require(facts.notAfter)
        #expect(Int(end - start) == 10 * 86_400 + 300)
        #expect(CertificateFacts(pem: "rubbish") == nil)
    }

    /// RFC 7468 §2: text around the objects is a comment.
    @Test func pemBlocks() {
        let text = "Bag Attributes\r\n-----BEGIN EC PARAMETERS-----\r\nBg==\r\n-----END EC PARAMETERS-----\r\nx\r\n-----BEGIN CERTIFICATE-----\r\nMII=\r\n-----END CERTIFICATE-----"
        #expect(PEMBlock.all(in: text) == [
            PEMBlock(label: "EC PARAMETERS", text: "-----BEGIN EC PARAMETERS-----\nBg==\n-----END EC PARAMETERS-----\n"),
            PEMBlock(label: "CERTIFICATE", text: "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n"),
        ])
        #expect(PEMBlock.all(in: "-----BEGIN A-----\n-----END B-----\n") == [])
    }

    @Test func namesChooseTheExactOneThenTheWildcardThenTheNearestParent() throws {
        func context(_ name: String) throws -> TLSContext {
            let pair = try SelfSignedCertificate.generate(names: [name], days: 1)
            return try TLSContext.server([ServerChain(certificatePEM: pair.certificatePEM, privateKeyPEM: pair.privateKeyPEM)])
        }
        var entries: [(name: String, context: TLSContext)] = []
        for name in ["mail.example.org", ".example.org", "*.example.net", ".sub.example.org"] {
            entries.append((name, try context("x" + name.replacing("*", with: ""))))
        }
        let table = ServerNameTable(entries)
        func chosen(_ name: String) -> String? { table.context(for: name)?.certificate?.names.first }
        #expect(chosen("mail.example.org") == "xmail.example.org")
        #expect(chosen("mail.example.org.") == "xmail.example.org")
        #expect(chosen("imap.example.org") == "x.example.org")
        #expect(chosen("a.b.example.org") == "x.example.org")
        #expect(chosen("a.sub.example.org") == "x.sub.example.org")
        #expect(chosen("a.example.net") == "x.example.net")
        // RFC 6125 §6.4.3: a wildcard stands for one label.
        #expect(chosen("a.b.example.net") == nil)
        #expect(chosen("example.org") == nil)
        #expect(chosen(String(repeating: "a.", count: 200)) == nil)
    }

    @Test func helloExtensions() {
        #expect(ClientHello.protocols([0, 6, 2, 104, 50, 2, 104, 51]) == ["h2", "h3"])
        #expect(ClientHello.protocols([0, 6, 2, 104, 50, 9, 104, 51]) == [])
        #expect(ClientHello.protocols([0, 1, 0]) == [])
        #expect(ClientHello.protocols([0]) == [])
        #expect(ClientHello.serverName([0, 5, 0, 0, 2, 97, 98]) == "ab")
        #expect(ClientHello.serverName([0, 5, 0, 0, 9, 97, 98]) == nil)
        #expect(ClientHello.serverName([0, 5, 1, 0, 2, 97, 98]) == nil)
    }
}
