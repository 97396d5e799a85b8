@testable import Delivery
import Foundation
import SMTPClient
import Testing

@Suite struct SchedulerTests {
    static let now = Date(timeIntervalSince1970: 1_700_000_000)
    static let refused = RecipientResult(.temporary, status: "4.4.1", text: "connection refused")

    static func errand(_ id: String, from sender: String = "a@us", to domain: String = "x.test") throws -> Errand {
        Errand(id: id, sender: sender, destination: .remote(try #require(NextHop(domain))), domain: domain)
    }

    static func scheduler(initial: Int = 5, most: Int = 20, total: Int = 100, cohorts: Int = 1) -> Scheduler {
        Scheduler(limits: .init(initial: initial, most: most, failedCohorts: cohorts), total: total)
    }

    static func next(_ scheduler: inout Scheduler, _ time: Date) throws -> Scheduler.Start {
        let start = scheduler.start(time)
        return try #require(start)
    }

    /// Everything that may start now.
    static func startAll(_ scheduler: inout Scheduler, _ time: Date = now) -> [Scheduler.Start] {
        var out: [Scheduler.Start] = []
        while let start = scheduler.start(time) { out.append(start) }
        return out
    }

    @Test func aPersonsNoteIsNextAfterAMailingToTheSamePlace() throws {
        var scheduler = Self.scheduler()
        for index in 0..<10_000 { scheduler.add(try Self.errand("m\(index)", from: "list@us")) }
        let first = Self.startAll(&scheduler)
        #expect(first.map(\.errand.id) == (0..<5).map { "m\($0)" })
        scheduler.add(try Self.errand("note", from: "alice@us"))
        let none = scheduler.start(Self.now)
        #expect((none == nil), "there is no room at x.test")
        scheduler.finished(first[0].errand, .reached, Self.now)
        // Room for one that ended, and one that it earned.
        let next = Self.startAll(&scheduler).map(\.errand.id)
        #expect(next.contains("note"), "\(next)")
    }

    static func scheduler(_ limits: [String: String]) throws -> Scheduler {
        Scheduler(limits: .init(initial: 5, most: 20, failedCohorts: 1), special: DestinationLimits(try limits.mapValues { try #require(DestinationLimits.Entry($0)) }), total: 100)
    }

    @Test func oneDestinationMayHaveFewerAtOnce() throws {
        var scheduler = try Self.scheduler(["x.test": "concurrency=2", ".big.test": "concurrency=30"])
        for index in 0..<50 {
            for domain in ["x.test", "y.test", "mx.big.test"] { scheduler.add(try Self.errand("\(domain)\(index)", to: domain)) }
        }
        func count(_ starts: [Scheduler.Start], _ domain: String) -> Int { starts.count { $0.errand.domain == domain } }
        var running = Self.startAll(&scheduler)
        #expect(count(running, "x.test") == 2 && count(running, "y.test") == 5 && count(running, "mx.big.test") == 5)
        for _ in 0..<8 {
            for start in running { scheduler.finished(start.errand, .reached, Self.now) }
            running = Self.startAll(&scheduler)
            #expect(count(running, "x.test") <= 2)
        }
    }

    @Test func aDelayKeepsDeliveriesApart() throws {
        var scheduler = try Self.scheduler(["x.test": "rate_delay=2s"])
        for index in 0..<6 { scheduler.add(try Self.errand("a\(index)")) }
        scheduler.add(try Self.errand("note", from: "alice@us"))
        scheduler.add(try Self.errand("other", to: "y.test"))
        #expect(Set(Self.startAll(&scheduler).map(\.errand.id)) == ["a0", "other"])
        #expect(scheduler.nextOpening == Self.now + 2)
        #expect(Self.startAll(&scheduler, Self.now + 1.9).isEmpty)
        // One at a time, and senders in turn.
        #expect(Self.startAll(&scheduler, Self.now + 2).map(\.errand.id) == ["note"])
        #expect(Self.startAll(&scheduler, Self.now + 3).isEmpty)
        #expect(Self.startAll(&scheduler, Self.now + 4).map(\.errand.id) == ["a1"])
        // What ends early lets nobody in early.
        scheduler.finished(try Self.errand("a1"), .reached, Self.now + 4.5)
        #expect(Self.startAll(&scheduler, Self.now + 5).isEmpty)
        #expect(Self.startAll(&scheduler, Self.now + 60).map(\.errand.id) == ["a2"])
        // A message that took several transactions: the last of them counts.
        scheduler.finished(try Self.errand("a2"), .reached, Self.now + 66, lastBegan: Self.now + 65.5)
        #expect(Self.startAll(&scheduler, Self.now + 67).isEmpty)
        #expect(Self.startAll(&scheduler, Self.now + 67.5).map(\.errand.id) == ["a3"])
        // A clock that was set back holds nothing up.
        #expect(Self.startAll(&scheduler, Self.now - 86_400).map(\.errand.id) == ["a4"])
    }

    @Test func aDelayIsRememberedThoughNothingWaits() throws {
        var scheduler = try Self.scheduler(["x.test": "rate_delay=2s"])
        scheduler.add(try Self.errand("a"))
        #expect(Self.startAll(&scheduler).count == 1)
        scheduler.finished(try Self.errand("a"), .reached, Self.now)
        scheduler.add(try Self.errand("b"))
        #expect(Self.startAll(&scheduler, Self.now + 1).isEmpty)
        #expect(Self.startAll(&scheduler, Self.now + 2).count == 1)
        scheduler.finished(try Self.errand("b"), .reached, Self.now + 2)
        #expect(Self.startAll(&scheduler, Self.now + 5).isEmpty)
        #expect(scheduler.states.isEmpty, "nothing is kept of a destination that nothing waits for")
    }

    @Test(arguments: ["", "concurrency", "concurrency=0", "concurrency=x", "recipients=-1", "rate_delay=2", "rate_delay=2h", "rate_delay=61m", "concurrency=1 concurrency=2", "speed=1"])
    func limitsThatMakeNoSense(_ text: String) { #expect(DestinationLimits.Entry(text) == nil) }

    @Test func limitsByTheMostExactKey() throws {
        let limits = DestinationLimits(try ["x.test": "concurrency=1", ".test": "concurrency=2", "[mx.x.test]:25": "recipients=3"].mapValues { try #require(DestinationLimits.Entry($0)) })
        func found(_ hop: String) throws -> DestinationLimits.Entry? { limits.limits(of: .remote(try #require(NextHop(hop)))) }
        #expect(try found("x.test")?.concurrency == 1)
        #expect(try found("y.test")?.concurrency == 2)
        #expect(try found("[mx.x.test]:25")?.recipients == 3)
        #expect(try found("[mx.x.test]")?.concurrency == 2)
        #expect(try found("example.org") == nil && limits.limits(of: .local) == nil)
        #expect(DestinationLimits.Entry("rate_delay=500ms, recipients=7")?.rateDelay == 0.5)
    }

    @Test func aPersonsNoteDoesNotWaitForAMailingToAThousandPlaces() throws {
        var scheduler = Self.scheduler(total: 40)
        for index in 0..<5000 { scheduler.add(try Self.errand("m\(index)", from: "list@us", to: "d\(index % 1000).test")) }
        let first = Self.startAll(&scheduler)
        #expect(first.count == 30, "a sender has three quarters")
        scheduler.add(try Self.errand("note", from: "alice@us", to: "y.test"))
        let next = Self.startAll(&scheduler).map(\.errand.id)
        #expect(next == ["note"])
    }

    @Test func destinationsOfASenderTakeTurns() throws {
        var scheduler = Self.scheduler(initial: 2, total: 8)
        for index in 0..<50 { scheduler.add(try Self.errand("a\(index)", to: "a.test")) }
        scheduler.add(try Self.errand("b", to: "b.test"))
        scheduler.add(try Self.errand("c", to: "c.test"))
        let order = Self.startAll(&scheduler).map(\.errand.id)
        #expect(order == ["a0", "b", "c", "a1"])
    }

    @Test func sendersTakeTurnsAtAFullDoor() throws {
        var scheduler = Self.scheduler(initial: 1, most: 1)
        for sender in ["a", "b", "c"] { for index in 0..<3 { scheduler.add(try Self.errand("\(sender)\(index)", from: sender)) } }
        var order: [String] = []
        while let start = scheduler.start(Self.now) {
            order.append(start.errand.id)
            scheduler.finished(start.errand, .reached, Self.now)
        }
        #expect(order == ["a0", "b0", "c0", "a1", "b1", "c1", "a2", "b2", "c2"])
        #expect(scheduler.waiting == 0 && scheduler.running == 0 && scheduler.states.isEmpty)
    }

    @Test func concurrencyGrowsWithSuccessUpToItsLimit() throws {
        var scheduler = Self.scheduler(initial: 5, most: 8)
        for index in 0..<100 { scheduler.add(try Self.errand("\(index)")) }
        var running = Self.startAll(&scheduler)
        #expect(running.count == 5)
        for expected in [6, 7, 8, 8] {
            scheduler.finished(running.removeFirst().errand, .reached, Self.now)
            running += Self.startAll(&scheduler)
            #expect(running.count == expected)
        }
    }

    @Test func oneFailureShrinksItAndAWindowOfThemIsDeath() throws {
        var window = ConcurrencyWindow(.init(initial: 5, most: 20, failedCohorts: 1))
        let isDead = window.failed()
        #expect(!isDead)
        #expect(window.size == 4)
        window.reached(running: 4)
        #expect(window.size == 5)
        // 1/5 + 1/4 + 1/3, and then 1/2 makes more than one.
        let outcomes = (0..<4).map { _ in window.failed() }
        #expect(outcomes == [false, false, false, true])
        #expect(window.size == 1)
    }

    @Test func aDeadDestinationIsNotAskedForEachMessage() throws {
        var scheduler = Self.scheduler()
        for index in 0..<1000 { scheduler.add(try Self.errand("\(index)")) }
        scheduler.add(try Self.errand("other", to: "y.test"))
        var asked = 0, told = 0
        while let start = scheduler.start(Self.now) {
            if start.errand.destination == (try Self.errand("", to: "y.test")).destination {
                #expect(start.suspension == nil)
                scheduler.finished(start.errand, .reached, Self.now)
            } else if let suspension = start.suspension {
                told += 1
                #expect(suspension.until == Self.now + 300)
                scheduler.finished(start.errand, .neutral, Self.now)
            } else {
                asked += 1
                scheduler.finished(start.errand, .unreachable(Self.refused), Self.now, rest: 300)
            }
        }
        #expect(asked == 4)
        #expect(told == 996)
    }

    @Test func afterItsRestADestinationIsAskedAgain() throws {
        var scheduler = Self.scheduler(initial: 1)
        scheduler.add(try Self.errand("a"))
        let first = try Self.next(&scheduler, Self.now)
        scheduler.finished(first.errand, .unreachable(Self.refused), Self.now, rest: 300)
        scheduler.add(try Self.errand("b"))
        let told = try Self.next(&scheduler, Self.now + 299)
        #expect(told.suspension?.finding == Self.refused)
        scheduler.finished(told.errand, .neutral, Self.now + 299)
        scheduler.add(try Self.errand("c"))
        let asked = try Self.next(&scheduler, Self.now + 300)
        #expect(asked.errand.id == "c" && asked.suspension == nil)
    }

    @Test func somebodyWhoWantsItNowRevivesIt() throws {
        var scheduler = Self.scheduler(initial: 1)
        scheduler.add(try Self.errand("a"))
        let first = try Self.next(&scheduler, Self.now)
        scheduler.finished(first.errand, .unreachable(Self.refused), Self.now, rest: 300)
        scheduler.reviveAll()
        scheduler.add(try Self.errand("b"))
        let next = try Self.next(&scheduler, Self.now)
        #expect(next.suspension == nil)
    }

    @Test func withoutACohortLimitNothingIsDead() throws {
        var scheduler = Self.scheduler(cohorts: 0)
        for index in 0..<200 { scheduler.add(try Self.errand("\(index)")) }
        while let start = scheduler.start(Self.now) {
            #expect(start.suspension == nil)
            scheduler.finished(start.errand, .unreachable(Self.refused), Self.now)
        }
        #expect(scheduler.waiting == 0)
    }

    @Test func everyErrandRunsOnceHoweverTheyFinish() throws {
        var scheduler = Self.scheduler(initial: 2, most: 3, total: 7)
        for index in 0..<2000 { scheduler.add(try Self.errand("\(index)", from: "s\(index % 7)", to: "d\(index % 5).test")) }
        var seen: Set<String> = []
        var running: [Errand] = []
        var step = 0
        while seen.count < 2000 {
            while let start = scheduler.start(Self.now) {
                #expect(seen.insert(start.errand.id).inserted)
                running.append(start.errand)
            }
            #expect(running.count <= 7)
            #expect(Dictionary(grouping: running, by: \.destination).allSatisfy { $0.value.count <= 3 })
            guard !running.isEmpty else { Issue.record("stuck after \(seen.count)"); return }
            step += 1
            scheduler.finished(running.remove(at: step % running.count), step % 11 == 0 ? .neutral : .reached, Self.now)
        }
        for errand in running { scheduler.finished(errand, .reached, Self.now) }
        #expect(scheduler.running == 0 && scheduler.waiting == 0 && scheduler.states.isEmpty)
    }

    @Test(arguments: [
        ([RecipientResult(.temporary, status: "4.4.1", text: "refused")], false),
        ([RecipientResult(.temporary, status: "4.4.3", text: "no DNS")], false),
        ([RecipientResult(.temporary, status: "4.3.2", text: "closing", reply: .init(421, "4.3.2", "closing"))], false),
        ([RecipientResult(.temporary, status: "4.2.1", text: "grey", reply: .init(450, "4.2.1", "grey"))], true),
        ([RecipientResult(.permanent, status: "5.1.1", text: "nobody", reply: .init(550, "5.1.1", "nobody"))], true),
        ([RecipientResult(.temporary, status: "4.4.2", text: "lost"), RecipientResult(.delivered, status: "2.0.0", text: "ok")], true),
    ])
    func whatSaysThatASiteIsThere(_ results: [RecipientResult], _ isReached: Bool) {
        switch JobRunner.outcome(results) {
        case .reached: #expect(isReached)
        case .unreachable(let finding): #expect(!isReached && finding == results[0])
        case .neutral: Issue.record("neutral")
        }
    }
}
