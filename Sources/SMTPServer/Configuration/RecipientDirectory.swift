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
}

extension SMTPReply {
    /// The reply to a message that was taken.
    public static func queued(as id: String) -> SMTPReply { SMTPReply(250, "2.0.0", "Ok: queued as \(id)") }
}
