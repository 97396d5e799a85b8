/// Filters in their order. A value; reload swaps one for another while running sessions keep theirs.
public struct FilterChain: Sendable {
    public let filters: [any MailFilter]

    public init(_ filters: [any MailFilter]) { self.filters = filters }

    /// Every stage that some filter wants.
    public var stages: Set<MilterStage> { filters.reduce(into: []) { $0.formUnion($1.stages) } }

    /// Every change that some filter may make.
    public var changes: Set<Modification.Kind> { filters.reduce(into: []) { $0.formUnion($1.changes) } }

    /// Opens the chain for one client connection.
    public func makeSession() -> FilterChainSession { FilterChainSession(filters) }
}

/// The chain's side of one client connection: asks each filter in turn and combines their answers.
///
/// `accept` ends that filter, not the chain. The first negative answer wins and ends the stage. Calls must not overlap:
/// the server makes them one after the other, which is why this is a plain struct that its owner mutates.
public struct FilterChainSession: Sendable {
    private struct Link: Sendable {
        let filter: any MailFilter
        let session: any FilterSession
        var doneWithConnection = false
        var doneWithMessage = false
    }

    private var links: [Link]
    /// The refusal at connect or HELO. Both are events of the connection, so it holds for all that follows, as in Postfix
    /// (milter8.c, MILTER8_STAT_REJECT_CON): another HELO does not help.
    private var refusal: Verdict?

    init(_ filters: [any MailFilter]) { links = filters.map { Link(filter: $0, session: $0.makeSession()) } }

    /// What the chain says, and which filter said it when the answer is negative.
    public struct Verdict: Sendable {
        public let answer: FilterAnswer
        public let filter: String?
        public static let `continue` = Verdict(answer: .continue, filter: nil)
    }

    public mutating func connect(_ connection: ConnectionFacts) async -> Verdict {
        await ask(.connect) { await $0.connect(connection) }
    }

    public mutating func helo(_ name: String, _ connection: ConnectionFacts) async -> Verdict {
        await ask(.helo) { await $0.helo(name, connection) }
    }

    /// Whether everything on this connection is refused, also at stages that no filter wants.
    public var isRefused: Bool { refusal != nil }

    /// Forgets which filters were done with the message before. For owners who skip ``mail(_:)`` because no filter wants it.
    public mutating func beginMessage() {
        for index in links.indices { links[index].doneWithMessage = links[index].doneWithConnection }
    }

    /// Begins a message.
    public mutating func mail(_ transaction: inout Transaction) async -> Verdict {
        beginMessage()
        return await ask(.mail, &transaction) { await $0.mail(&$1) }
    }

    /// Asks about one recipient. The caller adds it to the transaction when the verdict is not negative.
    public mutating func rcpt(_ recipient: EnvelopeRecipient, _ transaction: inout Transaction) async -> Verdict {
        await ask(.rcpt, &transaction) { await $0.rcpt(recipient, &$1) }
    }

    public mutating func data(_ transaction: inout Transaction) async -> Verdict {
        await ask(.data, &transaction) { await $0.data(&$1) }
    }

    /// Runs the chain over the complete message.
    public mutating func endOfMessage(_ transaction: inout Transaction) async -> Verdict {
        await ask(.endOfMessage, &transaction) { await $0.endOfMessage(&$1) }
    }

    /// What the filters found about the connection, for its record.
    public func noteConnection(in transaction: inout Transaction) { for link in links { link.session.noteConnection(in: &transaction) } }

    /// The refusal that is the reply to an unknown command; any other answer says nothing of it.
    public func unknownCommand(_ line: String) async -> Verdict {
        for link in links where link.filter.stages.contains(.unknownCommand) && !link.doneWithConnection {
            let answer = await link.session.unknownCommand(line)
            if answer.isNegative, answer != .discard { return Verdict(answer: answer, filter: link.filter.name) }
        }
        return .continue
    }

    public func abort() async { for link in links { await link.session.abort() } }
    public func close() async { for link in links { await link.session.close() } }

    private mutating func ask(_ stage: MilterStage, _ question: (any FilterSession) async -> FilterAnswer) async -> Verdict {
        if let refusal { return refusal }
        for index in links.indices where links[index].filter.stages.contains(stage) && !links[index].doneWithConnection {
            let answer = await question(links[index].session)
            if answer.isNegative {
                let verdict = Verdict(answer: answer, filter: links[index].filter.name)
                // A connection cannot be discarded: who asks discards each of its messages.
                if answer != .discard { refusal = verdict }
                return verdict
            }
            if answer == .accept { links[index].doneWithConnection = true }
        }
        return .continue
    }

    private mutating func ask(
        _ stage: MilterStage, _ transaction: inout Transaction,
        _ question: (any FilterSession, inout Transaction) async -> FilterAnswer
    ) async -> Verdict {
        if let refusal { return refusal }
        for index in links.indices where links[index].filter.stages.contains(stage) && !links[index].doneWithMessage {
            let answer = await question(links[index].session, &transaction)
            if answer.isNegative { return Verdict(answer: answer, filter: links[index].filter.name) }
            // Also at RCPT: Postfix's milter8 takes `accept` there to mean the whole message.
            if answer == .accept { links[index].doneWithMessage = true }
        }
        return .continue
    }
}
