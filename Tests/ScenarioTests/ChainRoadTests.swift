import Foundation
import Logging
import Milter
import PosternDaemon
import ScenarioTesting
import Testing

/// The scenarios of Tests/interop on the road that needs no socket: what `test_scenarios.py` compares with our SMTP port and
/// with Postfix must hold here too.
@Suite struct ChainRoadTests {
    static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
    static let scenarios: [String] = {
        let folder = tests + "/interop/scenarios"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix(".txt") }.sorted().map { "\(folder)/\($0)" }
    }()

    @Test func thereAreSome() { #expect(Self.scenarios.count > 20) }

    @Test(arguments: scenarios) func asWritten(_ path: String) async throws {
        let scenario = try Scenario(contentsOf: path)
        let outcome = try await Self.outcome(of: scenario)
        let expected = [scenario.connected] + scenario.steps.compactMap { step in
            if case .server(let text) = step { text } else { nil }
        }
        #expect(outcome.replies.count == expected.count, "\(outcome.replies)")
        for (wanted, reply) in zip(expected, outcome.replies) {
            #expect(Scenario.matches(wanted, reply), "expected '\(wanted)', got '\(reply)'")
        }
        #expect(outcome.deliveries.filter { !$0.isHeld }.map(\.recipient).sorted() == scenario.deliveries)
        #expect(outcome.deliveries.filter(\.isHeld).map(\.recipient).sorted() == scenario.held)
    }

    @Test func aReplyIsComparedByItsCodeItsLastLineOrAllItsLines() {
        #expect(Scenario.matches("550", "550-a\n550 b") && Scenario.matches("550 b", "550-a\n550 b") && Scenario.matches("550-a\n550 b", "550-a\n550 b"))
        #expect(!Scenario.matches("551", "550 b") && !Scenario.matches("550 a", "550-a\n550 b") && !Scenario.matches("550-x\n550 b", "550-a\n550 b"))
    }

    @Test func theChangesOfTheScriptAreThere() async throws {
        let outcome = try await Self.outcome(of: Scenario(contentsOf: Self.tests + "/interop/scenarios/header-edits.txt"))
        let text = String(decoding: try #require(outcome.deliveries.first).message, as: UTF8.self)
        #expect(text.hasPrefix("X-Top: 1\r\nReceived: from client.example"))
        #expect(text.contains("\r\nDup: two\r\nSubject: edited\r\n") && !text.contains("Dup: 1") && !text.contains("Dup: 3"))
    }

    private static func outcome(of scenario: Scenario) async throws -> ChainRoad.Outcome {
        guard scenario.filters == .builtin else { return try await ChainRoad.run(scenario, chain: FilterChain([ScriptFilter(), EchoFilter()])) }
        let folder = NSTemporaryDirectory() + "/scenario-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let settings = try SettingsFile.parse(settingsText(folder), file: "postern.toml", baseFolder: folder)
        let trial = try TrialChain(settings, logger: Logger(label: "scenario") { _ in SwiftLogNoOpLogHandler() })
        defer { trial.close() }
        return try await ChainRoad.run(scenario, chain: trial.chain)
    }

    private static func settingsText(_ folder: String) throws -> String {
        """
        myhostname = "mail.local.example"
        mydestination = ["local.example"]
        data_directory = "\(folder)"
        policy_directory = "\(tests)/../policies"
        recipient_delimiter = "+"
        [dns]
        zone_file = "\(tests)/interop/scenarios/zone"
        offline = true
        """
    }
}
