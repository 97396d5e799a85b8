import DNS
import Foundation
import Logging
import Policy
@testable import PolicyTesting
@testable import PosternDaemon
import PosternTesting
import Testing

@Suite struct RuleTestChainTests {
    /// Rule tests run the server's filters in the server's order; signing, which comes last and needs keys, is not tested.
    @Test func ruleTestsRunTheServersChain() async throws {
        let data = NSTemporaryDirectory() + "chain-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: data) }
        var settings = Settings()
        settings[Known.dataDirectory] = FilePath(data)
        settings[Known.policyDirectory] = FilePath("")
        let resolver = try ZoneResolver("")
        let trial = try TrialGround(settings, resolver: resolver, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        defer { trial.close() }
        let served = try LiveParts(settings, on: trial.ground).milterChain.filters.map(\.name)
        let folder = try TestFolder()
        defer { folder.close() }
        let tested = try await folder.withGround(MessageTest(), delimiters: "+") { ground in
            try TestChain(MessageTest(), rules: .empty, resolver: resolver, ground: ground, delimiters: "+", time: 0).chain.filters.map(\.name)
        }
        #expect(served == tested + ["dkim-signing"])
    }
}
