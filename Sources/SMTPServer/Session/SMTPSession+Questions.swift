import Accounts
import BlockingPool
import InternetMessage
import Milter
import NIOCore
import NetworkAddress
import SMTPCore

/// What the machine asks, answered at once where nobody has to be asked, else by a task.
extension SMTPSession {
    func ask(_ question: ServerQuestion) {
        switch question {
        case .connect: askConnect()
        case .hello(let name, _): askHello(helloOfClient ?? name)
        case .client(let override): replaceClient(override)
        case .authenticate(let credentials): authenticate(credentials)
        case .scramKeys(let user): findKeys(of: user)
        case .scramProved(let mechanism, let user, let key): scramProved(mechanism, user, key)
        case .scramRefused(let mechanism, let failure, let user): scramRefused(mechanism, failure, user)
        case .mail(let command): askMail(command)
        case .recipient(let command): askRecipient(command)
        case .content:
            contentOctets = 0
            contentRefusal = nil
            let configuration = environment.configuration
            content = IncomingContent(memoryLimit: configuration.contentMemoryLimit, spoolFolder: configuration.spoolFolder)
            guard filters.wants(.data) else { return answer(.yes) }
            run { state in await state.askData() }
        case .unknownCommand(let line):
            guard filters.wants(.unknownCommand) else { return answer(.yes) }
            run { state in await state.askUnknownCommand(line) }
        case .message: judge()
        }
    }

    func answer(_ answer: ServerAnswer) { perform(machine.answer(answer), base: 0) }

    func askConnect() {
        guard filters.wants(.connect) else { return answer(.yes) }
        lookUpName()
        run({ state in await state.askConnect() }, refused: { $0.noteConnectionRefused(at: .connect, $1) })
    }

    private func askHello(_ name: String) {
        lookUpName()
        hello = name
        guard filters.wants(.helo) else { return answer(.yes) }
        run({ state in await state.askHello(name) }, refused: { $0.noteConnectionRefused(at: .helo, $1) })
    }

    private func askMail(_ command: MailCommand) {
        if rateIsExceeded(.message) { return answer(.no(rateReply("too much mail"))) }
        let delimiter = environment.configuration.recipientDelimiter
        let refusal = EnvelopeRules.refusal(ofSender: command.sender, by: account, delimiter: delimiter)
        filters.transaction = Transaction(
            id: environment.ids.next(), connection: filters.facts, helo: hello,
            sender: EnvelopeSender(command.sender, parameters: command.parameters))
        filters.accepted = []
        filters.owesMail = true
        let (directory, sink, account) = (environment.recipients, environment.sink, account)
        // The usual case, for which no thread need wake.
        if refusal == nil, !filters.wants(.mail), sink.hadRoom(for: command.size ?? 0) { return answer(.yes) }
        run({ state in
            // Not the account's own address; it may be an alias of it.
            if let refusal, let account, let sender = command.sender, await !directory.mayWrite(account, as: sender) { return refusal }
            // Before the content is on its way: what nobody keeps need not fill the rest of the disk.
            if let full = await sink.shortage(command.size ?? 0) { return full }
            return state.wants(.mail) ? await state.askMail() : nil
        }, refused: { $0.abort(because: $1) })
    }

    private func askRecipient(_ command: RecipientCommand) {
        if rateIsExceeded(.recipient) { return answer(.no(rateReply("too many recipients"))) }
        let address: EmailAddress
        switch command.path {
        case .mailbox(let mailbox): address = mailbox
        case .postmaster: address = EmailAddress(localPart: "postmaster", domain: environment.configuration.hostname)
        }
        let (directory, logger, isOwn) = (environment.recipients, environment.logger, filters.facts.isOriginating)
        let recipient = EnvelopeRecipient(address, original: originalRecipient(command.parameters), parameters: command.parameters)
        run { state in
            let standing = await directory.standing(of: address, from: state.transaction?.sender.address)
            if case .unavailable(let reason) = standing { logger.error("recipient \(address): \(reason)") }
            if let refusal = EnvelopeRules.refusal(of: address, standing, isOwn: isOwn) {
                state.note(refusal, of: recipient, by: nil)
                return refusal
            }
            if state.wants(.rcpt), let refusal = await state.askRecipient(recipient) { return refusal }
            // The same address twice is one recipient (Postfix: duplicate elimination at queueing).
            if state.transaction?.recipients.contains(where: { $0.address == address }) == false {
                state.transaction?.recipients.append(recipient)
            }
            state.accepted.append(address)
            return nil
        }
    }

