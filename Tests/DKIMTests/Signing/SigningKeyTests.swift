import DNS
import Foundation
import Testing
@testable import DKIM

@Suite("Private keys") struct SigningKeyTests {
    private func withFile(_ text: String, mode: Int, _ check: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "dkim-key-\(UUID().uuidString).pem").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        _ = FileManager.default.createFile(atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: mode])
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        try check(path)
    }

    @Test("A generated key is read back; its record parses to the same key", arguments: [SigningKey.Kind.rsa2048, .ed25519])
    func roundTrip(kind: SigningKey.Kind) throws {
        let pem = try SigningKey.generate(kind)
        try withFile(pem, mode: 0o600) { path in
            let key = try SigningKey(pemFile: path, domain: name("example.org"), selector: "s1")
            let record = try DKIMKeyRecord(parsing: Array(key.publicRecord.utf8))
            #expect(record.keyBits == key.bits)
            #expect(record.publicKey == (try key.privateKey.publicOctets()))
            #expect(key.algorithm == (kind == .ed25519 ? .ed25519SHA256 : .rsaSHA256))
            #expect(key.recordName == name("s1._domainkey.example.org"))
            #expect(!key.isWeak)
        }
    }

    @Test("Files that others may read are refused", arguments: [0o644, 0o640, 0o660, 0o604, 0o601])
    func modes(mode: Int) throws {
        try withFile(try SigningKey.generate(.ed25519), mode: mode) { path in
            #expect(throws: SigningKey.Failure.readableByOthers(path: path, mode: UInt32(mode))) {
                try SigningKey(pemFile: path, domain: name("example.org"), selector: "s1")
            }
        }
    }

    @Test("Mode 0400 is fine") func readOnly() throws {
        try withFile(try SigningKey.generate(.ed25519), mode: 0o400) { path in
            let key = try SigningKey(pemFile: path, domain: name("example.org"), selector: "s1")
            #expect(key.bits == 256)
        }
    }

    @Test("What is no key file") func notFiles() throws {
        #expect(throws: SigningKey.Failure.unreadable(path: "/nonexistent/key", code: ENOENT)) {
            try SigningKey(pemFile: "/nonexistent/key", domain: name("example.org"), selector: "s1")
        }
        #expect(throws: SigningKey.Failure.notAFile(path: "/")) {
            try SigningKey(pemFile: "/", domain: name("example.org"), selector: "s1")
        }
        try withFile(String(repeating: "x", count: 65537), mode: 0o600) { path in
            #expect(throws: SigningKey.Failure.tooLarge(path: path)) {
                try SigningKey(pemFile: path, domain: name("example.org"), selector: "s1")
            }
        }
    }

    @Test("A key that cannot be used is told with its file") func fileIsNamed() throws {
        for text in ["hello", try PrivateKey.generate(rsaBits: 768).pem()] {
            try withFile(text, mode: 0o600) { path in
                let failure = #expect(throws: SigningKey.Failure.self) {
                    try SigningKey(pemFile: path, domain: name("example.org"), selector: "s1")
                }
                #expect(failure?.description.hasPrefix("\(path): ") == true)
            }
        }
    }

    private static let encrypted = """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgAAAAAAAAAAAICCAAw
        DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEAAAAAAAAAAAAAAAAAAAAAAEQAAA
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
        AAAAAAAAAAAAAAAAAAAAAAA=
        -----END ENCRYPTED PRIVATE KEY-----
        """

    @Test("Texts that are no usable key", arguments: ["", "hello", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", encrypted])
    func notKeys(text: String) {
        #expect {
            try SigningKey(pem: text, domain: name("example.org"), selector: "s1")
        } throws: { error in
            if case SigningKey.Failure.notAKey = error { true } else { false }
        }
    }

    @Test("RSA sizes: 1023 bits are refused, 1024 are weak") func sizes() throws {
        let small = try PrivateKey.generate(rsaBits: 768).pem()
        #expect(throws: SigningKey.Failure.tooFewBits(768)) { try SigningKey(pem: small, domain: name("example.org"), selector: "s") }
        #expect(try SigningKey(pem: PrivateKey.generate(rsaBits: 1024).pem(), domain: name("example.org"), selector: "s").isWeak)
    }

    @Test("Selectors that cannot be published", arguments: ["", "a b", "a..b", "a_b", "-a", String(repeating: "a", count: 64), "a;b"])
    func selectors(selector: String) throws {
        let pem = try SigningKey.generate(.ed25519)
        #expect(throws: SigningKey.Failure.badSelector(selector)) { try SigningKey(pem: pem, domain: name("example.org"), selector: selector) }
    }
}

