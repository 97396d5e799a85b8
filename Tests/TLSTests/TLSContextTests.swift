import Foundation
import Testing
@testable import TLS

/// Files that cannot be used are named, with what to do.
@Suite struct TLSContextTests {
    let folder: CertificateFolder
    init() throws { folder = try CertificateFolder() }

    func problem(_ certificate: String, _ key: String) -> String {
        do throws(TLSError) {
            _ = try TLSContext.server(certificateChain: certificate, privateKey: key)
            return ""
        } catch {
            return error.description
        }
    }

    @Test func missingFiles() throws {
        let files = try folder.make("a", names: ["a.example"])
        #expect(problem(folder.path + "/none.pem", files.key) == folder.path + "/none.pem: there is no such file")
        #expect(problem(files.certificate, folder.path + "/none.key") == folder.path + "/none.key: there is no such file")
        #expect(problem(folder.path, files.key).contains("is not a file"))
    }

    @Test func theKeyOfAnother() throws {
        let a = try folder.make("a", names: ["a.example"]), b = try folder.make("b", names: ["b.example"])
        #expect(problem(a.certificate, b.key).contains("does not belong to"))
    }

    @Test func keyReadableByOthers() throws {
        let a = try folder.make("a", names: ["a.example"])
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: a.key)
        #expect(problem(a.certificate, a.key).contains("chmod o-rwx"))
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: a.key)
        #expect(problem(a.certificate, a.key) == "")
    }

    @Test func rubbishAndSwappedFiles() throws {
        let a = try folder.make("a", names: ["a.example"])
        try folder.write("not a certificate", to: folder.path + "/x.pem", mode: 0o600)
        #expect(problem(folder.path + "/x.pem", a.key).contains("no certificate in PEM form"))
        #expect(problem(a.certificate, folder.path + "/x.pem").contains("no private key"))
    }

    @Test func anExpiredCertificateIsAWarning() throws {
        let old = try folder.make("old", names: ["a.example"], days: -3)
        let context = try TLSContext.server(certificateChain: old.certificate, privateKey: old.key)
        #expect(context.warnings.count == 1)
        #expect(context.warnings.first?.contains("expired 3 days ago") == true)
        let new = try folder.make("new", names: ["a.example"], days: 3)
        let fresh = try TLSContext.server(certificateChain: new.certificate, privateKey: new.key)
        #expect(fresh.warnings.isEmpty)
        let left = try #require(fresh.expiry) - Int64(Date().timeIntervalSince1970)
        #expect((2 * 86400...3 * 86400).contains(Int(left)))
    }

    @Test func namesThatNoCertificateBears() {
        for names in [[], ["a,DNS:b"], ["a b"], [""]] {
            #expect(throws: TLSError.self) { try SelfSignedCertificate.generate(names: names, days: 1) }
        }
    }

    @Test func missingAuthorityFile() {
        #expect(throws: TLSError.file(path: "/nonexistent/ca.pem", problem: "there is no such file")) {
            try TLSContext.client(trust: .file("/nonexistent/ca.pem"))
        }
    }
}
