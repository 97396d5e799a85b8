import InternetMessage
import Milter
import NetworkAddress
import Policy

/// One message through a chain, stage by stage, as the SMTP server drives it: a refusal ends the message, at RCPT when
/// no recipient is left.
struct MessageTestRun {
    private let test: MessageTest
    private var session: FilterChainSession
    private var transaction: Transaction
    private var answers: [MessageTestOutcome.Answer] = []

    static func run(_ test: MessageTest, _ message: Message, in chain: TestChain) async -> MessageTestOutcome {
        var run = MessageTestRun(test, chain)
        let isTaken = await run.pass(message)
        await run.session.close()
        let (facts, lookups) = chain.facts(of: run.transaction)
        var outcome = MessageTestOutcome(facts: facts, lookups: lookups)
        outcome.answers = run.answers
        outcome.outcomes = chain.outcomes
        run.describe(&outcome, isTaken: isTaken)
        return outcome
    }

    private init(_ test: MessageTest, _ chain: TestChain) {
        self.test = test
        session = chain.chain.makeSession()
        var sender = EnvelopeSender(test.sender)
        sender.parameters["SIZE"] = test.declaredSize.map(String.init)
        transaction = Transaction(id: "test", connection: test.connection, helo: test.heloName, sender: sender)
    }

    /// False when a stage ended the message.
    private mutating func pass(_ message: Message) async -> Bool {
        guard note(.connect, await session.connect(transaction.connection)),
            note(.helo, await session.helo(transaction.helo, transaction.connection)),
            note(.mail, await session.mail(&transaction)) else { return false }
        for address in test.recipients {
            let recipient = EnvelopeRecipient(address)
            let verdict = await session.rcpt(recipient, &transaction)
            if note(.rcpt, verdict, address) { transaction.recipients.append(recipient) }
        }
        guard !transaction.recipients.isEmpty, note(.data, await session.data(&transaction)) else { return false }
        transaction.receive(message)
        return note(.message, await session.endOfMessage(&transaction))
    }

    /// Whether the message, at RCPT the recipient, goes on.
    private mutating func note(_ stage: PolicyStage, _ verdict: FilterChainSession.Verdict, _ recipient: EmailAddress? = nil) -> Bool {
        answers.append(.init(stage: stage, recipient: recipient, decision: verdict.answer.decision))
        return !verdict.answer.isNegative
    }

    private func describe(_ outcome: inout MessageTestOutcome, isTaken: Bool) {
        outcome.header = transaction.message.header
        guard isTaken else { return }
        let hints = transaction.deliveryHints
        outcome.recipients = transaction.recipients.map(\.address)
        outcome.folder = hints.folder
        outcome.keywords = hints.recipientKeywords.values.reduce(hints.keywords) { $0.union($1) }
        outcome.isHeld = transaction.quarantineReason != nil
    }
}

extension FilterAnswer {
    /// nil: the message goes on.
    fileprivate var decision: PolicyDecision? {
        switch self {
        case .continue, .accept: nil
        case .reject(let reply): .reject(reply)
        case .tempfail(let reply): .tempfail(reply)
        case .discard: .discard
        }
    }
}

extension MessageTest {
    /// RFC 5737's address, where the test names none; no client at all for mail made here.
    fileprivate var connection: ConnectionFacts {
        var facts = ConnectionFacts(clientAddress: client.address ?? (client.isNobody ? nil : IPAddress("192.0.2.1")), clientName: client.name,
                                    listener: client.listener ?? (client.account == nil ? "smtp" : "submission"))
        facts.isOwnNetwork = client.isOwn || client.isNobody
        // The server lets nobody log in without TLS.
        let version = client.tlsVersion ?? (client.account == nil ? nil : "TLSv1.3")
        facts.tls = version.map { TLSFacts(version: $0, cipher: "TLS_AES_256_GCM_SHA384", cipherBits: 256) }
        facts.authenticatedUser = client.account
        facts.authenticationMechanism = client.account == nil ? nil : "PLAIN"
        return facts
    }

    fileprivate var heloName: String { client.helo ?? client.name ?? (client.isNobody ? "localhost" : "client.example") }
}
