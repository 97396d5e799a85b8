import InternetMessage
import Milter

/// Whose an address is.
public enum RecipientStanding: Sendable, Hashable {
    /// Ours, and it exists.
    case local
    /// Not ours: only our own people may send there.
    case relay
    /// Our domain, and nobody there.
    case unknown
    /// It could not be found out; the text is for the log.
    case unavailable(String)
}

public protocol RecipientDirectory: Sendable {
    func standing(of address: EmailAddress) async -> RecipientStanding
}

/// Takes responsibility for messages.
public protocol MessageSink: Sendable {
    /// Called after the filters have accepted. What is positive in the reply must be durable before it is returned
    /// (RFC 5321 §4.2.5); the reply is sent as it is. Runs on the blocking pool, so it may block.
    func take(_ transaction: Transaction) async -> SMTPReply
    /// The same for LMTP (RFC 2033 §4.2): a reply for each of the transaction's recipients, in their order; what has a
    /// positive one must be durable, what has not must not be kept.
    func takeEach(_ transaction: Transaction) async -> [SMTPReply]
}

extension MessageSink {
    /// For sinks that take all or nothing.
    public func takeEach(_ transaction: Transaction) async -> [SMTPReply] {
        let reply = await take(transaction)
        return transaction.recipients.map { _ in reply }
    }
}

extension SMTPReply {
    /// The reply to a message that was taken.
    public static func queued(as id: String) -> SMTPReply { SMTPReply(250, "2.0.0", "Ok: queued as \(id)") }
}
