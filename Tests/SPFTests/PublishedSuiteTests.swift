import DNS
import Foundation
import NetworkAddress
import PosternTesting
import SPF
import Testing

/// The published suite for RFC 7208, every scenario (Resources/rfc7208-tests.json says where it comes from).
@Suite struct PublishedSuiteTests {
    struct File: Decodable { let scenarios: [Scenario] }

    struct Scenario: Decodable, Sendable {
        let description: String
        let tests: [Case]
        let zone: [String]
        let timeouts: [String]
    }

    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        let name, spec, helo, host, mailfrom: String
        let results: [String]
        let explanation: String?
        var testDescription: String { "\(name) (\(spec))" }
    }

    static let pairs: [(Scenario, Case)] = {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Resources/rfc7208-tests.json")
        guard let data = try? Data(contentsOf: url), let file = try? JSONDecoder().decode(File.self, from: data) else { return [] }
        return file.scenarios.flatMap { scenario in scenario.tests.map { (scenario, $0) } }
    }()

    @Test func theSuiteIsComplete() { #expect(Self.pairs.count == 203) }

    @Test(arguments: pairs.indices) func scenario(_ index: Int) async throws {
        let (scenario, test) = Self.pairs[index]
        let dns = try ZoneResolver(scenario.zone.joined(separator: "\n"), timeouts: scenario.timeouts)
        let spf = SPFEvaluator(resolver: dns, receiverName: "receiver.example", now: { 1_700_000_000 })
        let client = try #require(IPAddress(test.host))
        let result: SPFResult
        if test.mailfrom.isEmpty {
            result = await spf.checkHelo(client: client, helo: test.helo)
        } else {
            let at = try #require(test.mailfrom.lastIndex(of: "@"))
            result = await spf.checkHost(
                client: client, domain: String(test.mailfrom[test.mailfrom.index(after: at)...]),
                localPart: String(test.mailfrom[..<at]), helo: test.helo, identity: .mailfrom)
        }
        // The suite lists its preferred result first; ours must be that one or another it accepts.
        #expect(test.results.contains(result.verdict.rawValue), "\(scenario.description)/\(test.name): \(result.reason)")
        if let wanted = test.explanation {
            #expect(result.explanation == (wanted == "DEFAULT" ? nil : wanted), "\(scenario.description)/\(test.name)")
        }
    }
}
