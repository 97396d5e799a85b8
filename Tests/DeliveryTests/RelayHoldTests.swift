import BlockingPool
@testable import Delivery
import Foundation
import InternetMessage
import Logging
import MailQueue
import SMTPClient
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct RelayHoldTests {
    @Test func aHeldMessageIsNotTriedNorDoesItExpire() async throws {
        let fixture = try DeliveryFixture { _, _ in FakeRemote.deferred }
        try await fixture.accept(to: DeliveryFixture.remote("bob@x.test"))
        try fixture.queue.hold("m1", QueueHold(reason: "odd", by: "operator", since: fixture.clock.now()))
        await fixture.settle()
        fixture.clock.advance(30 * 86400)
        await fixture.settle()
        await fixture.relay.flush()
        await fixture.relay.waitUntilIdle()
        #expect(fixture.remote.attempts.isEmpty)
        #expect(fixture.queue.count == 1)
    }

    @Test func aHeldSubmissionHoldsWhatLeavesAndStoresWhatStays() async throws {
        let fixture = try DeliveryFixture { _, _ in FakeRemote.delivered }
        var submission = Submission(id: "m1", sender: QueueSender(EmailAddress("dan@z.test")), recipients: [], message: DeliveryFixture.message)
        submission.recipients = [try DeliveryFixture.remote("bob@x.test"), try DeliveryFixture.local("alice@us.test")]
        submission.hold = "looks odd"
        let accepted = try await fixture.acceptor.accept(submission)
        await fixture.settle()
        #expect(accepted.held == 1)
        #expect(fixture.remote.attempts.isEmpty)
        #expect(try fixture.inbox("alice").count == 1)
        #expect(try fixture.queue.load("m1").envelope.hold == QueueHold(reason: "looks odd", by: "policy", since: fixture.clock.now()))
        try await fixture.ask(.init(.release))
        await fixture.relay.waitUntilIdle()
        #expect(fixture.remote.sent.count == 1)
        #expect(fixture.queue.count == 0)
    }

    @Test func aDeadSiteIsNotAskedForEachMessage() async throws {
        let fixture = try DeliveryFixture { _, _ in RecipientResult(.temporary, status: "4.4.1", text: "connection refused") }
        for number in 0..<40 { try await fixture.accept("m\(number)", to: DeliveryFixture.remote("r\(number)@x.test")) }
        await fixture.settle()
        #expect(fixture.remote.attempts.count < 12, "\(fixture.remote.attempts.count) attempts")
        // Nothing is lost, everything says why and comes again, and what was not tried was no attempt.
        #expect(fixture.queue.count == 40)
        var suspended = 0
        for entry in fixture.queue.entries() {
            guard case .pending(let state) = try fixture.queue.load(entry.id).envelope.recipients[0].status else { Issue.record("settled"); continue }
            #expect(state.lastNote?.text.hasSuffix("connection refused") == true)
            #expect((fixture.clock.now() + 300...fixture.clock.now() + 331).contains(entry.nextAttempt))
            if state.lastNote?.text.hasPrefix("delivery temporarily suspended") == true {
                suspended += 1
                #expect(state.attempts == 0)
            }
        }
        #expect(suspended == 40 - fixture.remote.attempts.count)
    }

    @Test func whatASuspendedMessageMissesStillExpires() async throws {
        let fixture = try DeliveryFixture { _, _ in RecipientResult(.temporary, status: "4.4.1", text: "connection refused") }
        for number in 0..<20 { try await fixture.accept("m\(number)", to: DeliveryFixture.remote("r\(number)@x.test")) }
        await fixture.settle()
        fixture.clock.advance(5 * 86400)
        await fixture.settle()
        #expect(fixture.queue.count == 0)
        #expect(try fixture.inbox("alice").count == 20)
    }

    /// Two days back: nothing waits longer than the longest delay, and then some.
    @Test func aClockThatGoesBackLetsNothingWaitForDays() async throws {
        let fixture = try DeliveryFixture { _, attempt in attempt == 1 ? FakeRemote.deferred : FakeRemote.delivered }
        try await fixture.accept(to: DeliveryFixture.remote("bob@x.test"))
        await fixture.settle()
        fixture.clock.advance(-2 * 86400)
        await fixture.settle()
        fixture.clock.advance(4400)
        await fixture.settle()
        #expect(fixture.queue.count == 0)
    }

    @Test func retryingBringsOnlyTheChosenForward() async throws {
        let fixture = try DeliveryFixture { _, attempt in attempt == 1 ? FakeRemote.deferred : FakeRemote.delivered }
        try await fixture.accept("a", to: DeliveryFixture.remote("bob@x.test"))
        try await fixture.accept("b", to: DeliveryFixture.remote("bob@y.test"))
        await fixture.settle()
        var request = QueueRequest(.retry)
        request.selection.domain = "x.test"
        let totals = try await fixture.ask(request).compactMap(\.totals).first
        await fixture.relay.waitUntilIdle()
        #expect(totals?.matched == 1 && totals?.changed == 1)
        #expect(fixture.queue.entries().map(\.id) == ["b"])
    }

    @Test func aListHasAllTheTotalsAndFewRows() async throws {
        let fixture = try DeliveryFixture { _, _ in FakeRemote.deferred }
        for number in 0..<30 { try await fixture.accept("m\(number)", to: DeliveryFixture.remote("r\(number)@x.test")) }
        var request = QueueRequest(.list)
        request.limit = 10
        let answers = try await fixture.ask(request)
        #expect(answers.compactMap(\.rows).joined().count == 10)
        #expect(answers.compactMap(\.totals).first?.matched == 30)
    }

    @Test func showTellsEachAttempt() async throws {
        let fixture = try DeliveryFixture { _, _ in FakeRemote.deferred }
        try await fixture.accept(to: DeliveryFixture.remote("bob@x.test"))
        for _ in 0..<2 {
            await fixture.settle()
            fixture.clock.advance(4400)
        }
        var request = QueueRequest(.show)
        request.content = .headers
        let answers = try await fixture.ask(request)
        let detail = try #require(answers.compactMap(\.detail).first)
        #expect(detail.recipients.map(\.attempts) == [2])
        #expect(detail.recipients.first?.history.map(\.text) == ["450 4.2.1 busy", "450 4.2.1 busy"])
        #expect(String(decoding: answers.compactMap(\.content).joined(), as: UTF8.self).hasSuffix("Subject: hello\r\n\r\n"))
    }

    @Test func removingSaysNothingToAnybody() async throws {
        let fixture = try DeliveryFixture { _, _ in FakeRemote.deferred }
        try await fixture.accept(to: DeliveryFixture.remote("bob@x.test"))
        await fixture.settle()
        try await fixture.ask(.init(.remove))
        fixture.clock.advance(10 * 86400)
        await fixture.settle()
        #expect(fixture.queue.count == 0)
        #expect(try fixture.inbox("alice").isEmpty)
    }
}

extension DeliveryFixture {
    @discardableResult
    func ask(_ request: QueueRequest) async throws -> [QueueAnswer] {
        let answers = Answers()
        let desk = QueueDesk(queue: queue, relay: relay, pool: BlockingPool(threads: 1), clock: clock, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await desk.run(request) { answers.add($0) }
        return answers.all
    }

    private final class Answers: Sendable {
        private let list = Mutex<[QueueAnswer]>([])
        func add(_ answer: QueueAnswer) { list.withLock { $0.append(answer) } }
        var all: [QueueAnswer] { list.withLock { $0 } }
    }
}
