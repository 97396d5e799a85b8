import Foundation
import InternetMessage
import Milter

/// The filters' side of a session and the message they look at. A value that goes into the task that asks them and comes
/// back from it, so that two tasks never have it at once.
struct FilterState: Sendable {
    var chain: FilterChainSession
    let stages: Set<MilterStage>
    let isEmpty: Bool
    var facts: ConnectionFacts
    var transaction: Transaction?
    /// MAIL has not been told to the chain yet: no filter wants it, but it begins a message for those that follow.
    var owesMail = false
    /// The address of each accepted RCPT, repetitions included: LMTP replies to each (RFC 2033 §4.2).
    var accepted: [EmailAddress] = []
    /// A filter said `discard`: everything is accepted and nothing kept.
    private(set) var isDiscarding = false
    /// It said so at connect or HELO, of all messages.
    private var discardsAll = false
    /// The recipients of this message that were refused.
    private(set) var refusals: [RecipientRefusal] = []
    /// Which filter refused last, and where.
    private(set) var refusedBy: (stage: MilterStage, filter: String?)?
    /// The client's name, still being looked for.
    var name: ClientNameLookup?

    init(_ chain: FilterChain, facts: ConnectionFacts) {
        self.chain = chain.makeSession()
        stages = chain.stages
        isEmpty = chain.filters.isEmpty
        self.facts = facts
    }

    /// Whether a filter has to be asked at this stage of this message.
    func wants(_ stage: MilterStage) -> Bool { !isDiscarding && (stages.contains(stage) || chain.isRefused) }

    /// Waits for the client's name, which filters may ask for.
    mutating func settleName() async {
        guard let name else { return }
        self.name = nil
        facts.clientName = await name.name
        transaction?.connection.clientName = facts.clientName
    }

    /// Begins the message in the chain when that is still due.
    mutating func payMail() async {
        guard owesMail, var transaction else { return }
        owesMail = false
        _ = await chain.mail(&transaction)
        self.transaction = transaction
    }

    /// Forgets the message.
    mutating func endMessage() {
        transaction = nil
        owesMail = false
        accepted = []
        refusals = []
        refusedBy = nil
        isDiscarding = discardsAll
    }

    /// Notes the refusal of a recipient, for the message's record.
    mutating func note(_ reply: SMTPReply, of recipient: EnvelopeRecipient, by filter: String?) {
        guard refusals.count < Self.refusalLimit else { return }
        refusals.append(RecipientRefusal(recipient, reply, filter: filter, position: transaction?.recipients.count ?? 0))
    }

    /// Refused recipients that are kept of one message: who guesses addresses gives many.
    private static let refusalLimit = 100

    /// How this message ended, for its record; nil when there is none.
    func end(_ outcome: TransactionEnd.Outcome, received: Transaction? = nil, stage: MilterStage? = nil, filter: String? = nil) -> TransactionEnd? {
        guard let transaction else { return nil }
        var end = TransactionEnd(received: received ?? transaction, transaction: transaction, outcome: outcome)
        end.stage = stage
        end.filter = filter
        end.refusals = refusals
        return end
    }

    /// The refusal in a verdict; nil when the client may go on. A discard is noted.
    mutating func refusal(_ verdict: FilterChainSession.Verdict, at stage: MilterStage) -> SMTPReply? {
        if verdict.answer.isNegative, stage != .unknownCommand { refusedBy = (stage, verdict.filter) }
        switch verdict.answer {
        case .continue, .accept: return nil
        case .reject(let reply), .tempfail(let reply): return reply
        case .discard:
            isDiscarding = true
            if transaction == nil { discardsAll = true }
            return nil
        }
    }
}

// MARK: Asking, stage by stage

extension FilterState {
    mutating func askConnect() async -> SMTPReply? {
        await settleName()
        return refusal(await chain.connect(facts), at: .connect)
    }

    mutating func askHello(_ name: String) async -> SMTPReply? {
        await settleName()
        return refusal(await chain.helo(name, facts), at: .helo)
    }

    mutating func askMail() async -> SMTPReply? {
        guard var transaction else { return nil }
        await settleName()
        transaction.connection = facts
        owesMail = false
        let verdict = await chain.mail(&transaction)
        self.transaction = transaction
        return refusal(verdict, at: .mail)
    }

    mutating func askRecipient(_ recipient: EnvelopeRecipient) async -> SMTPReply? {
        await settleName()
        await payMail()
        guard var transaction else { return nil }
        let verdict = await chain.rcpt(recipient, &transaction)
        self.transaction = transaction
        let refusal = refusal(verdict, at: .rcpt)
        if let refusal { note(refusal, of: recipient, by: verdict.filter) }
        return refusal
    }

    mutating func askUnknownCommand(_ line: String) async -> SMTPReply? {
        await settleName()
        return refusal(await chain.unknownCommand(line), at: .unknownCommand)
    }

    mutating func askData() async -> SMTPReply? {
        await settleName()
        await payMail()
        guard var transaction else { return nil }
        let verdict = await chain.data(&transaction)
        self.transaction = transaction
        return refusal(verdict, at: .data)
    }
}
