import Accounts
import Foundation
import InternetMessage
import Logging
import Milter
import NetworkAddress
import SMTPCore

/// What a connection knows and asks, apart from octets: its facts, its filters, the message in progress.
///
/// A value that the handler hands to a task for each question and gets back with the answer, so nothing is shared.
struct Conversation: Sendable {
    let services: SMTPServices
    let configuration: SMTPServerConfiguration
    let kind: SMTPServerConfiguration.Listener.Kind
    var connection: ConnectionFacts
    var chain: FilterChainSession
    /// Stages that some filter wants; the others cost no task.
    let stages: Set<MilterStage>
    var helo = ""
    var account: Account?
    var transaction: Transaction?
    private var nameLookup: Task<String?, Never>?

    init(_ services: SMTPServices, _ configuration: SMTPServerConfiguration, _ kind: SMTPServerConfiguration.Listener.Kind, _ connection: ConnectionFacts) {
        self.services = services
        self.configuration = configuration
        self.kind = kind
        self.connection = connection
        let chain = services.chain()
        self.chain = chain.makeSession()
        stages = chain.stages
        if let address = connection.clientAddress, let reverseName = services.reverseName {
            nameLookup = Task { await reverseName(address) }
        }
    }

    // MARK: Stages

    mutating func connect() async -> SMTPReply? {
        await knowName()
        return reply(await chain.connect(connection), stage: "connect")
    }

    mutating func greet(_ name: String) async -> SMTPReply? {
        await knowName()
        return reply(await chain.helo(name, connection), stage: "helo")
    }

    /// Begins a message; no filter is asked yet.
    mutating func begin(_ sender: EmailAddress?, _ parameters: [String: String]) -> SMTPReply? {
        if let sender, let account, kind != .smtp, !mayWrite(account, as: sender) {
            logRefusal("sender not owned by the account", ["sender": "\(sender)", "account": "\(account.name)"])
            return SMTPReply(553, "5.7.1", "<\(sender)>: Sender address rejected: not owned by user \(account.name)")
        }
        chain.beginMessage()
        transaction = Transaction(id: services.makeID(), connection: connection, helo: helo, sender: EnvelopeSender(sender, parameters: parameters))
        return nil
    }

    mutating func mail() async -> SMTPReply? {
        await knowName()
        guard var current = transaction else { return nil }
        let verdict = await chain.mail(&current)
        let refusal = reply(verdict, stage: "mail", current.id)
        transaction = current
        // The filters before the one that refused have begun a message.
        if refusal != nil { await abort() }
        return refusal
    }

    mutating func rcpt(_ address: EmailAddress, _ parameters: [String: String]) async -> SMTPReply? {
        guard var current = transaction else { return SMTPReply(503, "5.5.1", "Error: need MAIL command") }
        switch await services.recipients.standing(of: address) {
        case .local: break
        case .relay:
            // The one gate against being an open relay.
            guard current.connection.isOriginating else {
                logRefusal("relay access denied", ["recipient": "\(address)"])
                return SMTPReply(554, "5.7.1", "<\(address)>: Relay access denied")
            }
        case .unknown:
            logRefusal("user unknown", ["recipient": "\(address)"])
            return SMTPReply(550, "5.1.1", "<\(address)>: Recipient address rejected: User unknown")
        case .unavailable(let why):
            services.logger.error("recipient look-up failed", metadata: ["recipient": "\(address)", "error": "\(why)"])
            return SMTPReply(451, "4.3.0", "<\(address)>: Temporary lookup failure")
        }
        let recipient = EnvelopeRecipient(address, parameters: parameters)
        if stages.contains(.rcpt) {
            let refusal = reply(await chain.rcpt(recipient, &current), stage: "rcpt", current.id)
            transaction = current
            if let refusal { return refusal }
        }
        // Named twice, it gets one copy, as with Postfix.
        if transaction?.recipients.contains(where: { $0.address == address }) == false { transaction?.recipients.append(recipient) }
        return nil
    }

    mutating func data() async -> SMTPReply? {
        guard var current = transaction else { return nil }
        let refusal = reply(await chain.data(&current), stage: "data", current.id)
        transaction = current
        return refusal
    }

