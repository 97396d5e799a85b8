import Foundation
import InternetMessage
@testable import MailQueue
import Testing

/// A queue in a folder of its own that goes away with the fixture.
final class QueueFixture {
    let root = NSTemporaryDirectory() + "/queue-\(UUID().uuidString)"
    static let start = Date(timeIntervalSince1970: 1_700_000_000)

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func open(minimumFreeBytes: Int = 0, maximumMessages: Int = 1000) throws -> MailQueue {
        try MailQueue(MailQueue.Settings(root: root, minimumFreeBytes: minimumFreeBytes, maximumMessages: maximumMessages))
    }

    static func envelope(_ id: String, recipients: [String] = ["bob@example.net"]) throws -> QueueEnvelope {
        QueueEnvelope(id: id, arrival: start, sender: QueueSender(EmailAddress("alice@example.org"), returnContent: .headers, envelopeID: "QQ314159"),
                      recipients: try recipients.map { text in
                          QueueRecipient(try #require(EmailAddress(text)), notify: [.failure], originalRecipient: "rfc822;" + text, status: .fresh(at: start))
                      })
    }

    static let message = Message(parsing: Array("From: alice@example.org\r\nSubject: one\r\n\r\n.body\r\nline\r\n".utf8))

    func file(_ id: String) -> URL { URL(fileURLWithPath: QueueFolders(root: root).path(of: id)) }

    static func note(_ status: String = "2.0.0") -> DeliveryNote {
        DeliveryNote(status: status, text: "ok", replyCode: 250, remoteMTA: "mx.example.net", time: start)
    }
}
