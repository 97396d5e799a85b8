@testable import Delivery
import Foundation
import InternetMessage
import MailQueue
import Testing

@Suite(.timeLimit(.minutes(1))) struct MailAcceptorTests {
    @Test func localCopiesHaveTheirTraceAndNoForeignReturnPath() async throws {
        let fixture = try DeliveryFixture { _, _ in FakeRemote.delivered }
        var recipient = try DeliveryFixture.local("alice@us.test")
        recipient.original = try #require(EmailAddress("info@us.test"))
        let accepted = try await fixture.accept(from: "dave@z.test", to: recipient)
        #expect(accepted.queuedRecipients == 0)
        #expect(accepted.stored.keys.sorted() == [0])
        #expect(try fixture.inbox("alice") == ["""
            Return-Path: <dave@z.test>
            X-Original-To: info@us.test
            Delivered-To: alice@us.test
            Received: one
            Message-ID: <1@us.test>
            Subject: hello

            body

            """])
        #expect(fixture.queue.count == 0)
    }

    @Test func whatCannotBeStoredIsQueuedAndTriedAgain() async throws {
        let fixture = try DeliveryFixture { _, _ in FakeRemote.delivered }
        // A file where the account's folder belongs.
        try Data().write(to: URL(fileURLWithPath: fixture.root + "/mail/erin"))
        let accepted = try await fixture.accept(from: nil, to: DeliveryFixture.local("alice@us.test"), DeliveryFixture.local("erin@us.test"))
        #expect(accepted.stored.keys.sorted() == [0])
        #expect(accepted.queuedRecipients == 1)
        await fixture.settle()
        #expect(fixture.queue.entry("m1")?.pendingRecipients == 1)
        try FileManager.default.removeItem(atPath: fixture.root + "/mail/erin")
        fixture.clock.advance(400)
        await fixture.settle()
        #expect(fixture.queue.count == 0)
        #expect(try fixture.inbox("erin").count == 1)
        #expect(try fixture.inbox("alice").count == 1)
    }

    @Test func eachSenderHasAQueueEntryOfItsOwn() async throws {
        let fixture = try DeliveryFixture { _, _ in FakeRemote.delivered }
        var forwarded = try DeliveryFixture.remote("bob@x.test"), listed = try DeliveryFixture.local("alice@us.test")
        forwarded.sender = QueueSender(EmailAddress("SRS0=x@us.test"))
        listed.sender = QueueSender(EmailAddress("owner-list@us.test"))
        try await fixture.accept(from: "dave@z.test", to: DeliveryFixture.remote("carol@x.test"), forwarded, listed)
        #expect(fixture.queue.count == 2)
        #expect(try fixture.inbox("alice").first?.hasPrefix("Return-Path: <owner-list@us.test>") == true)
        #expect(try fixture.queue.load("m1").envelope.sender.address?.description == "dave@z.test")
        let other = try fixture.queue.load("m1.1").envelope
        #expect(other.sender.address?.description == "SRS0=x@us.test" && other.recipients.map(\.address.description) == ["bob@x.test"])
        await fixture.settle()
        #expect(fixture.remote.attempts.count == 2 && fixture.queue.count == 0)
    }

    @Test func entriesOfSeveralSendersAreTakenBackTogether() async throws {
        let fixture = try DeliveryFixture(maximumMessages: 1) { _, _ in FakeRemote.delivered }
        var forwarded = try DeliveryFixture.remote("bob@x.test")
        forwarded.sender = QueueSender(EmailAddress("SRS0=x@us.test"))
        await #expect(throws: AcceptError.self) { try await fixture.accept(from: "dave@z.test", to: DeliveryFixture.remote("carol@x.test"), forwarded) }
        #expect(fixture.queue.count == 0)
    }

    @Test func aFullDiskIsSaidWith452AndNothingIsKept() async throws {
        let fixture = try DeliveryFixture(minimumFreeBytes: Int.max / 2) { _, _ in FakeRemote.delivered }
        var thrown: AcceptError?
        do { try await fixture.accept(to: DeliveryFixture.local("alice@us.test")) } catch { thrown = error as? AcceptError }
        #expect(thrown == .insufficientStorage)
        #expect(thrown?.reply.wire == "452 4.3.1 Insufficient system storage\r\n")
        #expect(try fixture.inbox("alice").isEmpty)
        #expect(fixture.queue.count == 0)
    }

    @Test func whenTheRestCannotBeQueuedTheRemoteEntryIsTakenBack() async throws {
        let fixture = try DeliveryFixture(maximumMessages: 1) { _, _ in FakeRemote.delivered }
        try Data().write(to: URL(fileURLWithPath: fixture.root + "/mail/erin"))
        await #expect(throws: AcceptError.self) {
            try await fixture.accept(to: DeliveryFixture.local("erin@us.test"), DeliveryFixture.remote("bob@x.test"))
        }
        #expect(fixture.queue.count == 0)
        await fixture.settle()
        #expect(fixture.remote.attempts.isEmpty)
    }

    @Test func aMessageInCirclesIsRefused() async throws {
        let fixture = try DeliveryFixture { _, _ in FakeRemote.delivered }
        let looped = Message(parsing: Array((String(repeating: "Received: again\r\n", count: 51) + "\r\n").utf8))
        await #expect(throws: AcceptError.tooManyHops(51)) { try await fixture.accept(to: DeliveryFixture.remote("bob@x.test"), message: looped) }
        #expect(AcceptError.tooManyHops(51).reply.code == 554)
        await #expect(throws: AcceptError.noRecipients) { try await fixture.accept() }
    }

    @Test func aForwardingLoopComesBackToTheSender() async throws {
        let fixture = try DeliveryFixture { _, _ in FakeRemote.delivered }
        let looped = Message(parsing: Array("Delivered-To: Erin@us.test\r\nSubject: x\r\n\r\n".utf8))
        let erin = try #require(EmailAddress("erin@us.test"))
        // Refused at once: a bounce would go to a sender who may be forged, for a field that anybody can write.
        await #expect(throws: AcceptError.circle(erin)) {
            try await fixture.accept(to: DeliveryFixture.local("alice@us.test"), DeliveryFixture.local("erin@us.test"), message: looped)
        }
        #expect(AcceptError.circle(erin).reply == SMTPReply(554, "5.4.6", "Mail forwarding loop for <erin@us.test>"))
        #expect(fixture.queue.count == 0)
        #expect(try fixture.inbox("alice").isEmpty)
    }
}
