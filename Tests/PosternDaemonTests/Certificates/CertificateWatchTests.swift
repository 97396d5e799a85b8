import Foundation
import TLS
import Testing
@testable import PosternDaemon

/// Certificates of a running gateway: certbot's folders, renewals, and files that are not ours to read.
@Suite struct ServerCertificatesTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    func write(_ lineage: String, version: Int, names: [String], keyOf other: Int? = nil) throws {
        let archive = folder.path + "/archive/" + lineage, live = folder.path + "/live/" + lineage
        for path in [archive, live] { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
        let pair = try SelfSignedCertificate.generate(names: names, days: 30)
        try pair.certificatePEM.write(toFile: archive + "/fullchain\(version).pem", atomically: true, encoding: .utf8)
        FileManager.default.createFile(atPath: archive + "/privkey\(version).pem", contents: Data(pair.privateKeyPEM.utf8), attributes: [.posixPermissions: 0o600])
        for name in ["fullchain", "privkey"] {
            let link = "\(live)/\(name).pem", target = "../../archive/\(lineage)/\(name)\(name == "privkey" ? other ?? version : version).pem"
            try? FileManager.default.removeItem(atPath: link)
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
        }
    }

    func settings(sni: [String: [String]] = [:]) -> Settings {
        var settings = Settings()
        settings[Known.certFile] = FilePath(folder.path + "/live/mail/fullchain.pem")
        settings[Known.keyFile] = FilePath(folder.path + "/live/mail/privkey.pem")
        settings[Known.tlsServerSNIMaps] = KeyedTable(sni.compactMapValues { SNIEntry($0.joined(separator: ",")) })
        return settings
    }

    func names(_ certificates: ServerCertificates) -> [[String]] { certificates.served.map(\.facts.names) }

    @Test func whatDidNotChangeIsNotReadAgain() throws {
        try write("mail", version: 1, names: ["one.example"])
        let plan = CertificatePlan(settings())
        let first = try ServerCertificates(plan)
        #expect(names(first) == [["one.example"]])
        let serial = first.served.first?.facts.serial
        #expect(try ServerCertificates(plan, previous: first).served.first?.facts.serial == serial)
        try write("mail", version: 2, names: ["one.example"])
        let second = try ServerCertificates(plan, previous: first)
        #expect(second.served.first?.facts.serial != serial)
    }

    @Test func aKeyOfAnotherCertificateIsRefused() throws {
        try write("mail", version: 1, names: ["one.example"])
        let first = try ServerCertificates(CertificatePlan(settings()))
        try write("mail", version: 2, names: ["two.example"], keyOf: 1)
        #expect(throws: TLSError.self) { try ServerCertificates(CertificatePlan(settings()), previous: first) }
    }

    @Test func namedCertificatesComeAfterTheDefault() throws {
        try write("mail", version: 1, names: ["one.example"])
        try write("other", version: 1, names: ["other.example"])
        let live = folder.path + "/live/other/"
        let certificates = try ServerCertificates(CertificatePlan(settings(sni: ["other.example": [live + "privkey.pem", live + "fullchain.pem"]])))
        #expect(names(certificates) == [["one.example"], ["other.example"]])
        #expect(certificates.served.map(\.name) == [nil, "other.example"])
    }

    /// The watch takes a pair once it has stood for an interval, and says once what it refuses.
    @Test func theWatchWaitsUntilBothFilesAreThere() async throws {
        try write("mail", version: 1, names: ["one.example"])
        let installation = try GatewayTests.Installation("""
            smtpd_tls_cert_file = "\(folder.path)/live/mail/fullchain.pem"
            smtpd_tls_key_file = "\(folder.path)/live/mail/privkey.pem"
            """)
        let gateway = try installation.gateway()
        do {
            let watch = CertificateWatch(live: gateway.liveForTests, logger: GatewayTests.Installation.quiet)
            func served() -> [String] { gateway.liveForTests.current.certificates.served.flatMap(\.facts.names) }
            watch.look()
            watch.look()
            try write("mail", version: 2, names: ["two.example"])
            watch.look()
            #expect(served() == ["one.example"])
            watch.look()
            #expect(served() == ["two.example"])
            try write("mail", version: 3, names: ["three.example"], keyOf: 2)
            for _ in 0..<4 { watch.look() }
            #expect(served() == ["two.example"])
            try write("mail", version: 4, names: ["four.example"])
            for _ in 0..<2 { watch.look() }
            #expect(served() == ["four.example"])
        } catch {
            await gateway.stop()
            throw error
        }
        await gateway.stop()
    }
}
