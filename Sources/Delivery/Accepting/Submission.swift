import Foundation
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
    /// Whom to tell of what, once everything is durable.
    public var notices: [Notice]
    /// Why copies that leave are held in the queue until somebody lets them go; nil to send them.
    public var hold: String?
    /// Who holds them, in a word.
    public var heldBy = "policy"
    /// Of a notification: what it tells of a message in the queue.
    public var settles: QueueSettlement?

    /// The end of a request to be told: an alias whose targets do not hand it on (RFC 3461 §5.2.7).
    public struct Notice: Sendable, Hashable {
        public var action: StatusNotification.Action
        /// The alias.
        public var recipient: RoutedRecipient

        public init(action: StatusNotification.Action, recipient: RoutedRecipient) {
            self.action = action
            self.recipient = recipient
        }
    }

    public init(id: String, sender: QueueSender, recipients: [RoutedRecipient], message: Message, notices: [Notice] = []) {
        self.id = id
        self.sender = sender
        self.recipients = recipients
        self.message = message
        self.notices = notices
    }
}

extension Submission {
    func sender(of recipient: RoutedRecipient) -> QueueSender { recipient.sender ?? sender }

    /// The hold of a queue entry: what stays here goes where its filter wants it, held or not.
    func hold(of recipients: [RoutedRecipient], _ now: Date) -> QueueHold? {
        guard let hold, recipients.contains(where: { $0.destination == .remote }) else { return nil }
        return QueueHold(reason: hold, by: heldBy, since: now)
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
    /// The sender of this copy, where an alias changes it; nil for the submission's.
    public var sender: QueueSender?

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
    /// The queue entries of the copies that wait for a delivery, by position in the submission.
    public let queued: [Int: String]
    /// How many recipients went to the queue.
    public var queuedRecipients: Int { queued.count }
    /// How many of these are held.
    public var held = 0
}

/// Where one copy of a message went.
public struct PlacedCopy: Sendable, Hashable {
    public let recipient: EmailAddress
    /// The file it was stored as.
    public var file: String?
    /// The queue entry it waits in.
    public var queueID: String?
    /// Why neither.
    public var refusal: SMTPReply?
}

extension Accepted {
    /// - Parameter replies: where each recipient had one of its own.
    public func copies(of recipients: [RoutedRecipient], _ replies: [SMTPReply] = []) -> [PlacedCopy] {
        recipients.enumerated().map { index, recipient in
            let refusal = index < replies.count && !replies[index].isPositive ? replies[index] : nil
            return PlacedCopy(recipient: recipient.address, file: stored[index]?.path, queueID: queued[index], refusal: refusal)
        }
    }
}

/// Why nothing was accepted: the client keeps the message. Each has its reply.
public enum AcceptError: Error, Sendable, Hashable, CustomStringConvertible {
    case insufficientStorage
    /// The queue or the store cannot take it now; why, for the log only.
    case unavailable(String)
    /// More Received fields than `hopcount_limit`: the message goes in circles.
    case tooManyHops(Int)
    /// The message has been delivered to this address before.
    case circle(EmailAddress)
    case noRecipients
    /// The one recipient's mailbox.
    case full(SMTPReply)

    public var reply: SMTPReply {
        switch self {
        case .insufficientStorage: SMTPReply(452, "4.3.1", "Insufficient system storage")
        case .unavailable: SMTPReply(451, "4.3.0", "Message could not be queued, try again later")
        case .tooManyHops: SMTPReply(554, "5.4.6", "Too many hops: this message is going in circles")
        case .circle(let address): SMTPReply(554, "5.4.6", "Mail forwarding loop for <\(address)>")
        case .full(let reply): reply
        case .noRecipients: SMTPReply(554, "5.5.1", "No valid recipients")
        }
    }

    public var description: String {
        switch self {
        case .insufficientStorage: "the disk is nearly full: free space"
        case .unavailable(let why): why
        case .tooManyHops(let count): "\(count) Received fields: the message goes in circles"
        case .circle(let address): "the message came back to \(address), which has had it"
        case .full(let reply): reply.lines.joined(separator: " ")
        case .noRecipients: "the submission has no recipients"
        }
    }

    init(_ error: QueueError) {
        if case .insufficientStorage = error { self = .insufficientStorage } else { self = .unavailable(error.description) }
    }
}
