import MilterClient
import PosternDaemon
import Testing

/// The entries of `milters`.
@Suite struct MilterLinkTests {
    private func link(_ text: String) throws -> MilterLink { try MilterLink(.string(text), baseFolder: "/") }

    private static let rspamd = MilterAddress.inet(host: "localhost", port: 11332)

    @Test func plain() throws {
        #expect(try link("builtin") == .builtIn)
        #expect(try link("inet:localhost:11332") == .foreign(Self.rspamd, MilterLink.Own()))
        #expect(try link("unix:/run/m.sock") == .foreign(.unix(path: "/run/m.sock"), MilterLink.Own()))
    }

    @Test(arguments: [
        "{ inet:localhost:11332, default_action=accept, connect_timeout=5s, content_timeout=2m }", "{inet:localhost:11332 content_timeout=120s,connect_timeout=5,default_action=accept}",
    ]) func withSettingsOfItsOwn(_ text: String) throws {
        var own = MilterLink.Own()
        own.defaultAction = .accept
        own.connectTimeout = TimeSpan(seconds: 5)
        own.contentTimeout = TimeSpan(seconds: 120)
        #expect(try link(text) == .foreign(Self.rspamd, own))
        // What `config show` prints says the same.
        #expect(try link(text).tomlText == "\"{ inet:localhost:11332, default_action=accept, connect_timeout=5s, content_timeout=120s }\"")
    }

    @Test(arguments: [
        "", "{}", "{ }", "builtIn", "localhost:25", "{ default_action=accept }", "{ inet:localhost:11332, default_action=maybe }", "{ inet:localhost:11332, colour=red }",
        "{ inet:localhost:11332, default_action }", "{ inet:localhost:11332, connect_timeout=soon }", "{ builtin, default_action=accept }", "{ inet:localhost:11332",
    ]) func refused(_ text: String) { #expect(throws: SettingMismatch.self) { try link(text) } }
}
