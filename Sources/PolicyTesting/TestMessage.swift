import DKIM
import DNS
import Foundation
import InternetMessage
import NetworkAddress
import Policy

/// The message of a test with its signatures, and the DNS that has their keys.
struct TestMessage: Sendable {
    let message: Message
    let resolver: ZoneResolver

    /// - Throws: what keeps a key from being made or the message from being signed.
    init(_ test: MessageTest) throws {
        var message = Message(parsing: test.content ?? Self.standardContent(test)), records = test.records
        for signature in test.signatures {
            let key = try SigningKey(pem: SigningKey.generate(.ed25519), domain: signature.domain, selector: signature.selector)
            message.header.fields.insert(contentsOf: try DKIMSigner().sign(message, with: [key], at: test.time), at: 0)
            let published = try ZoneText.parse("\(key.selector)._domainkey.\(key.domain). TXT \"\(key.publicRecord)\"")
            // A test about a missing or revoked key gives that name's records itself.
            records += published.filter { new in !test.records.contains { $0.name == new.name } }
        }
        self.message = message
        resolver = ZoneResolver(records: records, failing: test.failingNames.map(\.text))
    }

    /// A short message with the fields that every message has.
    private static func standardContent(_ test: MessageTest) -> [UInt8] {
        let from = test.sender?.description ?? "sender@sender.example"
        let text = """
            From: \(from)
            To: \(test.recipients.first?.description ?? "recipient@example.org")
            Subject: a test
            Date: \(MailDate(unixTime: Int64(test.time.timeIntervalSince1970)))
            Message-ID: <test@sender.example>

            Text.

            """
        return Array(text.utf8)
    }
}
