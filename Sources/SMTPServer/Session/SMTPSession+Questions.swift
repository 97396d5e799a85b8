import Accounts
import BlockingPool
import InternetMessage
import Milter
import NIOCore
import NetworkAddress
import SASL
import SMTPCore

/// What the machine asks, answered at once where nobody has to be asked, else by a task.
extension SMTPSession {
    func ask(_ question: ServerQuestion) {
        switch question {
        case .connect: askConnect()
        case .hello(let name, _): askHello(helloOfClient ?? name)
        case .client(let override): replaceClient(override)
        case .authenticate(let credentials): authenticate(credentials)
        case .mail(let command): askMail(command)
        case .recipient(let command): askRecipient(command)
        case .content:
            contentOctets = 0
            contentRefusal = nil
            let configuration = environment.configuration
            content = IncomingContent(memoryLimit: configuration.contentMemoryLimit, spoolFolder: configuration.spoolFolder)
            guard filters.wants(.data) else { return answer(.yes) }
            run { state in await state.askData() }
        case .message: judge()
        }
    }

    func answer(_ answer: ServerAnswer) { perform(machine.answer(answer), base: 0) }

    func askConnect() {
        guard filters.wants(.connect) else { return answer(.yes) }
        lookUpName()
        run { state in await state.askConnect() }
    }

    private func askHello(_ name: String) {
        lookUpName()
        hello = name
        guard filters.wants(.helo) else { return answer(.yes) }
        run { state in await state.askHello(name) }
    }

    private func askMail(_ command: MailCommand) {
        let delimiter = environment.configuration.recipientDelimiter
        if let refusal = EnvelopeRules.refusal(ofSender: command.sender, by: account, delimiter: delimiter) {
            logRefusal(refusal)
            return answer(.no(refusal))
        }
        filters.transaction = Transaction(
            id: environment.ids.next(), connection: filters.facts, helo: hello,
            sender: EnvelopeSender(command.sender, parameters: command.parameters))
        filters.accepted = []
        filters.owesMail = true
        guard filters.wants(.mail) else { return answer(.yes) }
        run({ state in await state.askMail() }, refused: { $0.abort() })
    }

    private func askRecipient(_ command: RecipientCommand) {
        let address: EmailAddress
        switch command.path {
        case .mailbox(let mailbox): address = mailbox
        case .postmaster: address = EmailAddress(localPart: "postmaster", domain: environment.configuration.hostname)
        }
        let (directory, logger, isOwn) = (environment.recipients, environment.logger, filters.facts.isOriginating)
        let recipient = EnvelopeRecipient(address, original: originalRecipient(command.parameters), parameters: command.parameters)
        run { state in
            let standing = await directory.standing(of: address)
            if case .unavailable(let reason) = standing { logger.error("recipient \(address): \(reason)") }
            if let refusal = EnvelopeRules.refusal(of: address, standing, isOwn: isOwn) { return refusal }
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

    private func authenticate(_ credentials: Credentials) {
        let (authenticator, client, logger) = (environment.authenticator, filters.facts.clientAddress, environment.logger)
        runTask({ state -> AuthenticationOutcome in
            await authenticator.authenticate(user: credentials.user, password: credentials.password, client: client)
        }) { session, outcome in
            switch outcome {
            case .success(let account):
                session.account = account
                session.filters.facts.authenticatedUser = account.name
                session.filters.facts.authenticationMechanism = credentials.mechanism
                return .yes
            case .failure:
                logger.notice("authentication failed", metadata: ["client": "\(client?.description ?? "-")", "mechanism": "\(credentials.mechanism)"])
                return .no(SMTPReply(535, "5.7.8", "Error: authentication failed"))
            case .unavailable(let reason):
                logger.error("authentication is not possible: \(reason)")
                return .no(SMTPReply(454, "4.7.0", "Temporary authentication failure"))
            }
        }
    }

    private func judge() {
        guard let content else {
            abort()
            return answer(.reply(contentRefusal ?? SMTPReply(451, "4.3.0", "Error: internal error")))
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
            "listener": "\(listener.name)", "from": "\(filters.transaction?.sender.address?.description ?? "<>")",
        ])
    }
}

// MARK: Tasks

extension SMTPSession {
    /// Asks the filters; a reply is a refusal.
    private func run(_ work: @escaping @Sendable (inout FilterState) async -> SMTPReply?, refused: ((SMTPSession) -> Void)? = nil) {
        runTask(work) { session, refusal in
            guard let refusal else { return .yes }
            session.logRefusal(refusal)
            refused?(session)
            return .no(refusal)
        }
    }

    /// Runs work that has the filters for itself, and answers the machine with what `conclude` makes of its result.
    private func runTask<Value: Sendable>(
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
