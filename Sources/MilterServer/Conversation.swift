import BlockingPool
import CMilter
import Foundation
import InternetMessage
import Logging
import Milter

/// One client's session as an MTA reports it: turns libmilter's callbacks into the chain's questions and its answers
/// into libmilter's status codes.
///
/// libmilter calls back on changing threads but never twice at once for a session, so nothing here is locked. Every
/// method blocks its thread while filters think.
final class Conversation {
    /// What every conversation of a server shares.
    struct Environment: Sendable {
        let configuration: MilterServerConfiguration
        let pool: BlockingPool
        let makeID: @Sendable () -> String
        let logger: Logger
        /// Told of each message that the chain let pass, under the MTA's name for it.
        var accepted: @Sendable (String, Transaction) -> Void = { _, _ in }
        var observer: (any TransactionObserver)?
    }

    /// What travels to the pool and back.
    struct State: Sendable {
        var chain: FilterChainSession
        var transaction: Transaction
    }

    private let negotiation: Negotiation
    private let environment: Environment
    private let stages: Set<MilterStage>
    private var state: State
    private var helo = ""
    private var facts = ConnectionFacts(listener: "milter")
    private var inMessage = false
    private var content: IncomingContent?
    private var rawRecipients: [EmailAddress: [String]] = [:]
    /// A refusal made where the MTA expects no answer: given at the next stage where it does.
    private var pending: FilterAnswer?
    /// Refusal of, or pretence to, everything on this connection.
    private var connectionAnswer: FilterAnswer?
    /// What the record of the message in progress needs beside it.
    private var notes = MessageNotes()
    /// Filters past their deadline that still run: until they end the session asks nothing more.
    private var late: Task<Void, Never>?

    init(chain: FilterChain, negotiation: Negotiation, environment: Environment) {
        self.negotiation = negotiation
        self.environment = environment
        stages = chain.stages
        state = State(chain: chain.makeSession(), transaction: Transaction(id: "", connection: facts))
    }

    // MARK: events

    func connect(hostname: String, address: UnsafePointer<sockaddr>?, context: OpaquePointer) -> sfsistat {
        facts = client.atConnect(hostname: hostname, address: address, macros: MacroReader(context: context))
        let facts = facts
        let answer = ask(.connect) { await $0.chain.connect(facts) }
        if answer.isNegative { connectionAnswer = answer }
        note(answer, at: .connect)
        // A connection cannot be discarded: each of its messages will be.
        return answer == .discard ? reply(.continue, at: .connect, context) : reply(answer, at: .connect, context)
    }

    func helo(_ name: String, context: OpaquePointer) -> sfsistat {
        helo = name
        client.addTLS(to: &facts, macros: MacroReader(context: context))
        let facts = facts
        let answer = ask(.helo) { await $0.chain.helo(name, facts) }
        if answer == .discard {
            connectionAnswer = .discard
            return reply(.continue, at: .helo, context)
        }
        note(answer, at: .helo)
        return reply(answer, at: .helo, context)
    }

    func mail(_ arguments: [String], context: OpaquePointer) -> sfsistat {
        if inMessage { abort() }
        let macros = MacroReader(context: context)
        client.addTLS(to: &facts, macros: macros)
        client.setAuthentication(in: &facts, macros: macros)
        inMessage = true
        notes = MessageNotes()
        // Also where no filter wants MAIL: one that had seen enough of the message before sees this one.
        state.chain.beginMessage()
        state.transaction = Transaction(id: environment.makeID(), connection: facts, helo: helo)
        if let connectionAnswer { return end(connectionAnswer, at: .mail, context) }
        guard let sender = EnvelopeArguments(arguments, localHost: macros["j"]) else {
            return end(.reject(SMTPReply(553, "5.1.7", "The sender's address cannot be read")), at: .mail, context)
        }
        content = IncomingContent(sizeLimit: environment.configuration.messageSizeLimit,
                                  memoryLimit: environment.configuration.memoryLimit,
                                  spoolFolder: environment.configuration.spoolFolder)
        state.transaction.sender = EnvelopeSender(sender.address, parameters: sender.parameters)
        return end(ask(.mail) { await $0.chain.mail(&$0.transaction) }, at: .mail, context)
    }

