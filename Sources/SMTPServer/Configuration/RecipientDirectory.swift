import Accounts
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
    /// Ours, with no room for more mail; whether to try again.
    case full(isTemporary: Bool)
}

public protocol RecipientDirectory: Sendable {
    func standing(of address: EmailAddress) async -> RecipientStanding
    /// The same for mail with a sender, nil for the null reverse-path: some addresses take bounces only.
    func standing(of address: EmailAddress, from sender: EmailAddress?) async -> RecipientStanding
    /// Whether an account may send as an address that is not one of its own, as an alias that leads to it alone
    /// (Postfix: `smtpd_sender_login_maps`).
    func mayWrite(_ account: Account, as address: EmailAddress) async -> Bool
}

extension RecipientDirectory {
    public func standing(of address: EmailAddress, from _: EmailAddress?) async -> RecipientStanding { await standing(of: address) }
    public func mayWrite(_ account: Account, as address: EmailAddress) async -> Bool { false }
}

/// Takes responsibility for messages.
public protocol MessageSink: Sendable {
    /// Asked at MAIL: why nothing is taken now, as when the disk is nearly full (RFC 5321 §4.2.2, 452); nil to go on.
    /// - Parameter octets: what SIZE announced (RFC 1870); 0 where it did not.
    func shortage(_ octets: Int) async -> SMTPReply?
    /// Whether ``shortage(_:)`` need not be asked, since somebody did a moment ago. Must not block: it is called on an event loop.
    func hadRoom(for octets: Int) -> Bool
    /// Called after the filters have accepted. What is positive in the reply must be durable before it is returned
    /// (RFC 5321 §4.2.5); the reply is sent as it is. Runs on the blocking pool, so it may block.
    ///
    /// Where the copies went may be noted among the transaction's results, for its record.
    func take(_ transaction: inout Transaction) async -> SMTPReply
    /// The same for LMTP (RFC 2033 §4.2): a reply for each of the transaction's recipients, in their order; what has a
    /// positive one must be durable, what has not must not be kept.
    func takeEach(_ transaction: inout Transaction) async -> [SMTPReply]
}

extension MessageSink {
    public func shortage(_ octets: Int) async -> SMTPReply? { nil }
    public func hadRoom(for octets: Int) -> Bool { false }

    /// For sinks that take all or nothing.
    public func takeEach(_ transaction: inout Transaction) async -> [SMTPReply] {
        let reply = await take(&transaction)
        return transaction.recipients.map { _ in reply }
    }
}

extension SMTPReply {
    /// The reply to a message that was taken.
    public static func queued(as id: String) -> SMTPReply { SMTPReply(250, "2.0.0", "Ok: queued as \(id)") }
}
