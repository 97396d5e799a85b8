import Foundation
import InternetMessage
@testable import MailQueue
import Testing

/// A crash between the notification, which is queued, and the record of the message that it tells of.
@Suite struct SettlementTests {
    let fixture = QueueFixture()

    private func enqueue(_ told: [Int: RecipientStatus], recipients: [String], before: (MailQueue) throws -> Void = { _ in }) throws -> MailQueue {
        let queue = try fixture.open()
        try queue.enqueue(QueueFixture.envelope("a", recipients: recipients), message: QueueFixture.message)
        try before(queue)
        var notice = try QueueFixture.envelope("a-1", recipients: ["alice@example.org"])
        notice.settles = QueueSettlement(id: "a", statuses: told)
        try queue.enqueue(notice, message: QueueFixture.message)
        return try fixture.open()
    }

    @Test func whoWasToldOfIsNotTriedAgain() throws {
        let queue = try enqueue([1: .failed(QueueFixture.note("5.1.1"))], recipients: ["b@x.example", "c@x.example"])
        #expect(queue.recovery.caughtUp == 1)
        #expect(try queue.load("a").envelope.recipients[1].status == .failed(QueueFixture.note("5.1.1")))
        #expect(try queue.load("a").envelope.pending == [0])
        #expect(queue.entry("a")?.pendingRecipients == 1)
        #expect(try fixture.open().recovery.caughtUp == 0, "it is on disk now")
    }

    @Test func theLastRecipientTakesTheMessageAlong() throws {
        let queue = try enqueue([0: .failed(QueueFixture.note("5.1.1"))], recipients: ["b@x.example"])
        #expect(queue.entries().map(\.id) == ["a-1"])
        #expect(!FileManager.default.fileExists(atPath: fixture.file("a").path))
        #expect(queue.recovery.restored == 1 && queue.recovery.finished == 1)
    }

    @Test func aDelayIsToldOnce() throws {
        let told = RecipientStatus.pending(PendingDelivery(nextAttempt: QueueFixture.start + 300, attempts: 3, lastNote: QueueFixture.note("4.2.1"), delayNoticed: true))
        let queue = try enqueue([0: told], recipients: ["b@x.example"])
        #expect(try queue.load("a").envelope.recipients[0].status == told)
    }

    @Test func whatWasNotedLaterStands() throws {
        func pending(_ attempts: Int) -> RecipientStatus {
            .pending(PendingDelivery(nextAttempt: QueueFixture.start + 300, attempts: attempts, lastNote: QueueFixture.note("4.2.1"), delayNoticed: true))
        }
        let queue = try enqueue([0: pending(3)], recipients: ["b@x.example"]) { try $0.record("a", [0: pending(5)]) }
        #expect(queue.recovery.caughtUp == 0)
        #expect(try queue.load("a").envelope.recipients[0].status == pending(5))
    }

    @Test func aMessageThatHasLeftIsNoMatter() throws {
        let queue = try enqueue([0: .failed(QueueFixture.note("5.1.1"))], recipients: ["b@x.example"]) { try $0.remove("a") }
        #expect(queue.entries().map(\.id) == ["a-1"])
        #expect(queue.recovery.corrupt.isEmpty)
    }
}