    /// What the MTA in front of us was told before its aliases, when it says so (ORCPT, RFC 3461 §4.2). Only LMTP clients
    /// are believed: they hand us mail that is theirs already.
    private func originalRecipient(_ parameters: [String: String]) -> EmailAddress? {
        guard listener.speaks == .lmtp, let text = parameters["ORCPT"], let cut = text.firstIndex(of: ";") else { return nil }
        return Xtext.decode(text[text.index(after: cut)...]).flatMap { EmailAddress($0) }
    }

    private func judge() {
        guard let content else {
            let reply = contentRefusal ?? SMTPReply(451, "4.3.0", "Error: internal error")
            abort(because: reply)
            return answer(.reply(reply))
        }
        self.content = nil
        let judgement = MessageJudgement(
            environment: environment, content: content, speaks: listener.speaks, isExtended: machine.isExtended, isSMTPUTF8: machine.isSMTPUTF8)
        runTask({ state -> ServerAnswer in
            await judgement.run(&state)
        }) { session, answer in
            // The message has its end; nothing of it is left to abort.
            session.filters.endMessage()
            return answer
        }
    }

    /// Begins to look for the client's name, once.
    private func lookUpName() {
        guard filters.name == nil, filters.facts.clientName == nil, !hasLookedUpName, let lookup = environment.reverseName,
            let address = filters.facts.clientAddress, let loop = context?.eventLoop else { return }
        hasLookedUpName = true
        filters.name = ClientNameLookup(address, on: loop, timeout: environment.configuration.reverseNameTimeout, lookup)
    }
}

extension SMTPSession {
    /// The line an operator looks for when somebody says that mail does not arrive.
    private func logRefusal(_ reply: SMTPReply) {
        environment.logger.info("refused: \(reply)", metadata: [
            "id": "\(filters.transaction?.id ?? "")", "client": "\(filters.facts.clientAddress?.description ?? "local")", "helo": "\(hello)",
            "listener": "\(listener.name)", "sender": "\(filters.transaction?.sender.address?.description ?? "<>")",
        ])
    }

    /// A record of a client that got no further than this.
    private func noteConnectionRefused(at stage: MilterStage, _ reply: SMTPReply) {
        environment.observer?.refused(ConnectionRefusal(
            id: environment.ids.next(), connection: filters.facts, helo: hello, stage: stage, reply: reply, filter: filters.refusedBy?.filter,
            chain: filters.chain))
    }
}

// MARK: Tasks

extension SMTPSession {
    /// Asks the filters; a reply is a refusal.
    private func run(_ work: @escaping @Sendable (inout FilterState) async -> SMTPReply?, refused: ((SMTPSession, SMTPReply) -> Void)? = nil) {
        runTask(work) { session, refusal in
            guard let refusal else { return .yes }
            session.logRefusal(refusal)
            refused?(session, refusal)
            return .no(refusal)
        }
    }

    /// Runs work that has the filters for itself, and answers the machine with what `conclude` makes of its result.
    func runTask<Value: Sendable>(
        _ work: @escaping @Sendable (inout FilterState) async -> Value,
        conclude: @escaping (SMTPSession, Value) -> ServerAnswer
    ) {
        guard let loop = context?.eventLoop else { return }
        hasQuestionOpen = true
        let bound = NIOLoopBound((self, conclude), eventLoop: loop)
        let (initial, before) = (filters, cleanup)
        // Look-ups in accounts and ledger may touch the disk: never on the cooperative pool.
        Task(executorPreference: environment.pool) {
            await before?.value
            var state = initial
            let value = await work(&state)
            let result = state
            loop.execute {
                let (session, conclude) = bound.value
                session.concluded(result) { conclude(session, value) }
            }
        }
    }

    private func concluded(_ state: FilterState, _ conclude: () -> ServerAnswer) {
        hasQuestionOpen = false
        filters = state
        let answer = conclude()
        if isOver { return farewell() }
        lastProgress = context?.eventLoop.now ?? lastProgress
        // The machine may have ended meanwhile (a deadline): then nobody waits for the answer.
        finish { $0.answer(answer) }
    }
}
