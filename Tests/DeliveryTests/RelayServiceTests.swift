@testable import Delivery
import Foundation
import InternetMessage
import MailQueue
import SMTPClient
import SMTPCore
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct RelayServiceTests {
    @Test func aFreshMessageGoesOutAtOnceAndLeavesTheQueue() async throws {
        let fixture = try DeliveryFixture { _, _ in FakeRemote.delivered }
        try await fixture.accept(to: DeliveryFixture.remote("bob@x.test"), DeliveryFixture.remote("carol@y.test"))
        #expect(fixture.queue.count == 1)
        await fixture.settle()
        #expect(fixture.queue.count == 0)
        #expect(fixture.remote.sent.sorted().map { $0.prefix(10) } == ["bob@x.test", "carol@y.te"])
        #expect(fixture.remote.sent.allSatisfy { $0.hasSuffix("Subject: hello\r\n\r\nbody\r\n") })
        #expect(try fixture.inbox("alice").isEmpty)
    }

    @Test func whoIsPutOffIsTriedAgainWhenDueAndNotBefore() async throws {
        let fixture = try DeliveryFixture { _, attempt in attempt < 3 ? FakeRemote.deferred : FakeRemote.delivered }
        try await fixture.accept(to: DeliveryFixture.remote("bob@x.test"))
        await fixture.settle()
        #expect(fixture.remote.attempts == ["bob@x.test": 1])
        // 300 s and half of the tenth.
        #expect(fixture.queue.entry("m1")?.nextAttempt == fixture.clock.now() + 315)
        fixture.clock.advance(314)
        await fixture.settle()
        #expect(fixture.remote.attempts == ["bob@x.test": 1])
        fixture.clock.advance(1)
        await fixture.settle()
        #expect(fixture.remote.attempts == ["bob@x.test": 2])
        fixture.clock.advance(630)
        await fixture.settle()
        #expect(fixture.remote.attempts == ["bob@x.test": 3])
        #expect(fixture.queue.count == 0)
    }

    @Test func whatWentInOneTransactionGoesInOneAgain() async throws {
        let draws = Mutex(0.0)
        let fixture = try DeliveryFixture(random: { draws.withLock { $0 += 0.01; return $0 } }) { _, _ in FakeRemote.deferred }
        try await fixture.accept(to: DeliveryFixture.remote("bob@x.test"), DeliveryFixture.remote("carol@x.test"), DeliveryFixture.remote("dave@x.test"))
        await fixture.settle()
        let times = try fixture.queue.load("m1").envelope.recipients.compactMap { if case .pending(let state) = $0.status { state.nextAttempt } else { nil } }
        #expect(times.count == 3)
        #expect(Set(times).count == 1)
        fixture.clock.advance(5 * 86400)
        await fixture.settle()
        // And one notification tells of all three.
        let notices = try fixture.inbox("alice")
        #expect(notices.count == 1)
        #expect(notices.first?.components(separatedBy: "Action: failed").count == 4)
    }

    /// RFC 8689 §5: what tells of a message that demanded TLS demands it too.
    @Test(arguments: [true, false]) func aNoticeDemandsTheTLSThatItsMessageDemanded(_ demanded: Bool) async throws {
        let fixture = try DeliveryFixture { recipient, _ in recipient.address.localPart == "bob" ? FakeRemote.refused : FakeRemote.deferred }
        let sender = QueueSender(EmailAddress("dave@z.test"), requireTLS: demanded)
        _ = try await fixture.acceptor.accept(Submission(id: "m1", sender: sender, recipients: [DeliveryFixture.remote("bob@x.test")], message: DeliveryFixture.message))
        await fixture.settle()
        let notice = try #require(fixture.queue.entries().first)
        #expect(try fixture.queue.load(notice.id).envelope.sender == QueueSender(nil, requireTLS: demanded))
    }

    @Test func theDeliveredAreNotTriedAgainWithThosePutOff() async throws {
        let fixture = try DeliveryFixture { recipient, attempt in
            recipient.address.localPart == "bob" || attempt > 1 ? FakeRemote.delivered : FakeRemote.deferred
        }
        try await fixture.accept(to: DeliveryFixture.remote("bob@x.test"), DeliveryFixture.remote("carol@x.test"))
        await fixture.settle()
        #expect(fixture.queue.entry("m1")?.pendingRecipients == 1)
        // What a restart would see.
        let reopened = try MailQueue(.init(root: fixture.root + "/queue", minimumFreeBytes: 0))
        #expect(try reopened.load("m1").envelope.pending == [1])
        fixture.clock.advance(400)
        await fixture.settle()
        #expect(fixture.remote.attempts == ["bob@x.test": 1, "carol@x.test": 2])
        #expect(fixture.queue.count == 0)
    }

    @Test func aRefusalComesBackToTheSendersInbox() async throws {
        let fixture = try DeliveryFixture { _, _ in FakeRemote.refused }
        try await fixture.accept(to: DeliveryFixture.remote("bob@x.test"), DeliveryFixture.remote("carol@y.test", notify: []))
        await fixture.settle()
        #expect(fixture.queue.count == 0)
        let notices = try fixture.inbox("alice")
        try #require(notices.count == 1)
        #expect(notices[0].hasPrefix("Return-Path: <>\n"))
        #expect(notices[0].contains("X-Filtered: yes\n"))
        #expect(notices[0].contains("Final-Recipient: rfc822; bob@x.test\nAction: failed\nStatus: 5.1.1\n"))
        #expect(notices[0].contains("Original-Envelope-Id: id+1\n"))
        #expect(!notices[0].contains("carol@y.test"))
    }

    @Test func timeRunsOut() async throws {
        let fixture = try DeliveryFixture { _, _ in FakeRemote.deferred }
        try await fixture.accept(to: DeliveryFixture.remote("bob@x.test"))
        await fixture.settle()
        fixture.clock.advance(5 * 86400)
        await fixture.settle()
        #expect(fixture.queue.count == 0)
        #expect(try fixture.inbox("alice").first?.contains("Status: 5.4.7\n") == true)
        #expect(try fixture.inbox("alice").first?.contains("450 4.2.1 busy") == true)
    }

    @Test func theNullSenderIsToldNothing() async throws {
        let fixture = try DeliveryFixture { _, _ in FakeRemote.refused }
        try await fixture.accept(from: nil, to: DeliveryFixture.remote("bob@x.test"))
        await fixture.settle()
        #expect(fixture.queue.count == 0)
        #expect(fixture.remote.attempts.count == 1)
    }

    @Test func aRemoteSendersNoticeGoesThroughTheQueueAndNeverBouncesItself() async throws {
        let fixture = try DeliveryFixture { _, _ in FakeRemote.refused }
        try await fixture.accept(from: "dave@z.test", to: DeliveryFixture.remote("bob@x.test"))
        await fixture.settle()
        #expect(fixture.remote.attempts == ["bob@x.test": 1, "dave@z.test": 1])
        #expect(fixture.queue.count == 0)
    }

    @Test func aNoticeThatCannotBeQueuedKeepsTheRecipient() async throws {
        let fixture = try DeliveryFixture(maximumMessages: 1) { _, _ in FakeRemote.refused }
        try await fixture.accept(from: "dave@z.test", to: DeliveryFixture.remote("bob@x.test"))
        await fixture.settle()
        #expect(fixture.queue.entry("m1")?.pendingRecipients == 1)
        #expect(fixture.queue.entry("m1")?.nextAttempt == fixture.clock.now() + 315)
    }

    /// A filter that puts notifications off: they wait, and not for ever.
    @Test func aNoticeThatAFilterPutsOff() async throws {
        let fixture = try DeliveryFixture(noticesWait: true) { _, _ in FakeRemote.refused }
        try await fixture.accept(to: DeliveryFixture.remote("bob@x.test"))
        await fixture.settle()
        #expect(fixture.queue.entry("m1")?.pendingRecipients == 1)
        #expect(try fixture.inbox("alice").isEmpty)
        fixture.clock.advance(5 * 86400)
        await fixture.settle()
        #expect(fixture.queue.count == 0)
        #expect(try fixture.inbox("alice").count == 1)
    }

    /// Success is told once, after the record: it cannot wait.
    @Test func aNoticeOfSuccessIsNotPutOff() async throws {
        let fixture = try DeliveryFixture(noticesWait: true) { _, _ in FakeRemote.delivered }
        try await fixture.accept(to: DeliveryFixture.remote("bob@x.test", notify: [.success]), DeliveryFixture.local("erin@us.test", notify: [.success]))
        await fixture.settle()
        #expect(try fixture.inbox("alice").count == 2)
    }

    @Test func successIsToldWhereAskedAndNobodyElseWill() async throws {
        let facts = ServerFacts(name: "mx.x.test", address: .v4Loopback, port: 25)
        let fixture = try DeliveryFixture { recipient, _ in
            RecipientResult(.delivered, status: "2.1.5", text: "ok", reply: SMTPReply(250, "2.1.5", "ok"), server: facts, serverNotifies: recipient.address.localPart == "carol")
        }
        try await fixture.accept(to: DeliveryFixture.remote("bob@x.test", notify: [.success]), DeliveryFixture.remote("carol@x.test", notify: [.success]),
                                 DeliveryFixture.remote("dan@x.test"), DeliveryFixture.local("erin@us.test", notify: [.success]))
        await fixture.settle()
        let notices = try fixture.inbox("alice").joined()
        #expect(notices.contains("Final-Recipient: rfc822; bob@x.test\nAction: relayed\nStatus: 2.1.5\nRemote-MTA: dns; mx.x.test\n"))
        #expect(notices.contains("Final-Recipient: rfc822; erin@us.test\nAction: delivered\nStatus: 2.0.0\n"))
        #expect(!notices.contains("carol") && !notices.contains("dan@"))
    }

    @Test func aDelayIsToldOnce() async throws {
        var policy = RetryPolicy()
        policy.delayWarning = 3600
        let fixture = try DeliveryFixture(policy: policy) { _, _ in FakeRemote.deferred }
        try await fixture.accept(to: DeliveryFixture.remote("bob@x.test"))
        for _ in 0..<3 {
            await fixture.settle()
            fixture.clock.advance(5000)
        }
        await fixture.settle()
        let notices = try fixture.inbox("alice")
        #expect(notices.count == 1)
        #expect(notices.first?.contains("Action: delayed\nStatus: 4.2.1\n") == true)
        #expect(notices.first?.contains("Will-Retry-Until: ") == true)
    }

    @Test func aStartTakesUpWhatWasLeft() async throws {
        let fixture = try DeliveryFixture { _, _ in FakeRemote.delivered }
        try await fixture.accept("a", to: DeliveryFixture.remote("bob@x.test"))
        try await fixture.accept("b", to: DeliveryFixture.remote("carol@x.test"))
        await fixture.relay.start()
        await fixture.relay.waitUntilIdle()
        #expect(fixture.queue.count == 0)
    }

    @Test func aFlushDoesNotWaitForTheHour() async throws {
        let fixture = try DeliveryFixture { _, attempt in attempt == 1 ? FakeRemote.deferred : FakeRemote.delivered }
        try await fixture.accept(to: DeliveryFixture.remote("bob@x.test"))
        await fixture.settle()
        await fixture.relay.flush()
        await fixture.relay.waitUntilIdle()
        #expect(fixture.queue.count == 0)
    }

    @Test func afterStopNothingBegins() async throws {
        let fixture = try DeliveryFixture { _, _ in FakeRemote.delivered }
        await fixture.relay.start()
        await fixture.relay.stop()
        try await fixture.accept(to: DeliveryFixture.remote("bob@x.test"))
        await fixture.relay.take("m1")
        await fixture.relay.waitUntilIdle()
        #expect(fixture.queue.count == 1)
        #expect(fixture.remote.attempts.isEmpty)
    }

    @Test func manyRecipientsOfOneDestinationGoInSeveralTransactions() async throws {
        let fixture = try DeliveryFixture { _, _ in FakeRemote.delivered }
        let recipients = try (0..<120).map { try DeliveryFixture.remote("r\($0)@x.test") }
        _ = try await fixture.acceptor.accept(Submission(id: "many", sender: QueueSender(nil), recipients: recipients, message: DeliveryFixture.message))
        await fixture.settle()
        #expect(fixture.remote.sent.count == 120)
        #expect(fixture.queue.count == 0)
    }
}
