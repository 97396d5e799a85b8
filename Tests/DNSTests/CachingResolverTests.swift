import DNS
import NetworkAddress
import PosternTesting
import Synchronization
import Testing

@Suite struct CachingResolverTests {
    /// A clock that a test moves.
    final class Time: Sendable {
        private let moment = Mutex(ContinuousClock.Instant.now)
        var now: ContinuousClock.Instant { moment.withLock { $0 } }
        func pass(_ span: Duration) { moment.withLock { $0 += span } }
    }

    func question(_ name: String, _ type: DNSRecordType = .a) throws -> DNSQuestion { DNSQuestion(try #require(DomainName(name)), type) }

    @Test func anAnswerIsAskedForOnceWithinItsTime() async throws {
        let zone = try ZoneResolver("shop.example. 60 A 192.0.2.1"), time = Time()
        let cache = CachingResolver(zone, now: { time.now })
        let first = await cache.resolve(try question("shop.example")).outcome
        #expect(await cache.resolve(try question("shop.example")).outcome == first)
        #expect(zone.queryCount == 1)
        time.pass(.seconds(61))
        #expect(await cache.resolve(try question("shop.example")).outcome == first)
        #expect(zone.queryCount == 2)
    }

    @Test func noAnswerIsKeptLongerThanTheBound() async throws {
        let zone = try ZoneResolver("shop.example. 86400 A 192.0.2.1"), time = Time()
        let cache = CachingResolver(zone, longest: .seconds(300), now: { time.now })
        _ = await cache.resolve(try question("shop.example"))
        time.pass(.seconds(301))
        _ = await cache.resolve(try question("shop.example"))
        #expect(zone.queryCount == 2)
    }

    @Test func failuresAreNeverKept() async throws {
        let zone = try ZoneResolver("", failing: ["shop.example"])
        let cache = CachingResolver(zone)
        for _ in 0..<3 { guard case .temporaryFailure = await cache.resolve(try question("shop.example", .mx)).outcome else { Issue.record("it answered"); return } }
        #expect(zone.queryCount == 3)
    }

    @Test func absenceIsKeptButBriefly() async throws {
        let zone = try ZoneResolver("shop.example. 60 A 192.0.2.1"), time = Time()
        let cache = CachingResolver(zone, now: { time.now })
        #expect(await cache.resolve(try question("shop.example", .mx)).outcome == .noData)
        #expect(await cache.resolve(try question("shop.example", .mx)).outcome == .noData)
        #expect(zone.queryCount == 1)
        time.pass(.seconds(301))
        _ = await cache.resolve(try question("shop.example", .mx))
        #expect(zone.queryCount == 2)
    }

    @Test func thereIsRoomForSoManyOnly() async throws {
        let zone = try ZoneResolver((0..<20).map { "h\($0).example. 600 A 192.0.2.1" }.joined(separator: "\n"))
        let cache = CachingResolver(zone, capacity: 10)
        for round in 0..<2 {
            for host in 0..<20 { _ = await cache.resolve(try question("h\(host).example")) }
            #expect(zone.queryCount == 20 * (round + 1), "the oldest made room each time")
        }
        _ = await cache.resolve(try question("h19.example"))
        #expect(zone.queryCount == 40)
    }

    @Test func equalQuestionsUnderWayAreOneQuestion() async throws {
        let gate = Gate()
        let cache = CachingResolver(gate)
        let asked = try question("shop.example")
        await withTaskGroup(of: DNSResponse.Outcome.self) { group in
            for _ in 0..<50 { group.addTask { await cache.resolve(asked).outcome } }
            await gate.open(after: 1)
            for await outcome in group { #expect(outcome == .records([[192, 0, 2, 1]])) }
        }
        #expect(gate.count == 1)
        #expect(await cache.resolve(asked).outcome == .records([[192, 0, 2, 1]]))
    }

    @Test func whoJoinsAQuestionDoesNotSufferFromTheFirstGivingUp() async throws {
        let gate = Gate()
        let cache = CachingResolver(gate)
        let asked = try question("shop.example")
        let first = Task { await cache.resolve(asked).outcome }
        let second = Task { await cache.resolve(asked).outcome }
        first.cancel()
        await gate.open(after: 1)
        #expect(await second.value == .records([[192, 0, 2, 1]]))
    }

    /// Answers only once it is opened; a cancelled question fails.
    actor Gate: Resolver {
        nonisolated let asked = Atomic<Int>(0)
        nonisolated var count: Int { asked.load(ordering: .relaxed) }
        private var isOpen = false
        private var waiting: [CheckedContinuation<Void, Never>] = []

        func resolve(_ question: DNSQuestion) async -> DNSResponse {
            asked.add(1, ordering: .relaxed)
            if !isOpen { await withCheckedContinuation { waiting.append($0) } }
            if Task.isCancelled { return DNSResponse(.temporaryFailure("cancelled")) }
            return DNSResponse(.records([[192, 0, 2, 1]]), timeToLive: 60)
        }

        func open(after questions: Int) async {
            while count < questions { await Task.yield() }
            isOpen = true
            for one in waiting { one.resume() }
            waiting = []
        }
    }
}