    func rcpt(_ arguments: [String], context: OpaquePointer) -> sfsistat {
        guard let parsed = EnvelopeArguments(arguments, localHost: MacroReader(context: context)["j"]), let address = parsed.address else {
            return reply(.reject(SMTPReply(553, "5.1.3", "The recipient's address cannot be read")), at: .rcpt, context)
        }
        let recipient = EnvelopeRecipient(address, parameters: parsed.parameters)
        let answer = ask(.rcpt) { await $0.chain.rcpt(recipient, &$0.transaction) }
        // The one negative answer at RCPT that concerns the whole message.
        if answer == .discard { return end(answer, at: .rcpt, context) }
        notes.mtaID = MacroReader(context: context)["i"] ?? notes.mtaID
        notes.add(answer, recipient, position: state.transaction.recipients.count)
        if !answer.isNegative {
            // The same address twice is one recipient, as in our own SMTP server.
            if !state.transaction.recipients.contains(where: { $0.address == address }) { state.transaction.recipients.append(recipient) }
            rawRecipients[address, default: []].append(parsed.raw)
        }
        return reply(answer, at: .rcpt, context)
    }

    func data(context: OpaquePointer) -> sfsistat {
        notes.mtaID = MacroReader(context: context)["i"] ?? notes.mtaID
        return end(ask(.data) { await $0.chain.data(&$0.transaction) }, at: .data, context)
    }

    func header(name: String, value: [UInt8]) -> sfsistat {
        do {
            try content?.addField(name: name, value: value, hasLeadingBlank: negotiation.keepsLeadingBlank)
        } catch {
            giveUpContent(error)
        }
        return negotiation.unanswered.contains(.header) ? SMFIS_NOREPLY : SMFIS_CONTINUE
    }

    func body(_ chunk: UnsafeBufferPointer<UInt8>, context: OpaquePointer) -> sfsistat {
        if pending == nil {
            do { try content?.addBody(chunk) } catch { giveUpContent(error) }
        }
        return end(.continue, at: .body, context)
    }

    func endOfMessage(context: OpaquePointer) -> sfsistat {
        do {
            if let message = try content.take()?.finish() { state.transaction.receive(message) }
        } catch {
            giveUpContent(error)
        }
        let received = state.transaction
        notes.received = received
        let answer = ask(.endOfMessage, stillWaiting: { smfi_progress(context) }) { await $0.chain.endOfMessage(&$0.transaction) }
        let queueID = MacroReader(context: context)["i"] ?? notes.mtaID
        notes.mtaID = queueID
        log(answer, queueID: queueID)
        guard !answer.isNegative, pending == nil else { return end(answer, at: .endOfMessage, context) }
        if let queueID { environment.accepted(queueID, state.transaction) }
        defer { forgetMessage() }
        return replay(received: received.message.header, context: context)
    }

    /// The message in progress is given up.
    func abort() {
        pending = nil
        guard inMessage else { return }
        defer { forgetMessage() }
        tell(notes.ending?.answer)
        _ = run(deadline: environment.configuration.commandTimeout) { state in
            await state.chain.abort()
            return .continue
        }
    }

    func close() {
        abort()
        let chain = state.chain
        let late = late
        // Nobody waits for it: libmilter's thread goes on. After what is late, so that calls never overlap.
        Task(executorPreference: environment.pool) {
            await late?.value
            await chain.close()
        }
    }

    // MARK: asking and answering

    private var client: ClientFacts { ClientFacts(configuration: environment.configuration) }

    /// An idle connection holds no message.
    private func forgetMessage() {
        inMessage = false
        content = nil
        rawRecipients = [:]
        state.transaction = Transaction(id: "", connection: facts)
    }

    private func giveUpContent(_ error: any Error) {
        content = nil
        switch error {
        case IncomingContent.Failure.headerTooLarge: pending = .reject(SMTPReply(552, "5.3.4", "The message header is too large"))
        case IncomingContent.Failure.messageTooLarge: pending = .reject(SMTPReply(552, "5.3.4", "The message is too large"))
        default:
            environment.logger.error("milter: message content cannot be kept: \(error)")
            pending = .tempfail(SMTPReply(452, "4.3.1", "No room for the message now; try again later"))
        }
    }

