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
    /// The client's name, still being looked for.
    var name: ClientNameLookup?

    init(_ chain: FilterChain, facts: ConnectionFacts) {
        self.chain = chain.makeSession()
        stages = chain.stages
        isEmpty = chain.filters.isEmpty
        self.facts = facts
    }

    /// Whether a filter has to be asked at this stage of this message.
    func wants(_ stage: MilterStage) -> Bool { !isDiscarding && stages.contains(stage) }

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
        isDiscarding = discardsAll
    }

    /// The refusal in a verdict; nil when the client may go on. A discard is noted.
    mutating func refusal(_ verdict: FilterChainSession.Verdict) -> SMTPReply? {
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
        return refusal(await chain.connect(facts))
    }

    mutating func askHello(_ name: String) async -> SMTPReply? {
        await settleName()
        return refusal(await chain.helo(name, facts))
    }

    mutating func askMail() async -> SMTPReply? {
        guard var transaction else { return nil }
        await settleName()
        transaction.connection = facts
        owesMail = false
        let verdict = await chain.mail(&transaction)
        self.transaction = transaction
        return refusal(verdict)
    }

    mutating func askRecipient(_ recipient: EnvelopeRecipient) async -> SMTPReply? {
        await settleName()
        await payMail()
        guard var transaction else { return nil }
        let verdict = await chain.rcpt(recipient, &transaction)
        self.transaction = transaction
        return refusal(verdict)
    }

    mutating func askData() async -> SMTPReply? {
        await settleName()
        await payMail()
        guard var transaction else { return nil }
        let verdict = await chain.data(&transaction)
        self.transaction = transaction
        return refusal(verdict)
    }
}
