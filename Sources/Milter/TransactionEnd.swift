import InternetMessage

/// How one message ended, told once for each transaction to whoever keeps records, whatever the end was.
public struct TransactionEnd: Sendable {
    public enum Outcome: Sendable, Hashable {
        /// Taken, with this reply.
        case accepted(SMTPReply)
        /// Refused as a whole, for good or for now.
        case refused(SMTPReply)
        /// Said to be taken, and thrown away.
        case discarded
        /// The client gave it up or was lost; of recipients that were refused before see ``refusals``.
        case abandoned
    }

    /// As the client gave it: facts, envelope and header before the filters of ``MilterStage/endOfMessage``. Its body is
    /// not kept.
    public let received: Transaction
    /// The same after the filters: results, changes, hints.
    public let transaction: Transaction
    /// Octets of the content as received; nil when none came.
    public let size: Int?
    public let outcome: Outcome
    /// Where it was refused; nil for the server's own end of it (the sink, a limit).
    public var stage: MilterStage?
    /// The filter that refused it.
    public var filter: String?
    /// The recipients that were refused, each with its reply.
    public var refusals: [RecipientRefusal] = []
    /// The foreign MTA's own name for the message (macro `i`).
    public var mtaID: String?

    /// Lets go of the bodies: whoever keeps this waits for nobody's disk and holds nobody's spool file.
    public init(received: Transaction, transaction: Transaction, outcome: Outcome) {
        size = received.message.header.fields.isEmpty && received.message.body.count == 0 ? nil : received.message.byteCount
        self.received = received.withoutBody
        self.transaction = transaction.withoutBody
        self.outcome = outcome
    }
}

/// One RCPT that was refused.
public struct RecipientRefusal: Sendable {
    public let recipient: EnvelopeRecipient
    public let reply: SMTPReply
    /// The filter that refused it; nil when the server did.
    public let filter: String?
    /// How many recipients had been taken before, for the order.
    public let position: Int

    public init(_ recipient: EnvelopeRecipient, _ reply: SMTPReply, filter: String?, position: Int) {
        self.recipient = recipient
        self.reply = reply
        self.filter = filter
        self.position = position
    }
}

/// A connection refused before any message.
public struct ConnectionRefusal: Sendable {
    /// The facts, and what filters found; of a message there is nothing.
    public let transaction: Transaction
    public let stage: MilterStage
    public let reply: SMTPReply
    public let filter: String?

    /// - Parameters:
    ///   - helo: empty when it was refused at once.
    ///   - chain: the filters that it was brought before.
    public init(id: String, connection: ConnectionFacts, helo: String, stage: MilterStage, reply: SMTPReply, filter: String?, chain: FilterChainSession) {
        var transaction = Transaction(id: id, connection: connection, helo: helo)
        chain.noteConnection(in: &transaction)
        self.transaction = transaction
        self.stage = stage
        self.reply = reply
        self.filter = filter
    }
}

/// Keeps records. Called on event loops and between a message's end and its reply: it must only take note, and never wait.
public protocol TransactionObserver: Sendable {
    func ended(_ end: TransactionEnd)
    func refused(_ refusal: ConnectionRefusal)
}

extension Transaction {
    fileprivate var withoutBody: Transaction {
        var out = self
        out.receive(Message(header: message.header))
        return out
    }
}