    /// Asks the chain unless nobody listens at that stage or the answer already stands.
    private func ask(_ stage: MilterStage, stillWaiting: () -> Void = {},
                     _ question: @escaping @Sendable (inout State) async -> FilterChainSession.Verdict) -> FilterAnswer {
        guard pending == nil, stages.contains(stage) else { return .continue }
        let deadline = stage == .endOfMessage ? environment.configuration.contentTimeout : environment.configuration.commandTimeout
        return run(deadline: deadline, stillWaiting: stillWaiting, question)
    }

    private func run(deadline: Duration, stillWaiting: () -> Void = {},
                     _ question: @escaping @Sendable (inout State) async -> FilterChainSession.Verdict) -> FilterAnswer {
        guard late == nil else { return .tempfail }
        let before = state
        let (result, late) = waitFor(on: environment.pool, deadline: deadline,
                                     interval: environment.configuration.progressInterval, stillWaiting: stillWaiting) {
            var state = before
            let verdict = await question(&state)
            return (state, verdict)
        }
        self.late = late
        guard let (after, verdict) = result else {
            environment.logger.warning("milter: filters gave no answer within \(deadline); the MTA is told to try again later")
            return .tempfail(SMTPReply(451, "4.7.1", "Filters are slow; try again later"))
        }
        state = after
        notes.filter = verdict.filter
        return verdict.answer
    }

    /// Answers at a stage; a negative answer ends the message in progress.
    private func end(_ answer: FilterAnswer, at stage: MilterStage, _ context: OpaquePointer) -> sfsistat {
        // A name that leads to the record and the line in the log; without an observer it would lead nowhere.
        let isNamed = stage == .endOfMessage && environment.observer != nil
        let final = isNamed ? (pending ?? answer).naming(state.transaction.id) : pending ?? answer
        let status = reply(final, at: stage, context)
        if final.isNegative, status != SMFIS_NOREPLY {
            notes.ending = (final, stage, pending == nil ? notes.filter : nil)
            abort()
        }
        return status
    }

    /// libmilter's status for an answer, its reply set; or nothing, when the MTA expects none here.
    private func reply(_ answer: FilterAnswer, at stage: MilterStage, _ context: OpaquePointer) -> sfsistat {
        guard !negotiation.unanswered.contains(stage) else {
            if answer.isNegative, pending == nil { pending = answer }
            return SMFIS_NOREPLY
        }
        switch answer {
        case .continue, .accept: return SMFIS_CONTINUE
        case .discard: return SMFIS_DISCARD
        case .reject(let reply), .tempfail(let reply):
            // RFC 6531 §3.7.4.2, as our own SMTP server has it.
            let reply = state.transaction.sender.parameters["SMTPUTF8"] == nil ? reply.inASCII : reply
            if !ReplyText(reply).set(in: context) { environment.logger.warning("milter: libmilter does not take the reply \(reply)") }
            // libmilter sends a reply only with the status of its class.
            return reply.isPermanent ? SMFIS_REJECT : SMFIS_TEMPFAIL
        }
    }

    private func replay(received: MessageHeader, context: OpaquePointer) -> sfsistat {
        let replay = ModificationReplay(context: context, keepsLeadingBlank: negotiation.keepsLeadingBlank, rawRecipients: rawRecipients)
        do {
            try replay.run(state.transaction.modifications, received: received)
            tell(.accept)
            return SMFIS_CONTINUE
        } catch {
            // Half-changed mail must not be delivered as if all were done.
            environment.logger.error("milter: \(error); the message is refused for now")
            let answer = FilterAnswer.tempfail(SMTPReply(451, "4.3.0", "The message cannot be changed as policy asks; try again later"))
            tell(answer)
            return reply(answer, at: .endOfMessage, context)
        }
    }

    /// For the message's record; nil: the MTA gave it up.
    private func tell(_ answer: FilterAnswer?) {
        environment.observer?.ended(notes.end(of: state.transaction, answer))
    }

    /// For the record of a connection that got no further.
    private func note(_ answer: FilterAnswer, at stage: MilterStage) {
        guard let observer = environment.observer, let reply = answer.refusal else { return }
        observer.refused(ConnectionRefusal(id: environment.makeID(), connection: facts, helo: helo, stage: stage, reply: reply, filter: notes.filter,
                                           chain: state.chain))
    }

    private func log(_ answer: FilterAnswer, queueID: String?) {
        environment.logger.debug("milter: end of message", metadata: [
            "id": "\(state.transaction.id)", "queue": "\(queueID ?? "-")", "answer": "\(answer)",
        ])
    }
}
