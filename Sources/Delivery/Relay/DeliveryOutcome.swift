import InternetMessage
import MailQueue

/// What one attempt came to for one recipient, as it was noted in the queue.
public struct DeliveryOutcome: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        case delivered
        /// It is tried again.
        case deferred
        /// Given up; the sender has been told where a notification was due.
        case failed
    }

    /// The queue entry.
    public let id: String
    public let recipient: EmailAddress
    public let kind: Kind
    public let note: DeliveryNote
    /// Where the copy was stored, when the recipient is an account's here.
    public var file: String?

    public init(id: String, recipient: EmailAddress, kind: Kind, note: DeliveryNote, file: String? = nil) {
        self.id = id
        self.recipient = recipient
        self.kind = kind
        self.note = note
        self.file = file
    }
}
