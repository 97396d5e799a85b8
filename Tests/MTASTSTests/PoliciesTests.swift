import BlockingPool
import DNS
import Foundation
import HTTPSClient
import MTASTS
import NetworkAddress
import Synchronization
import Testing

/// What is kept, for how long, and when it is fetched (RFC 8461 §3.3, §5.1, §10.2).
@Suite(.timeLimit(.minutes(1))) final class PoliciesTests {
    /// A domain whose record and document a test changes as it goes.
    final class World: Sendable {
        struct State {
            var record: String? = "v=STSv1; id=1;"
            var dnsWorks = true
            var answer: Result<HTTPSResponse, HTTPSFailure> = .failure(.timedOut)
            var fetches = 0
            var now = Date(timeIntervalSince1970: 1_800_000_000)
        }
        let state = Mutex(State())

        func change(_ work: (inout sending State) -> Void) { state.withLock { work(&$0) } }
        func publish(_ text: String, status: Int = 200, type: String = "text/plain") {
            change { $0.answer = .success(HTTPSResponse(status: status, mediaType: type, body: Array(text.utf8))) }
        }
        var fetches: Int { state.withLock { $0.fetches } }
    }

    struct OneRecord: Resolver {
        let world: World
        func resolve(_ question: DNSQuestion) async -> DNSResponse {
            let (works, record) = world.state.withLock { ($0.dnsWorks, $0.record) }
            guard works else { return DNSResponse(.temporaryFailure("SERVFAIL")) }
            guard question.name.text == "_mta-sts.d.test", question.type == .txt, let record else { return DNSResponse(.nameError) }
            return DNSResponse(.records([[UInt8(record.utf8.count)] + Array(record.utf8)]))
        }
    }

    let folder = NSTemporaryDirectory() + "/sts-\(UUID().uuidString)"
    let pool = BlockingPool(threads: 1, name: "sts")
    let world = World()

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func policies() -> STSPolicies {
        var settings = STSPolicies.Settings()
        let world = world
        settings.now = { world.state.withLock { $0.now } }
        return STSPolicies(resolver: OneRecord(world: world), folder: folder, pool: pool, settings: settings) { _ throws(HTTPSFailure) in
            let answer = world.state.withLock { state in
                state.fetches += 1
                return state.answer
            }
            return try answer.get()
        }
    }

    static func document(_ mode: String, age: Int = 1000) -> String { "version: STSv1\nmode: \(mode)\nmx: mx.d.test\nmax_age: \(age)\n" }
    func domain() throws -> DomainName { try #require(DomainName("d.test")) }

    @Test func aPolicyIsFetchedOnceAndOutlivesRestartAndRecord() async throws {
        world.publish(Self.document("enforce"))
        let first = policies()
        #expect(await first.policy(of: try domain()).policy?.mode == .enforce)
        #expect(await first.policy(of: try domain()).policy?.mode == .enforce)
        #expect(world.fetches == 1)
        // After a restart, though nothing can be asked any more.
        world.change { ($0.dnsWorks, $0.answer) = (false, .failure(.timedOut)) }
        let second = policies()
        #expect(await second.policy(of: try domain()).policy?.mode == .enforce)
        world.change { ($0.dnsWorks, $0.record) = (true, nil) }
        #expect(await second.policy(of: try domain()).policy?.mode == .enforce)
        world.change { $0.now += 1001 }
        #expect(await second.policy(of: try domain()) == .nothing)
        #expect(world.fetches == 1)
    }

    @Test func aNewIdFetchesANewPolicyAndAFailureKeepsTheOld() async throws {
        world.publish(Self.document("enforce"))
        let policies = policies()
        _ = await policies.policy(of: try domain())
        world.publish("gone", status: 404)
        world.change { $0.record = "v=STSv1; id=2;" }
        let kept = await policies.policy(of: try domain())
        #expect(kept.policy?.mode == .enforce)
        #expect(kept.problem?.kind == .fetch)
        // Not again at once (§3.3), but after a while.
        _ = await policies.policy(of: try domain())
        #expect(world.fetches == 2)
        world.publish(Self.document("none"))
        world.change { $0.now += 301 }
        #expect(await policies.policy(of: try domain()).policy?.mode == STSPolicy.Mode.none)
        #expect(world.fetches == 3)
    }

    @Test func whatIsNoPolicyIsNotObeyed() async throws {
        world.publish(Self.document("enforce"), type: "text/html")
        #expect(await policies().policy(of: try domain()).problem?.kind == .invalid)
        world.publish(Self.document("enforce"), status: 301)
        #expect(await policies().policy(of: try domain()).problem?.kind == .fetch)
        world.publish("nonsense")
        let finding = await policies().policy(of: try domain())
        #expect(finding.policy == nil && finding.problem?.kind == .invalid)
        world.change { $0.answer = .failure(.tls("expired")) }
        #expect(await policies().policy(of: try domain()).problem?.kind == .webPKI)
    }

    @Test func withoutARecordNothingIsFetched() async throws {
        world.change { $0.record = nil }
        #expect(await policies().policy(of: try domain()) == .nothing)
        #expect(world.fetches == 0)
    }

    @Test func anAgingPolicyIsRefreshedThoughItsIdIsTheSame() async throws {
        world.publish(Self.document("enforce"))
        let policies = policies()
        _ = await policies.policy(of: try domain())
        world.publish(Self.document("testing"))
        world.change { $0.now += 600 }
        // In the background: the old one is obeyed meanwhile.
        #expect(await policies.policy(of: try domain()).policy?.mode == .enforce)
        while await policies.policy(of: try domain()).policy?.mode != .testing { await Task.yield() }
        #expect(world.fetches == 2)
    }
}
