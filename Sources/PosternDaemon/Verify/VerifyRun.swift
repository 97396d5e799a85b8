import DNS
import Foundation
import InternetMessage
import Logging
import Milter
import NetworkAddress

/// Runs the complete chain on a message in a file, as synthetic stage events, and changes nothing: no ledger, no record.
public struct VerifyRun: Sendable {
    public struct Envelope: Sendable {
        public let client: IPAddress
        public let helo: String
        /// nil: the null sender.
        public let sender: EmailAddress?
        public let recipients: [EmailAddress]

        public init(client: IPAddress, helo: String, sender: EmailAddress?, recipients: [EmailAddress]) {
            self.client = client
            self.helo = helo
            self.sender = sender
            self.recipients = recipients
        }
    }

    /// What one stage said; `accept` is told as `continue`.
    public struct StageAnswer: Sendable {
        /// `connect`, `helo`, `mail`, `rcpt <alice@example.org>`, `data`, `message`.
        public let stage: String
        public let answer: FilterAnswer
        /// Who said it, when it is negative.
        public let filter: String?
    }

    public struct Outcome: Sendable {
        /// After the whole chain: results, changes, hints.
        public let transaction: Transaction
        /// The message as it came, for comparison.
        public let original: Message
        public let stages: [StageAnswer]
        /// Every question that was asked, each once, in the order of their first answers.
        public let lookups: [TracingResolver.Lookup]
    }

    /// A message larger than this is not read into memory.
    static let sizeLimit = 256 << 20

    private let settings: Settings
    private let forwarder: String?
    private let logger: Logger

    /// - Parameter forwarder: `address@port` of a name server to ask instead of the configured ones.
    public init(_ settings: Settings, forwarder: String? = nil, logger: Logger) {
        self.settings = settings
        self.forwarder = forwarder
        self.logger = logger
    }

    /// - Throws: what keeps the chain from being built or the file from being read. Blocks on the file.
    public func run(file: String, _ envelope: Envelope) async throws -> Outcome {
        let message = try Self.read(file)
        let resolver = try ResolverSettings.resolver(settings, forwarder: forwarder)
        defer { resolver.close() }
        let tracer = TracingResolver(resolver)
        let trial = try TrialGround(settings, resolver: tracer, logger: logger)
        defer { trial.close() }
        // The built-in filters: a foreign milter would learn of a message that nobody sent.
        let chain = try LiveParts(settings, on: trial.ground).milterChain
        var connection = ConnectionFacts(clientAddress: envelope.client, listener: "smtp")
        connection.isOwnNetwork = settings[Known.mynetworks].contains { $0.contains(envelope.client.unmapped) }
        connection.clientName = await ReverseNameCheck.run(envelope.client, tracer).verifiedName
        var stages = StageRun(session: chain.makeSession())
        let transaction = await stages.run(connection, envelope, message)
        return Outcome(transaction: transaction, original: message, stages: stages.answers, lookups: tracer.lookups)
    }

    private static func read(_ file: String) throws -> Message {
        let handle = file == "-" ? FileHandle.standardInput : try Self.open(file)
        guard let data = try handle.read(upToCount: sizeLimit + 1) else { return Message(parsing: []) }
        guard data.count <= sizeLimit else { throw Privileges.Failure(description: "\(file) is larger than \(sizeLimit >> 20) MiB") }
        return Message(parsing: Array(data))
    }

    private static func open(_ file: String) throws -> FileHandle {
        guard let handle = FileHandle(forReadingAtPath: file) else {
            throw Privileges.Failure(description: "\(file) cannot be read: \(String(cString: strerror(errno)))")
        }
        return handle
    }
}

/// The stages one after the other. A refusal does not end the run, since the point is to see every result.
private struct StageRun {
    var session: FilterChainSession
    var answers: [VerifyRun.StageAnswer] = []

    mutating func run(_ connection: ConnectionFacts, _ envelope: VerifyRun.Envelope, _ message: Message) async -> Transaction {
        note("connect", await session.connect(connection))
        note("helo", await session.helo(envelope.helo, connection))
        var transaction = Transaction(id: "verify", connection: connection, helo: envelope.helo, sender: EnvelopeSender(envelope.sender))
        note("mail", await session.mail(&transaction))
        for address in envelope.recipients {
            let recipient = EnvelopeRecipient(address)
            note("rcpt <\(address)>", await session.rcpt(recipient, &transaction))
            transaction.recipients.append(recipient)
        }
        note("data", await session.data(&transaction))
        transaction.receive(message)
        // A filter that was done with the message at an earlier stage stays so; a refusal before leaves the others asked.
        note("message", await session.endOfMessage(&transaction))
        await session.close()
        return transaction
    }

    private mutating func note(_ stage: String, _ verdict: FilterChainSession.Verdict) {
        answers.append(.init(stage: stage, answer: verdict.answer, filter: verdict.filter))
    }
}
