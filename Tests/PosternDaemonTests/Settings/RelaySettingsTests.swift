import Foundation
@testable import PosternDaemon
import SMTPClient
import Testing

/// What the client is made of: tables, passwords.
@Suite struct RelaySettingsTests {
    func settings(_ text: String) throws -> Settings { try SettingsFile.parse(text, file: "t.toml", baseFolder: "/") }

    func fault(_ text: String) -> String { do { _ = try settings(text) } catch { return "\(error)" }; return "" }

    @Test func tablesBecomeRoutesAndPolicies() throws {
        let configuration = try ClientWiring.configuration(settings("""
            relayhost = "[hub.example]:587"
            smtp_bind_address6 = "2001:db8::1"
            smtp_address_preference = "ipv6"
            [transport]
            "A.example" = "smtp:[192.0.2.1]:26"
            ".a.example" = "discard:"
            "*" = "error:5.1.2 no"
            [smtp_tls_policy]
            "b.example" = "secure match=x.example:.y.example"
            "[hub.example]:587" = "dane-only"
            """))
        #expect(configuration.transports.entries.keys.sorted() == ["*", ".a.example", "a.example"])
        #expect(configuration.tlsPolicies.entries["b.example"] == TLSPolicy(.secure, matches: [.name("x.example"), .name(".y.example")]))
        #expect(configuration.tlsPolicies.entries["[hub.example]:587"]?.level == .daneOnly)
        #expect(configuration.families == .preferV6 && configuration.bindAddress6?.description == "2001:db8::1" && configuration.bindAddress4 == nil)
    }

    @Test func faultsNameTheirLine() {
        #expect(fault("[transport]\n\"a.example\" = \"smtp:\"\n\"b.example\" = \"pipe:x\"\n").hasPrefix("t.toml:3: transport.b.example must be \"smtp:"))
        #expect(fault("[smtp_tls_policy]\n\"a.example\" = \"must\"\n").hasPrefix("t.toml:2: smtp_tls_policy.a.example must be none, may"))
        #expect(fault("[smtp_tls_policy]\n\"a b\" = \"may\"\n").contains("with keys that are a domain"))
        #expect(fault("transport = \"smtp:\"\n").contains("must be a table"))
        #expect(fault("smtp_bind_address6 = \"192.0.2.1\"\n").contains("an IPv6 address"))
    }

    @Test func whatIsShownCanBeReadAgain() throws {
        let given = try settings("[transport]\n\".a.example\" = \"lmtp:unix:/run/x\"\n[smtp_tls_policy]\n\"b.example\" = \"verify match=nexthop\"\n")
        let again = try settings("transport = \(given.text(of: Known.transport))\nsmtp_tls_policy = \(given.text(of: Known.smtpTLSPolicy))\n")
        #expect(again[Known.transport] == given[Known.transport] && again[Known.smtpTLSPolicy] == given[Known.smtpTLSPolicy])
    }

    @Test func passwordsByHost() throws {
        let path = NSTemporaryDirectory() + "/passwords-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        func write(_ text: String, mode: Int = 0o640) {
            _ = FileManager.default.createFile(atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: mode])
        }
        write("# hubs\n[hub.example]:587   alice@a.example:se:cret \nother.example\tuser:\n\n")
        let read = try PasswordFile.read(path, withoutTLS: false)
        let hub = try #require(NextHop("[hub.example]:587")), other = try #require(NextHop("other.example"))
        #expect(read[hub]?.user == "alice@a.example" && read[hub]?.password == "se:cret" && read[hub]?.allowWithoutTLS == false)
        #expect(read[other]?.password == "" && read.count == 2)
        write("[hub.example] no-colon\n")
        #expect(throws: SettingsError.self) { try PasswordFile.read(path, withoutTLS: false) }
        write("[hub.example] a:b\n", mode: 0o644)
        #expect(throws: SettingsError.self) { try PasswordFile.read(path, withoutTLS: false) }
        #expect(throws: SettingsError.self) { try PasswordFile.read(path + "-none", withoutTLS: false) }
    }
}
