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

    @Test func aFullDiskIsSaidWith452AndNothingIsKept() async throws {
        let fixture = try DeliveryFixture(minimumFreeBytes: Int.max / 2) { _, _ in FakeRemote.delivered }
        var thrown: AcceptError?
        do { try await fixture.accept(to: DeliveryFixture.local("alice@us.test"), DeliveryFixture.remote("bob@x.test")) } catch { thrown = error as? AcceptError }
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
        try await fixture.accept(to: DeliveryFixture.local("erin@us.test"), message: looped)
        await fixture.settle()
        #expect(try fixture.inbox("erin").isEmpty)
        #expect(try fixture.inbox("alice").first?.contains("mail forwarding loop for erin@us.test") == true)
    }
}
