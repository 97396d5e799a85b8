import InternetMessage
import Milter
import NetworkAddress
import SMTPCore

/// The third road of a scenario: its lines through the SMTP state machine straight to a filter chain, as the SMTP front
/// end drives it, with no socket, no event loop and no store.
///
/// Written apart from the front end on purpose: where the two part ways, a scenario sees it.
public struct ChainRoad {
    /// One copy of a message that came through.
    public struct Delivery: Sendable {
        public let recipient: String
        /// Empty for the null sender.
        public let sender: String
        /// A filter held it.
        public let isHeld: Bool
        public let message: [UInt8]
    }

    /// What came of a scenario.
    public struct Outcome: Sendable {
        /// In their order, that to the connection first; lines divided by LF.
        public let replies: [String]
        public let deliveries: [Delivery]
    }

    private var machine: ServerStateMachine
    private var chain: FilterChainSession
    private let facts: ConnectionFacts
    private let hostname: String
    private let localDomain: String

    private var helo = ""
    private var transaction: Transaction?
    private var content: [UInt8] = []
    /// A filter said `discard`: of this message, or (at connect or HELO) of all.
    private var discards = false, discardsAll = false
    private var count = 0
    private var replies: [String] = []
    private var deliveries: [Delivery] = []

    /// - Parameter localDomain: recipients there exist; others are strangers' relaying.
    public init(_ scenario: Scenario, chain: FilterChain, hostname: String = "mail.local.example", localDomain: String = "local.example") {
        machine = ServerStateMachine(settings: ServerSettings(hostname: hostname))
        self.chain = chain.makeSession()
        self.hostname = hostname
        self.localDomain = localDomain
        facts = ConnectionFacts(clientAddress: scenario.clientAddress, clientPort: 4711, clientName: scenario.clientName, listener: "smtp")
    }

    /// Holds the conversation to its end, whatever the replies are.
    public static func run(_ scenario: Scenario, chain: FilterChain) async throws -> Outcome {
        var road = ChainRoad(scenario, chain: chain)
        try await road.perform(road.machine.start(), of: [])
        for case .client(let octets) in scenario.steps { try await road.send(octets) }
        if road.transaction != nil { await road.chain.abort() }
        await road.chain.close()
        return Outcome(replies: road.replies, deliveries: road.deliveries)
    }

    private mutating func send(_ octets: [UInt8]) async throws {
        var rest = octets[...]
        while true {
            let (consumed, actions) = rest.withUnsafeBytes { machine.take($0) }
            if consumed == 0, actions.isEmpty { return }
            let taken = Array(rest.prefix(consumed))
            rest = rest.dropFirst(consumed)
            try await perform(actions, of: taken)
        }
    }

    private mutating func perform(_ actions: [ServerAction], of octets: [UInt8]) async throws {
        for action in actions {
            switch action {
            case .send(let reply): replies.append(String(reply.wire.replacing("\r\n", with: "\n").dropLast()))
            case .content(let range): content += octets[range]
            case .ask(let question): try await perform(machine.answer(answer(question)), of: [])
            case .abort: await abort()
            case .startTLS, .close: break
            }
        }
    }

    private mutating func abort() async {
        guard transaction != nil else { return }
        forget()
        await chain.abort()
    }

    private mutating func forget() {
        transaction = nil
        content = []
        discards = discardsAll
    }

    // MARK: questions

    private mutating func answer(_ question: ServerQuestion) async throws -> ServerAnswer {
        switch question {
        case .connect: return yes(unless: refusal(await chain.connect(facts)))
        case .hello(let name, _):
            helo = name
            return yes(unless: discardsAll ? nil : refusal(await chain.helo(name, facts)))
        case .mail(let command): return await mail(command)
        case .recipient(let command): return await recipient(command)
        case .content:
            content = []
            return yes(unless: await ask { await $0.data(&$1) })
        case .message: return .reply(try await message())
        case .unknownCommand(let line): return yes(unless: refusal(await chain.unknownCommand(line)))
        case .authenticate, .scramKeys, .scramProved, .scramRefused, .client: return .no(SMTPReply(502, "5.5.1", "Not on this road"))
        }
    }

    private mutating func mail(_ command: MailCommand) async -> ServerAnswer {
        count += 1
        transaction = Transaction(id: "C\(count)", connection: facts, helo: helo, sender: EnvelopeSender(command.sender, parameters: command.parameters))
        let refused = await ask { await $0.mail(&$1) }
        if refused != nil { await abort() }
        return yes(unless: refused)
    }

    private mutating func recipient(_ command: RecipientCommand) async -> ServerAnswer {
        guard case .mailbox(let address) = command.path, address.domainText == localDomain else {
            return .no(SMTPReply(554, "5.7.1", "Relay access denied"))
        }
        let recipient = EnvelopeRecipient(address, parameters: command.parameters)
        if let refused = await ask({ await $0.rcpt(recipient, &$1) }) { return .no(refused) }
        if transaction?.recipients.contains(where: { $0.address == address }) == false { transaction?.recipients.append(recipient) }
        return .yes
    }

    private mutating func message() async throws -> SMTPReply {
        guard let id = transaction?.id else { return SMTPReply(451, "4.3.0", "no message") }
        defer { forget() }
        var assembler = MessageAssembler(memoryLimit: .max, spoolFolder: "/nowhere")
        try assembler.append(content)
        var whole = try assembler.finish()
        whole.header.fields.insert(received(id), at: 0)
        transaction?.receive(whole)
        if discards { await chain.abort() }
        if let refused = await ask({ await $0.endOfMessage(&$1) }) { return refused }
        if !discards, let transaction { try deliver(transaction) }
        return SMTPReply(250, "2.0.0", "Ok: queued as \(id)")
    }

    private mutating func deliver(_ transaction: Transaction) throws {
        for recipient in transaction.recipients {
            deliveries.append(Delivery(
                recipient: recipient.address.description, sender: transaction.sender.address?.description ?? "",
                isHeld: transaction.quarantineReason != nil, message: try transaction.message.bytes()))
        }
    }

    // MARK: the chain

    /// Asks about the message in progress, unless its fate is settled.
    private mutating func ask(_ question: (inout FilterChainSession, inout Transaction) async -> FilterChainSession.Verdict) async -> SMTPReply? {
        guard !discards, var asked = transaction else { return nil }
        let verdict = await question(&chain, &asked)
        transaction = asked
        return refusal(verdict)
    }

    private mutating func refusal(_ verdict: FilterChainSession.Verdict) -> SMTPReply? {
        switch verdict.answer {
        case .continue, .accept: return nil
        case .reject(let reply), .tempfail(let reply): return reply
        case .discard:
            discards = true
            if transaction == nil { discardsAll = true }
            return nil
        }
    }

    private func yes(unless refusal: SMTPReply?) -> ServerAnswer { refusal.map { .no($0) } ?? .yes }

    private func received(_ id: String) -> HeaderField {
        let client = "\(facts.clientName ?? "unknown") [\(facts.clientAddress?.description ?? "")]"
        return HeaderField(name: "Received", value: "from \(helo) (\(client))\r\n\tby \(hostname) (chain) with ESMTP id \(id);\r\n\tMon, 1 Jan 2024 00:00:00 +0000")
    }
}
