import DKIMKeys
import Foundation
import InternetMessage
import NetworkAddress
import Testing
@testable import PosternDaemon
@testable import PosternSetup

/// Without root: as a user in a folder of its own.
@Suite struct SetupTests {
    private func request(_ folder: String) throws -> SetupRequest {
        SetupRequest(
            domain: try #require(DomainName("example.org")), hostname: try #require(DomainName("mail.example.org")),
            addresses: [try #require(IPAddress("203.0.113.5")), try #require(IPAddress("2001:db8::5"))], account: try #require(EmailAddress("alice@example.org")),
            directory: folder + "/etc", dataDirectory: folder + "/data", user: nil, unitDirectory: folder + "/units", program: "/opt/bin/postern")
    }

    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "setup-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    private func run(_ request: SetupRequest, dry: Bool = false) throws -> [SetupPlan.Outcome] {
        var all: [SetupPlan.Outcome] = []
        try request.plan().run(dry: dry) { all.append($0) }
        return all
    }

    @Test func aDryRunChangesNothingTheFirstMakesAllAndTheSecondKeepsIt() throws {
        try withFolder { folder in
            let request = try request(folder)
            let planned = try run(request, dry: true)
            #expect(planned.allSatisfy { $0.word == "would make" })
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
            let first = try run(request)
            #expect(first.map(\.item) == planned.map(\.item) && first.allSatisfy { $0.word == "made" })
            #expect(first.flatMap(\.secrets).count == 1)
            let before = try state(folder)
            let second = try run(request)
            #expect(second.allSatisfy { $0.word == "kept" && $0.secrets.isEmpty })
            #expect(try state(folder) == before)
        }
    }

    /// Every file with its size, mode and time. SQLite tidies its own up whenever they are closed.
    private func state(_ folder: String) throws -> [String: String] {
        let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        return try names.filter { !$0.contains(".sqlite") }.reduce(into: [:]) { out, name in
            let facts = try FileManager.default.attributesOfItem(atPath: folder + "/" + name)
            guard facts[.type] as? FileAttributeType == .typeRegular else { return }
            out[name] = "\(facts[.size] ?? "") \(facts[.posixPermissions] ?? "") \(facts[.modificationDate] ?? "")"
        }
    }

    @Test func whatIsMadeIsWhatTheServerReads() throws {
        try withFolder { folder in
            let request = try request(folder)
            _ = try run(request)
            let settings = try SettingsFile.load(request.settingsFile)
            #expect(settings[Known.mydestination].map(\.text) == ["example.org"] && settings[Known.myhostname].text == "mail.example.org")
            #expect(settings[Known.postmaster] == "alice@example.org")
            // Keys are staged: their records are not published yet, which is the one remark.
            let remarks = try LiveParts.check(settings)
            #expect(remarks.count == 1 && remarks.first?.contains("no DKIM key signs") == true, "\(remarks)")
            let keys = try KeyStore(folder: settings.dkimKeyFolder).load(#require(DomainName("example.org")))
            #expect(keys?.keys.map(\.algorithm).sorted() == ["ed25519-sha256", "rsa-sha256"])
            for (name, mode) in [("etc", 0o750), ("etc/postern.toml", 0o640), ("etc/tls/mail.example.org/privkey.pem", 0o640), ("data", 0o711)] {
                #expect(try FileManager.default.attributesOfItem(atPath: folder + "/" + name)[.posixPermissions] as? Int == mode, "\(name)")
            }
            let unit = try String(contentsOfFile: folder + "/units/postern.service", encoding: .utf8)
            #expect(unit.contains("ExecStart=/opt/bin/postern serve --config \(request.settingsFile)") && unit.contains("ConditionPathExists=\(request.settingsFile)"))
            #expect(unit.contains("ReadWritePaths=\(request.dataDirectory)\n") && !unit.contains("User="))
        }
    }

    @Test(arguments: [false, true]) func acmeIsUsedWhenItIsAskedFor(asked: Bool) throws {
        try withFolder { folder in
            var request = try request(folder)
            request.usesACME = asked
            _ = try run(request)
            let settings = try SettingsFile.load(request.settingsFile)
            #expect(settings[Known.acme] == asked)
            #expect(settings[Known.acmeEmail] == (asked ? "alice@example.org" : ""))
        }
    }

    @Test func whatAPersonChangedStays() throws {
        try withFolder { folder in
            let request = try request(folder)
            try FileManager.default.createDirectory(atPath: request.directory, withIntermediateDirectories: true)
            let own = "myhostname = \"mx.example.net\"\nmydestination = [\"example.net\"]\ndata_directory = \"elsewhere\"\npolicy_directory = \"\"\n"
            try own.write(toFile: request.settingsFile, atomically: true, encoding: .utf8)
            let all = try run(request)
            #expect(try String(contentsOfFile: request.settingsFile, encoding: .utf8) == own)
            #expect(all.first { $0.item == "settings" }?.detail.contains("add it to mydestination") == true)
            #expect(all.first { $0.item == "certificate" }?.word == "skipped")
            // By the settings that are there.
            #expect(FileManager.default.fileExists(atPath: request.directory + "/elsewhere/accounts.sqlite"))
            #expect(!FileManager.default.fileExists(atPath: folder + "/data"))
        }
    }

    @Test func wrongSettingsThatAreThereEndIt() throws {
        try withFolder { folder in
            let request = try request(folder)
            try FileManager.default.createDirectory(atPath: request.directory, withIntermediateDirectories: true)
            try "nonsense = 1\n".write(toFile: request.settingsFile, atomically: true, encoding: .utf8)
            #expect(throws: SettingsError.self) { try run(request) }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["etc"])
        }
    }
}
