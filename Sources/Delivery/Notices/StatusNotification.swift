import Foundation
import InternetMessage
import MailQueue

/// What a status notification tells (RFC 3464), before it is a message.
public struct StatusNotification: Sendable {
    /// RFC 3464 §2.3.3.
    public enum Action: String, Sendable, Hashable { case failed, delayed, delivered, relayed }

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
        self.original = original
        self.returnLimit = returnLimit
    }

    /// `RET` concerns failures only (RFC 3461 §4.3).
    var returnsFull: Bool { action == .failed && sender.returnContent == .full && original.byteCount <= returnLimit }

    var needsUTF8: Bool { to.needsSMTPUTF8 || entries.contains { $0.recipient.address.needsSMTPUTF8 || $0.recipient.original.needsSMTPUTF8 } }

    static func date(_ time: Date) -> String { MailDate(unixTime: Int64(time.timeIntervalSince1970)).description }
}