    /// The whole message is here: judge it, and hand it on. May block its thread: runs on the pool.
    mutating func endOfMessage(_ content: ContentCollector, extended: Bool, utf8: Bool) async -> SMTPReply {
        await knowName()
        guard var current = transaction else { return SMTPReply(503, "5.5.1", "Error: need MAIL command") }
        current.connection = connection
        do {
            var message = try content.finish()
            if current.connection.isOriginating { SubmittedHeader.complete(&message.header, id: current.id, configuration.hostname, at: Date()) }
            message.header.fields.insert(ReceivedField.make(current, configuration, extended: extended, utf8: utf8, at: Date()), at: 0)
            current.receive(message)
        } catch MessageAssembler.Failure.headerTooLarge {
            logRefusal("message header too large")
            await abort()
            return SMTPReply(552, "5.3.4", "Error: the message header is larger than \(MessageAssembler.headerLimit) octets")
        } catch {
            services.logger.error("message could not be spooled", metadata: ["id": "\(current.id)", "error": "\(error)"])
            await abort()
            return SMTPReply(452, "4.3.1", "Error: the message could not be kept; try again later")
        }
        transaction = nil
        let verdict = await chain.endOfMessage(&current)
        switch verdict.answer {
        case .continue, .accept: return await services.sink.take(current)
        case .discard:
            log("message discarded", verdict, current.id)
            return SMTPReply(250, "2.0.0", "Ok: queued as \(current.id)")
        case .reject(let reply), .tempfail(let reply):
            log("message refused", verdict, current.id, reply)
            return reply
        }
    }

    /// The message in progress is given up.
    mutating func abort() async {
        guard transaction != nil else { return }
        transaction = nil
        await chain.abort()
    }

    mutating func authenticate(_ mechanism: String, _ user: String, _ password: String) async -> SMTPServerSession.AuthResult {
        switch await services.authenticator.authenticate(user: user, password: password, client: connection.clientAddress) {
        case .success(let account):
            self.account = account
            connection.authenticatedUser = account.name
            connection.authenticationMechanism = mechanism
            return .success
        case .failure:
            services.logger.warning("log-in failed", metadata: ["user": "\(user)", "client": "\(connection.clientAddress?.description ?? "local")", "listener": "\(kind.rawValue)"])
            return .failure
        case .unavailable(let why):
            services.logger.error("log-in could not be checked", metadata: ["error": "\(why)"])
            return .unavailable
        }
    }

    // MARK: Parts

    private mutating func knowName() async {
        guard let nameLookup else { return }
        connection.clientName = await nameLookup.value
        self.nameLookup = nil
        transaction?.connection.clientName = connection.clientName
    }

    private func mayWrite(_ account: Account, as sender: EmailAddress) -> Bool {
        account.owns(sender.folded) || account.owns(sender.splittingDetail(delimiters: configuration.recipientDelimiter).base.folded)
    }

    private func reply(_ verdict: FilterChainSession.Verdict, stage: String, _ id: String = "") -> SMTPReply? {
        switch verdict.answer {
        case .continue, .accept: return nil
        case .reject(let reply), .tempfail(let reply):
            log("\(stage) refused", verdict, id, reply)
            return reply
        // A message without content cannot be taken and thrown away; refusing is the honest form of it before DATA.
        case .discard:
            let refusal = SMTPReply(550, "5.7.1", "Command rejected")
            log("\(stage) refused", verdict, id, refusal)
            return refusal
        }
    }

    /// What we refuse ourselves, before any filter: the line that an operator looks for.
    func logRefusal(_ event: Logger.Message, _ more: Logger.Metadata = [:]) {
        let facts: Logger.Metadata = [
            "id": "\(transaction?.id ?? "")", "client": "\(connection.clientAddress?.description ?? "local")", "helo": "\(helo)",
            "listener": "\(kind.rawValue)", "sender": "<\(transaction?.sender.address?.description ?? "")>",
        ]
        services.logger.info(event, metadata: facts.merging(more) { $1 })
    }

    private func log(_ event: Logger.Message, _ verdict: FilterChainSession.Verdict, _ id: String, _ reply: SMTPReply? = nil) {
        services.logger.info(event, metadata: [
            "id": "\(id)", "client": "\(connection.clientAddress?.description ?? "local")", "filter": "\(verdict.filter ?? "")",
            "reply": "\(reply?.description ?? "")",
        ])
    }
}
