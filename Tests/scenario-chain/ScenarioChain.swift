import Foundation
import Logging
import Milter
import PosternDaemon
import ScenarioTesting

/// Runs scenarios through a filter chain in this process and says what came of each.
///
///     scenario-chain [--config postern.toml] FILE…
///
/// The file's settings give the chain of `filters: builtin`. One line of JSON for each scenario: `replies`, and for each
/// delivered copy `recipient`, `sender`, `held` and `message` (base64).
@main
enum ScenarioChain {
    private struct Told: Encodable {
        struct Copy: Encodable {
            let recipient: String, sender: String, held: Bool, message: String
        }
        let replies: [String]
        let copies: [Copy]
    }

    static func main() async {
        var arguments = Array(CommandLine.arguments.dropFirst())
        var config: String?
        if arguments.first == "--config", arguments.count > 1 {
            config = arguments[1]
            arguments.removeFirst(2)
        }
        do {
            for path in arguments { print(try await line(for: Scenario(contentsOf: path), config)) }
        } catch {
            print("error: \(error)")
            exit(1)
        }
    }

    private static func line(for scenario: Scenario, _ config: String?) async throws -> String {
        let outcome = try await outcome(of: scenario, config)
        let copies = outcome.deliveries.map {
            Told.Copy(recipient: $0.recipient, sender: $0.sender, held: $0.isHeld, message: Data($0.message).base64EncodedString())
        }
        return String(decoding: try JSONEncoder().encode(Told(replies: outcome.replies, copies: copies)), as: UTF8.self)
    }

    private static func outcome(of scenario: Scenario, _ config: String?) async throws -> ChainRoad.Outcome {
        guard scenario.filters == .builtin else { return try await ChainRoad.run(scenario, chain: FilterChain([ScriptFilter(), EchoFilter()])) }
        guard let config else { throw Scenario.Failure(description: "\(scenario): the built-in filters want --config") }
        let trial = try TrialChain(try SettingsFile.load(config), logger: Logger(label: "scenario") { _ in SwiftLogNoOpLogHandler() })
        defer { trial.close() }
        return try await ChainRoad.run(scenario, chain: trial.chain)
    }
}
