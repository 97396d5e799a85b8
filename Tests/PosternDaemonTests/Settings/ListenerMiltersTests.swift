import Logging
import Milter
import MilterClient
import NIOPosix
import Testing
@testable import PosternDaemon

/// `listener_milters`: which filters mail meets, by the way it came in.
@Suite struct ListenerMiltersTests {
    private func parse(_ text: String) throws -> Settings { try SettingsFile.parse(text, file: "p.toml", baseFolder: "/") }

    private func names(_ text: String) throws -> [MailEntrance: [String]] {
        let settings = try parse(text)
        return Dictionary(uniqueKeysWithValues: MailEntrance.allCases.map { ($0, settings.milters(for: $0).map(\.tomlText)) })
    }

    private static let us = "\"builtin\"", spam = "\"inet:localhost:11332\"", virus = "\"unix:/run/clamav.sock\""

    @Test func withoutItMiltersHoldEverywhereButForLMTP() throws {
        let found = try names("milters = [\(Self.us), \(Self.spam)]")
        for entrance in MailEntrance.allCases { #expect(found[entrance] == (entrance == .lmtp ? [] : [Self.us, Self.spam])) }
    }

    @Test func aListOfItsOwnStandsForItsListenerAlone() throws {
        let found = try names("""
            milters = [\(Self.us), \(Self.spam)]
            [listener_milters]
            smtp = [\(Self.virus), \(Self.us)]
            submissions = []
            local = "milters"
            """)
        #expect(found == [.smtp: [Self.virus, Self.us], .submission: [Self.us, Self.spam], .submissions: [], .local: [Self.us, Self.spam], .lmtp: []])
    }

    @Test(arguments: [
        ("", []), ("lmtp_filters = false", []), ("lmtp_filters = true", [us]), ("listener_milters.lmtp = [\(virus)]", [virus]), ("listener_milters.lmtp = \"milters\"", [us]),
        // Where it is set it decides alone.
        ("lmtp_filters = false\nlistener_milters.lmtp = [\(virus)]", [virus]), ("lmtp_filters = true\nlistener_milters.lmtp = []", []),
    ])
    func lmtp(_ text: String, _ expected: [String]) throws { #expect(try names(text)[.lmtp] == expected) }

    @Test(arguments: [
        ("[listener_milters]\nsmpt = []", "p.toml:2: unknown key listener_milters.smpt; did you mean listener_milters.smtp?"),
        ("[listener_milters]\nsmtp = [\"builtin\", \"rspamd\"]", "p.toml:2: listener_milters.smtp[2] must be \"builtin\", "),
        ("\nlistener_milters.local = \"builtin\"", "p.toml:2: listener_milters.local must be a list as milters has it, "),
        ("listener_milters = []", "p.toml:1: unknown key listener_milters"),
        ("[listener_milters]\nlmtp = [\"{ inet:localhost:1, colour=red }\"]", "p.toml:2: listener_milters.lmtp[1] must be of a milter's settings default_action"),
    ])
    func whatIsWrongIsSaidWithItsLine(_ text: String, _ expected: String) {
        #expect { try parse(text) } throws: { "\($0)".hasPrefix(expected) }
    }

    @Test func configShowKnowsThem() throws {
        let shown = ShownSettings(try parse("listener_milters.local = []"), file: "postern.toml", isWhole: true).rows.filter { $0.key.hasPrefix("listener_milters.") }
        #expect(shown.count == MailEntrance.allCases.count)
        #expect(shown.contains { $0.key == "listener_milters.local" && $0.value == "[]" && $0.source == .file && $0.line == 1 })
        #expect(shown.contains { $0.key == "listener_milters.smtp" && $0.value == "\"milters\"" && $0.source == .default })
    }

    /// Else its outage would be logged for every listener.
    @Test func oneMilterOfSeveralListsIsOneFilter() throws {
        let settings = try parse("milters = [\(Self.spam)]\nlistener_milters.smtp = [\(Self.virus), \(Self.spam)]\nlistener_milters.local = [\"{ inet:localhost:11332, default_action=accept }\"]")
        let chains = FilterChains(settings, builtIn: [], group: MultiThreadedEventLoopGroup.singleton, logger: Logger(label: "test"))
        func milter(_ entrance: MailEntrance, _ index: Int) -> MilterClientFilter? { chains[entrance].filters[index] as? MilterClientFilter }
        #expect(milter(.smtp, 1) != nil)
        #expect(milter(.smtp, 1) === milter(.submission, 0))
        // What is treated otherwise is another.
        #expect(milter(.local, 0) !== milter(.submission, 0))
        #expect(chains.chain(forListener: "smtp").filters.count == 2)
        #expect(chains.chain(forListener: "lmtp").filters.isEmpty)
        #expect(chains.chain(forListener: "nonsense").filters.isEmpty)
    }

    @Test(arguments: ["inet:localhost:12301", "inet:12301@localhost", "inet6:12301@::1", "inet:[::1]:12301", "inet:12301", "unix:/run/m.sock", "local:/run/m.sock", ""])
    func whereTheMilterMayListen(_ socket: String) throws { #expect(try parse("listen.milter = \"\(socket)\"")[Known.listenMilter] == socket) }

    @Test(arguments: ["localhost:12301", "inet:localhost", "inet:70000@localhost", "inet:localhost:0", "unix:m.sock", "unix:", "tcp:localhost:1", "inet:@localhost", "unix:/" + String(repeating: "x", count: 107)])
    func whereItMayNot(_ socket: String) {
        #expect { try parse("\n[listen]\nmilter = \"\(socket)\"") } throws: { "\($0)".hasPrefix("p.toml:3: listen.milter must be \"inet:host:port\", ") }
    }
}
