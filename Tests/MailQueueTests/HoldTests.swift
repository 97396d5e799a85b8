import Foundation
import InternetMessage
@testable import MailQueue
import Testing

@Suite struct HoldTests {
    let fixture = QueueFixture()
    static let hold = QueueHold(reason: "looks stolen", by: "limit", since: QueueFixture.start)

    @Test func aHoldSurvivesARestartAndSoDoesItsEnd() throws {
        let first = try fixture.open()
        try first.enqueue(QueueFixture.envelope("a"), message: QueueFixture.message)
        try first.hold("a", Self.hold)
        #expect(first.entry("a")?.isHeld == true)
        let second = try fixture.open()
        #expect(second.entry("a")?.isHeld == true)
        #expect(try second.load("a").envelope.hold == Self.hold)
        try second.release("a")
        #expect(second.entry("a")?.isHeld == false)
        #expect(try fixture.open().load("a").envelope.hold == nil)
    }

    @Test func aMessageMayComeHeld() throws {
        var envelope = try QueueFixture.envelope("a")
        envelope.hold = Self.hold
        try fixture.open().enqueue(envelope, message: QueueFixture.message)
        #expect(try fixture.open().entry("a")?.isHeld == true)
    }

    @Test func stepsAndHoldsStandSideBySide() throws {
        let queue = try fixture.open()
        try queue.enqueue(QueueFixture.envelope("a", recipients: ["b@x.example", "c@x.example"]), message: QueueFixture.message)
        try queue.record("a", [0: .delivered(QueueFixture.note())])
        try queue.hold("a", Self.hold)
        try queue.record("a", [1: .pending(PendingDelivery(nextAttempt: QueueFixture.start + 300, attempts: 1, lastNote: QueueFixture.note("4.4.1")))])
        let again = try fixture.open()
        #expect(again.entry("a")?.isHeld == true)
        #expect(try again.load("a").envelope.pending == [1])
        #expect(try again.history("a").map(\.recipient) == [0, 1])
    }

    @Test func whatIsNotThereCannotBeHeld() throws {
        let queue = try fixture.open()
        #expect(throws: QueueError.unknownMessage("a")) { try queue.hold("a", Self.hold) }
        #expect(throws: QueueError.unknownMessage("a")) { try queue.release("a") }
    }

    @Test func expeditingMakesItDueAndKeepsItsPast() throws {
        let queue = try fixture.open()
        try queue.enqueue(QueueFixture.envelope("a"), message: QueueFixture.message)
        try queue.record("a", [0: .pending(PendingDelivery(nextAttempt: QueueFixture.start + 4000, attempts: 3, lastNote: QueueFixture.note("4.4.1")))])
        try queue.expedite("a", to: QueueFixture.start + 10)
        let again = try fixture.open()
        #expect(again.entry("a")?.nextAttempt == QueueFixture.start + 10)
        guard case .pending(let state) = try again.load("a").envelope.recipients[0].status else { Issue.record("settled"); return }
        #expect(state.attempts == 3 && state.lastNote == QueueFixture.note("4.4.1"))
    }

    @Test func onlyOneHasTheLock() throws {
        _ = try fixture.open()
        let first = try #require(try QueueLock.take(root: fixture.root))
        #expect(try QueueLock.take(root: fixture.root) == nil)
        withExtendedLifetime(first) {}
    }

    @Test func theLockEndsWithItsHolder() throws {
        _ = try fixture.open()
        do { _ = try QueueLock.take(root: fixture.root) }
        #expect(try QueueLock.take(root: fixture.root) != nil)
    }
}
