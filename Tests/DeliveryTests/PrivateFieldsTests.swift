@testable import Delivery
import Foundation
import InternetMessage
import MailQueue
import Testing

/// The tag ledger's word is for the recipients here alone.
@Suite(.timeLimit(.minutes(1))) struct PrivateFieldsTests {
    private static let message = Message(parsing: Array("""
        Authentication-Results: us.test; spf=pass smtp.mailfrom=z.test; x-postern-tag=leaked\r
        Authentication-Results: other.test; dkim=pass header.d=z.test\r
        Message-ID: <1@z.test>\r
        X-Postern-Tag: leaked; tag=shop; by=z.test; owner=shop.test\r
        \r
        body\r

        """.utf8))

    private func expectNoWord(_ text: String) {
        for word in ["postern-tag", "leaked", "shop.test"] { #expect(!text.lowercased().contains(word), "\(text)") }
    }

    @Test func whatAnAliasSendsOnBearsNoWordOfIt() async throws {
        let fixture = try DeliveryFixture { _, _ in FakeRemote.delivered }
        _ = try await fixture.accept(from: "dave@z.test", to: DeliveryFixture.local("alice@us.test"), DeliveryFixture.remote("bob@x.test"), message: Self.message)
        await fixture.settle()
        let sent = try #require(fixture.remote.sent.first)
        expectNoWord(sent)
        #expect(sent.contains("spf=pass") && sent.contains("Authentication-Results: other.test; dkim=pass header.d=z.test\r\n"), "the rest stays as it is")
        #expect(try fixture.inbox("alice").first?.contains("X-Postern-Tag: leaked; tag=shop") == true)
    }

    @Test(arguments: [QueueSender.ReturnContent.full, .headers])
    func noNotificationGivesItBack(content: QueueSender.ReturnContent) throws {
        let bob = try #require(EmailAddress("bob@us.test"))
        let note = DeliveryNote(status: "5.2.0", text: "no room", replyCode: nil, remoteMTA: nil, time: StatusNotificationTests.time)
        let notification = StatusNotification(
            id: "n1", action: .failed, hostName: "us.test", sender: QueueSender(EmailAddress("dave@z.test"), returnContent: content),
            to: try #require(EmailAddress("dave@z.test")), originalID: "m1", arrival: StatusNotificationTests.time, now: StatusNotificationTests.time,
            entries: [.init(QueueRecipient(bob, status: .fresh(at: StatusNotificationTests.time)), note)], original: Self.message)
        let text = try StatusNotificationTests.text(notification)
        #expect(text.contains("Message-ID: <1@z.test>"))
        expectNoWord(text)
    }
}
