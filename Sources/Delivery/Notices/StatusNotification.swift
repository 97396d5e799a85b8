import Foundation
import InternetMessage
import MailQueue

/// What a status notification tells (RFC 3464), before it is a message.
public struct StatusNotification: Sendable {
    /// RFC 3464 §2.3.3.
    public enum Action: String, Sendable, Hashable { case failed, delayed, delivered, relayed, expanded }

    public struct Entry: Sendable, Hashable {
        public var recipient: QueueRecipient
        public var note: DeliveryNote

        public init(_ recipient: QueueRecipient, _ note: DeliveryNote) {
            self.recipient = recipient
            self.note = note
        }
    }

    /// Of the notification itself; also makes its boundary and Message-ID.
    public var id: String
    public var action: Action
    public var hostName: String
    public var sender: QueueSender
    /// Whom it goes to: the message's sender.
    public var to: EmailAddress
    public var originalID: String
    public var arrival: Date
    public var now: Date
    /// For `delayed`: until when we go on trying.
    public var retryUntil: Date?
    public var entries: [Entry]
    /// The message told of; its body is returned only when it failed, RET says FULL, and it is within the limit.
    public var original: Message
    public var returnLimit: Int

    public init(id: String, action: Action, hostName: String, sender: QueueSender, to: EmailAddress, originalID: String, arrival: Date, now: Date,
                retryUntil: Date? = nil, entries: [Entry], original: Message, returnLimit: Int = 50_000) {
        self.id = id
        self.action = action
        self.hostName = hostName
        self.sender = sender
        self.to = to
        self.originalID = originalID
        self.arrival = arrival
        self.now = now
        self.retryUntil = retryUntil
        self.entries = entries
        self.original = PrivateFields.removed(from: original)
        self.returnLimit = returnLimit
    }

    /// `RET` concerns failures only (RFC 3461 §4.3).
    var returnsFull: Bool { action == .failed && sender.returnContent == .full && original.byteCount <= returnLimit }

    /// Whether it takes RFC 6533's forms, and SMTPUTF8 on its way: only where the sender's side has shown that it knows them.
    var isInternational: Bool {
        if to.needsSMTPUTF8 { return true }
        guard sender.smtpUTF8 else { return false }
        let isInEnvelope = entries.contains { entry in
            entry.recipient.address.needsSMTPUTF8 || entry.recipient.original.needsSMTPUTF8 || entry.recipient.originalRecipient?.lowercased().hasPrefix("utf-8;") == true
        }
        return isInEnvelope || original.header.fields.contains { $0.bytes.contains { $0 >= 0x80 } }
    }

    static func date(_ time: Date) -> String { MailDate(unixTime: Int64(time.timeIntervalSince1970)).description }
}
