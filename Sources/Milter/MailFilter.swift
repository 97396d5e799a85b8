/// A filter: the one protocol that the SMTP front end, the milter listener and foreign milters meet at.
///
/// A filter makes one ``FilterSession`` per client connection, so a filter may keep state from stage to stage.
public protocol MailFilter: Sendable {
    /// For logs and replies: `spf`, `policy`, `inet:localhost:11332`.
    var name: String { get }
    /// The stages it wants to be asked at. The chain skips the others, and the milter listener negotiates them away.
    var stages: Set<MilterStage> { get }
    /// The changes that it may make. The milter listener asks for no others.
    var changes: Set<Modification.Kind> { get }
    func makeSession() -> any FilterSession
}

extension MailFilter {
    public var changes: Set<Modification.Kind> { .all }
}

/// A filter's side of one client connection. The chain calls its methods one after the other, never two at once.
///
/// Every method has a default that continues. Modifications (`transaction.apply`) are legal in ``endOfMessage(_:)`` only.
public protocol FilterSession: Sendable {
    /// Once, before the greeting. A refusal refuses the connection.
    func connect(_ connection: ConnectionFacts) async -> FilterAnswer
    /// At each HELO or EHLO. A refusal refuses all that follows on the connection.
    func helo(_ name: String, _ connection: ConnectionFacts) async -> FilterAnswer
    /// At MAIL; `transaction.sender` is set. A refusal refuses the message.
    func mail(_ transaction: inout Transaction) async -> FilterAnswer
    /// At each RCPT, before the recipient joins `transaction.recipients`. A refusal concerns this recipient only.
    func rcpt(_ recipient: EnvelopeRecipient, _ transaction: inout Transaction) async -> FilterAnswer
    /// At DATA or the first BDAT, when at least one recipient stands.
    func data(_ transaction: inout Transaction) async -> FilterAnswer
    /// After the last octet: `transaction.message` is complete and shows earlier filters' changes. Header, end of
    /// headers and body events of the milter protocol are what a filter reads out of it here.
    func endOfMessage(_ transaction: inout Transaction) async -> FilterAnswer
    /// At a command that the server does not know or does not do, as the client said it. A refusal is the reply to it, and
    /// concerns nothing else.
    func unknownCommand(_ line: String) async -> FilterAnswer
    /// The message in progress was given up (RSET, a refusal, a lost connection). Undo what the message did.
    func abort() async
    /// The connection is over.
    func close() async
    /// Puts what it found about the connection, before there was a message, into a transaction: for the record of a
    /// connection that was refused.
    func noteConnection(in transaction: inout Transaction)
}

extension FilterSession {
    public func connect(_ connection: ConnectionFacts) async -> FilterAnswer { .continue }
    public func helo(_ name: String, _ connection: ConnectionFacts) async -> FilterAnswer { .continue }
    public func mail(_ transaction: inout Transaction) async -> FilterAnswer { .continue }
    public func rcpt(_ recipient: EnvelopeRecipient, _ transaction: inout Transaction) async -> FilterAnswer { .continue }
    public func data(_ transaction: inout Transaction) async -> FilterAnswer { .continue }
    public func endOfMessage(_ transaction: inout Transaction) async -> FilterAnswer { .continue }
    public func unknownCommand(_ line: String) async -> FilterAnswer { .continue }
    public func abort() async {}
    public func close() async {}
    public func noteConnection(in transaction: inout Transaction) {}
}
