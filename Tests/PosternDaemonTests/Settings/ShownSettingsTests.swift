import Foundation
import Testing
@testable import PosternDaemon

@Suite struct ShownSettingsTests {
    private func shown(_ text: String, isWhole: Bool = true) throws -> ShownSettings {
        ShownSettings(try SettingsFile.parse(text, file: "p.toml", baseFolder: "/etc/postern"), file: "p.toml", isWhole: isWhole)
    }

    @Test func everyValueHasItsSource() throws {
        let shown = try shown("myhostname = \"mail.example.org\"\n\n[listen]\nsmtp = []\n")
        func place(_ key: String) throws -> String { shown.place(of: try #require(shown.rows.first { $0.key == key })) }
        #expect(try place("myhostname") == "p.toml:1")
        #expect(try place("listen.smtp") == "p.toml:4")
        #expect(try place("message_size_limit") == "default")
        #expect(try place("authserv_id") == "derived from myhostname")
        #expect(shown.rows.first { $0.key == "authserv_id" }?.value == "\"mail.example.org\"")
        #expect(shown.rows.first { $0.key == "maildrop_directory" }?.value == "\"/var/lib/postern/maildrop\"")
        #expect(shown.rows.map(\.key) == Known.all.map(\.key))
    }

    @Test func withoutTheWholeWhatTheFileSets() throws {
        let shown = try shown("myhostname = \"mail.example.org\"\nsrs = false\n", isWhole: false)
        #expect(shown.text == "myhostname = \"mail.example.org\"  # p.toml:1\nsrs        = false               # p.toml:2")
    }
}

@Suite struct InstallationCheckTests {
    private func remarks(_ settings: String, rules: String = "", aliases: String? = nil) throws -> [CheckRemark] {
        let folder = NSTemporaryDirectory() + "postern-check-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder + "/policies", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data(rules.utf8).write(to: URL(fileURLWithPath: folder + "/policies/a.policy"))
        if let aliases { try Data(aliases.utf8).write(to: URL(fileURLWithPath: folder + "/aliases")) }
        try Data("data_directory = \"data\"\n\(settings)".utf8).write(to: URL(fileURLWithPath: folder + "/p.toml"))
        return InstallationCheck(file: folder + "/p.toml").remarks
    }

    @Test func aWrongValueHasLineAndColumn() throws {
        let found = try remarks("message_size_limit = 5\nnonsense = 1\n  srs = \"yes\"\n")
        #expect(found.map(\.line) == [2, 3, 4])
        #expect(found.map(\.column) == [22, 1, 9])
        #expect(found.map(\.severity) == [.error, .error, .error])
        #expect(found[0].message.hasPrefix("message_size_limit must be") && found[0].fix == "write 10000 or more")
        #expect(found[1].message == "unknown key nonsense" && found[1].fix != nil)
    }

    @Test func whatIsNoTOMLHasItsPlace() throws {
        let found = try remarks("srs = \n")
        #expect(found.count == 1)
        #expect(found[0].line == 2 && found[0].column != nil)
    }

    /// Rules, aliases and a key are wrong at once: all three are told, each in its file.
    @Test func everythingIsToldAtOnce() throws {
        let found = try remarks("alias_maps = [\"aliases\"]\n\n[[dkim]]\ndomain = \"example.org\"\nselector = \"s\"\nkey_file = \"none.key\"\n",
                                rules: "stage message\nrule \"x\" when nothing == 1 then accept\n", aliases: "a: \"|run\"\n").filter { $0.severity == .error }
        #expect(found.map { $0.file.split(separator: "/").last.map(String.init) } == ["a.policy", "aliases", "p.toml"])
        #expect(found.map(\.line) == [2, 1, 7])
        #expect(found[0].column == 15)
        #expect(found[2].fix?.contains("key_file") == true)
    }

    @Test func notesSayWhatToDo() throws {
        let found = try remarks("myhostname = \"mail.example.org\"\n")
        #expect(found.allSatisfy { $0.severity == .note })
        #expect(found.contains { $0.message == "no DKIM key signs: outgoing mail is not signed" && $0.fix == "Make one with: postern dkim new DOMAIN" })
    }
}

@Suite struct ServiceManagerTests {
    @Test func withoutAServiceManagerNothingIsSaid() {
        #expect(ServiceManager(environment: [:]).watchdogInterval == nil)
        #expect(ServiceManager(environment: ["WATCHDOG_USEC": "60000000"]).watchdogInterval == .seconds(30))
        #expect(ServiceManager(environment: ["WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"], pid: 2).watchdogInterval == nil)
        #expect(ServiceManager(environment: ["WATCHDOG_USEC": "soon"]).watchdogInterval == nil)
    }
}
