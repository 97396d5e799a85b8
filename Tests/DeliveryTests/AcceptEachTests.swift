@testable import Delivery
import Foundation
import InternetMessage
import MailQueue
import Testing

/// RFC 2033 §4.2.
@Suite(.timeLimit(.minutes(1))) struct AcceptEachTests {
    private func submission(_ recipients: RoutedRecipient..., message: String = "Subject: hello\r\n\r\nbody\r\n") -> Submission {
        Submission(id: "m1", sender: QueueSender(EmailAddress("dave@z.test")), recipients: recipients, message: Message(parsing: Array(message.utf8)))
    }

    @Test func eachRecipientHasItsOwnReplyAndNothingIsQueued() async throws {
        let fixture = try DeliveryFixture { _, _ in FakeRemote.delivered }
        // A file where the account's folder belongs.
        try Data().write(to: URL(fileURLWithPath: fixture.root + "/mail/erin"))
        let replies = await fixture.acceptor.acceptEach(submission(
            try DeliveryFixture.local("alice@us.test"), try DeliveryFixture.local("erin@us.test"), try DeliveryFixture.local("bob@us.test")))
        #expect(replies.map(\.code) == [250, 451, 250])
        #expect(try fixture.inbox("alice").count == 1 && fixture.inbox("bob").count == 1)
        #expect(fixture.queue.count == 0, "what could not be stored stays with the client")
    }

    /// An alias of several targets is taken whole or not at all, with one reply.
    @Test func theCopiesOfOneRecipientHaveOneReply() async throws {
        let fixture = try DeliveryFixture { _, _ in FakeRemote.delivered }
        let list = [try DeliveryFixture.local("alice@us.test"), try DeliveryFixture.remote("carol@x.test")]
        let replies = await fixture.acceptor.acceptEach(submission(), [(list, []), ([try DeliveryFixture.local("bob@us.test")], [])])
        #expect(replies.map(\.code) == [250, 250])
        #expect(try fixture.inbox("alice").count == 1 && fixture.inbox("bob").count == 1 && fixture.queue.count == 1)
        let full = try DeliveryFixture(maximumMessages: 0) { _, _ in FakeRemote.delivered }
        let refused = await full.acceptor.acceptEach(submission(), [(list, []), ([try DeliveryFixture.local("bob@us.test")], [])])
        #expect(refused.map(\.code) == [451, 250])
        #expect(try full.inbox("alice").isEmpty && full.inbox("bob").count == 1)
    }

    @Test func nothingNewIsTakenWhileTheDiskIsNearlyFull() async throws {
        let fixture = try DeliveryFixture(minimumFreeBytes: Int.max / 2) { _, _ in FakeRemote.delivered }
        let replies = await fixture.acceptor.acceptEach(submission(try DeliveryFixture.local("alice@us.test")))
        #expect(replies.map(\.wire) == ["452 4.3.1 Insufficient system storage\r\n"])
        #expect(try fixture.inbox("alice").isEmpty)
    }

    @Test func theOriginalRecipientIsRecorded() async throws {
        let fixture = try DeliveryFixture { _, _ in FakeRemote.delivered }
        var recipient = try DeliveryFixture.local("alice@us.test")
        recipient.original = try #require(EmailAddress("info+shop@us.test"))
        _ = await fixture.acceptor.acceptEach(submission(recipient))
        #expect(try fixture.inbox("alice").first?.hasPrefix("Return-Path: <dave@z.test>\nX-Original-To: info+shop@us.test\nDelivered-To: alice@us.test\n") == true)
    }

    @Test func aLoopIsRefusedForGoodForThatRecipientOnly() async throws {
        let fixture = try DeliveryFixture { _, _ in FakeRemote.delivered }
        let replies = await fixture.acceptor.acceptEach(submission(
            try DeliveryFixture.local("alice@us.test"), try DeliveryFixture.local("bob@us.test"), message: "Delivered-To: alice@us.test\r\n\r\nx\r\n"))
        #expect(replies.map(\.code) == [550, 250])
        #expect(replies.first?.enhancedCode == "5.4.6")
    }

    @Test func recipientsElsewhereAreQueuedBeforeTheReply() async throws {
        let fixture = try DeliveryFixture { _, _ in FakeRemote.delivered }
        let replies = await fixture.acceptor.acceptEach(submission(try DeliveryFixture.local("alice@us.test"), try DeliveryFixture.remote("bob@x.test")))
        #expect(replies.map(\.code) == [250, 250])
        #expect(fixture.queue.count == 1)
        await fixture.settle()
        #expect(fixture.remote.attempts == ["bob@x.test": 1])
    }

    @Test func circlesAreRefusedForAll() async throws {
        let fixture = try DeliveryFixture { _, _ in FakeRemote.delivered }
        let replies = await fixture.acceptor.acceptEach(submission(
            try DeliveryFixture.local("alice@us.test"), try DeliveryFixture.local("bob@us.test"), message: String(repeating: "Received: again\r\n", count: 51) + "\r\n"))
        #expect(replies.map(\.code) == [554, 554])
    }
}
