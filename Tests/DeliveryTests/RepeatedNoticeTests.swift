@testable import Delivery
import Foundation
import InternetMessage
import MailQueue
import SMTPClient
import SMTPCore
import Testing

@Suite(.timeLimit(.minutes(1))) struct RepeatedNoticeTests {
    private static func answer(_ recipient: ClientRecipient) -> RecipientResult { recipient.address.localPart == "dan" ? FakeRemote.deferred : FakeRemote.refused }

    /// The message's file as it was before the notification: what a crash between the two leaves behind.
    private func crashed() async throws -> (fixture: DeliveryFixture, notices: [String]) {
        let fixture = try DeliveryFixture { recipient, _ in Self.answer(recipient) }
        try await fixture.accept(from: "dan@z.test", to: DeliveryFixture.remote("bob@x.test"))
        let file = try #require(fixture.queueFile("m1")), content = try Data(contentsOf: file)
        await fixture.settle()
        let notices = fixture.queue.entries().map(\.id)
        try content.write(to: file)
        return (fixture, notices)
    }

    @Test func aCrashAfterTheNoticeDoesNotRepeatIt() async throws {
        let (fixture, notices) = try await crashed()
        #expect(notices.count == 1 && notices.allSatisfy { $0.hasPrefix("m1-") })
        let again = try MailQueue(.init(root: fixture.root + "/queue", minimumFreeBytes: 0))
        #expect(again.entries().map(\.id) == notices)
        #expect(again.recovery.caughtUp == 1)
    }

    @Test func noSecondNoticeIsMadeWhileTheFirstOneWaits() async throws {
        let (fixture, notices) = try await crashed()
        #expect(try fixture.queue.adopt() == ["m1"])
        await fixture.relay.take("m1")
        await fixture.relay.waitUntilIdle()
        #expect(fixture.queue.entries().map(\.id) == notices)
    }

    @Test func differentRecipientsAreToldOfInDifferentNotices() async throws {
        let fixture = try DeliveryFixture { recipient, _ in Self.answer(recipient) }
        try await fixture.accept(from: "dan@z.test", to: DeliveryFixture.remote("bob@x.test"), DeliveryFixture.remote("eve@y.test"))
        await fixture.settle()
        #expect(fixture.queue.count == 2)
    }
}

extension DeliveryFixture {
    func queueFile(_ id: String) -> URL? {
        let folder = URL(fileURLWithPath: root + "/queue/messages")
        return (0..<16).map { folder.appendingPathComponent(String($0, radix: 16)).appendingPathComponent(id) }.first { FileManager.default.fileExists(atPath: $0.path) }
    }
}
