import InternetMessage
import Milter

/// Takes what was received and judged good.
public protocol MessageSink: Sendable {
    /// Stores or queues the message; durable before it returns. Its reply is said to the client as it stands.
    func take(_ transaction: Transaction) async -> SMTPReply
}