@Suite("Which key for which From") struct KeyTableTests {
    private let exact = TestKeys.make(.ed25519, "a", "example.org")
    private let second = TestKeys.make(.ed25519, "b", "example.org")
    private let sub = TestKeys.make(.ed25519, "c", "mail.example.org")
    private let wide = TestKeys.make(.ed25519, "d", "example.net")

    private func selectors(_ table: KeyTable, _ domain: String) -> [String] { table.keys(for: name(domain)).map(\.selector) }

    @Test("Exact domain, nearest parent, nobody else") func table() {
        let table = KeyTable([.init(exact), .init(second), .init(sub), .init(wide, subdomains: true)])
        #expect(selectors(table, "example.org") == ["a", "b"])
        #expect(selectors(table, "EXAMPLE.org") == ["a", "b"])
        #expect(selectors(table, "mail.example.org") == ["c"])
        #expect(selectors(table, "www.example.org") == [])
        #expect(selectors(table, "a.b.example.net") == ["d"])
        #expect(selectors(table, "notexample.net") == [])
        #expect(selectors(table, "net") == [])
        #expect(selectors(table, "") == [])
        #expect(table.all.map(\.selector) == ["d", "a", "b", "c"])
    }

    @Test("An exact domain shadows a wide parent; a narrow key in between does not") func nearest() {
        let parent = TestKeys.make(.ed25519, "p", "example.org")
        let table = KeyTable([.init(parent, subdomains: true), .init(sub)])
        #expect(selectors(table, "mail.example.org") == ["c"])
        #expect(selectors(table, "x.mail.example.org") == ["p"])
        #expect(selectors(table, "example.org") == ["p"])
    }

    @Test("The gateway's own name is signed for by the nearest domain above that has keys, and no other name is") func ownHost() {
        let table = KeyTable([.init(exact), .init(wide)], hostName: name("mx.mail.example.org"))
        #expect(selectors(table, "mx.mail.example.org") == ["a"])
        #expect(selectors(table, "MX.mail.example.org") == ["a"])
        #expect(selectors(table, "mail.example.org") == [])
        #expect(selectors(table, "a.mx.mail.example.org") == [])
        #expect(selectors(table, "mx.example.net") == [])
        // A key of its own goes first, and a nearer domain before a farther one.
        #expect(selectors(KeyTable([.init(exact), .init(sub)], hostName: name("mail.example.org")), "mail.example.org") == ["c"])
        #expect(selectors(KeyTable([.init(exact), .init(sub)], hostName: name("mx.mail.example.org")), "mx.mail.example.org") == ["c"])
        // Unrelated domains sign for nobody: not above, or only alike in letters.
        #expect(selectors(KeyTable([.init(exact), .init(wide, subdomains: true)], hostName: name("mail.example.com")), "mail.example.com") == [])
        #expect(selectors(KeyTable([.init(exact)], hostName: name("notexample.org")), "notexample.org") == [])
        #expect(selectors(KeyTable([.init(exact)], hostName: name("org")), "org") == [])
        #expect(selectors(KeyTable([.init(exact)]), "mail.example.org") == [])
    }

    @Test("One selector of one domain signs once, though settings and store both name it") func distinct() {
        let again = TestKeys.make(.ed25519, "A", "example.org")
        let table = KeyTable([.init(exact), .init(again), .init(second)])
        #expect(selectors(table, "example.org") == ["a", "b"])
        #expect(table.keys(for: name("example.org")).first?.publicRecord == exact.publicRecord)
    }
}
