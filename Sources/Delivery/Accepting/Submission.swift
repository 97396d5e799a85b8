import InternetMessage
import MailQueue
import MailStore

/// A message that passed the filters, its recipients routed: what ``MailAcceptor`` takes responsibility for.
public struct Submission: Sendable {
    /// The transaction's id; it becomes the queue's.
    public var id: String
    public var sender: QueueSender
    public var recipients: [RoutedRecipient]
    public var message: Message

    public init(id: String, sender: QueueSender, recipients: [RoutedRecipient], message: Message) {
        self.id = id
        self.sender = sender
        self.recipients = recipients
        self.message = message
    }
}

/// A recipient and where its copy goes.
public struct RoutedRecipient: Sendable, Hashable {
    public var address: EmailAddress
    /// What the client said at RCPT.
    public var original: EmailAddress
    /// `NOTIFY`: nil when not given, empty for `NEVER`.
    public var notify: Set<QueueRecipient.Notify>?
    /// `ORCPT` as given.
    public var originalRecipient: String?
    public var destination: QueueRecipient.Destination

    public init(_ address: EmailAddress, original: EmailAddress? = nil, notify: Set<QueueRecipient.Notify>? = nil,
                originalRecipient: String? = nil, destination: QueueRecipient.Destination) {
        self.address = address
        self.original = original ?? address
        self.notify = notify
        self.originalRecipient = originalRecipient
        self.destination = destination
    }

    func queued(_ status: RecipientStatus) -> QueueRecipient {
        QueueRecipient(address, original: original, notify: notify, originalRecipient: originalRecipient, destination: destination, status: status)
    }
}

/// What became of a submission; all of it durable.
public struct Accepted: Sendable {
    /// Copies stored in accounts of ours, by position in the submission.
    public let stored: [Int: DeliveredFile]
    /// How many recipients went to the queue.
    public let queuedRecipients: Int
}

/// Why nothing was accepted: the client keeps the message. Each has its reply.
public enum AcceptError: Error, Sendable, Hashable, CustomStringConvertible {
    case insufficientStorage
    /// The queue or the store cannot take it now; why, for the log only.
    case unavailable(String)
    /// More Received fields than `hopcount_limit`: the message goes in circles.
    case tooManyHops(Int)
    case noRecipients

    public var reply: SMTPReply {
        switch self {
        case .insufficientStorage: SMTPReply(452, "4.3.1", "Insufficient system storage")
        case .unavailable: SMTPReply(451, "4.3.0", "Message could not be queued, try again later")
        case .tooManyHops: SMTPReply(554, "5.4.6", "Too many hops: this message is going in circles")
        case .noRecipients: SMTPReply(554, "5.5.1", "No valid recipients")
        }
    }

    public var description: String {
        switch self {
        case .insufficientStorage: "the disk is nearly full: free space"
        case .unavailable(let why): why
        case .tooManyHops(let count): "\(count) Received fields: the message goes in circles"
        case .noRecipients: "the submission has no recipients"
        }
    }

    init(_ error: QueueError) {
        if case .insufficientStorage = error { self = .insufficientStorage } else { self = .unavailable(error.description) }
    }
}
