import InternetMessage
import Logging
import Milter
import NIOPosix
import NetworkAddress
import Synchronization
@testable import MilterClient

/// Remembers what is logged.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }

    var logger: Logger { Logger(label: "test") { _ in Handler(owner: self) } }

    private struct Handler: LogHandler {
        let owner: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .info
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { owner.lines.withLock { $0.append("\(event.level): \(event.message)") } }
    }
}

/// A chain of one foreign milter.
struct Bench: Sendable {
    let log = LogLines()
    let filter: MilterClientFilter

    init(_ address: MilterAddress, _ change: (inout MilterClientConfiguration) -> Void = { _ in }) {
        var configuration = MilterClientConfiguration(address: address, hostname: "mail.home.example", connectTimeout: .seconds(20), commandTimeout: .seconds(20), contentTimeout: .seconds(20))
        change(&configuration)
        filter = MilterClientFilter(configuration: configuration, group: MultiThreadedEventLoopGroup.singleton, logger: log.logger)
    }

    init(_ milter: ScriptedMilter, _ change: (inout MilterClientConfiguration) -> Void = { _ in }) {
        self.init(.inet(host: "127.0.0.1", port: milter.port), change)
    }

    func session() -> FilterChainSession { FilterChain([filter]).makeSession() }

    static let facts = ConnectionFacts(
        clientAddress: IPAddress("192.0.2.7"), clientPort: 4711, clientName: "client.example", localAddress: IPAddress("192.0.2.1"), localPort: 25, listener: "smtp", daemonName: "smtpd",
        tls: TLSFacts(version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", cipherBits: 256), authenticatedUser: "alice", authenticationMechanism: "PLAIN")

    static let text = "Received: from ours\r\nReceived: from theirs\r\nSubject: one\r\n folded\r\nDup: 1\r\nDup: 2\r\n\r\nbody\r\n"

    static func address(_ text: String) -> EmailAddress { EmailAddress(text) ?? EmailAddress(localPart: "none", domain: .literal(IPAddress("192.0.2.9")!)) }

    static func transaction(_ text: String = text) -> Transaction {
        Transaction(
            id: "4B1D", connection: facts, helo: "client.example", sender: EnvelopeSender(address("s@a.example"), parameters: ["SIZE": "100", "BODY": "8BITMIME"]),
            recipients: [EnvelopeRecipient(address("r@home.example"), parameters: ["NOTIFY": "NEVER"])], message: Message(parsing: Array(text.utf8)))
    }

    /// Up to the end of the message, or the first negative answer.
    func run(_ session: inout FilterChainSession, _ transaction: inout Transaction, opens: Bool = true) async -> FilterAnswer {
        if opens {
            for verdict in [await session.connect(Self.facts), await session.helo("client.example", Self.facts)] where verdict.answer.isNegative { return verdict.answer }
        }
        let mail = await session.mail(&transaction)
        if mail.answer.isNegative { return mail.answer }
        for recipient in transaction.recipients {
            let verdict = await session.rcpt(recipient, &transaction)
            if verdict.answer.isNegative { return verdict.answer }
        }
        let data = await session.data(&transaction)
        if data.answer.isNegative { return data.answer }
        return await session.endOfMessage(&transaction).answer
    }

    /// One connection, one message.
    func message(_ text: String = text) async -> (answer: FilterAnswer, transaction: Transaction) {
        var session = session(), transaction = Self.transaction(text)
        let answer = await run(&session, &transaction)
        await session.close()
        return (answer, transaction)
    }
}
