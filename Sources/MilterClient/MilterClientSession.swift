import InternetMessage
import Milter
import NIOCore

/// One client connection as a foreign milter sees it. The chain calls it one stage at a time.
///
/// Reads message bodies from their file where it stands: the servers ask their filters on a blocking pool, whose tasks
/// run default actors on its threads as well.
actor MilterClientSession: FilterSession {
    private let configuration: MilterClientConfiguration
    private let group: any EventLoopGroup
    private let health: MilterHealth
    private var link: MilterConnection?
    private var terms = MilterTerms()
    private var macros: MilterMacros
    /// The answer to everything from now on: the default action once the milter has failed, as in Postfix, or its refusal
    /// of the connection (at connect or HELO).
    private var standing: FilterAnswer?
    private var isBroken = false
    /// MAIL was said and neither the end of the message nor ABORT.
    private var inMessage = false
    /// The milter wants no more recipients of this message (SMFIR_SKIP).
    private var skipsRecipients = false

    init(configuration: MilterClientConfiguration, group: any EventLoopGroup, health: MilterHealth) {
        self.configuration = configuration
        self.group = group
        self.health = health
        macros = MilterMacros(hostname: configuration.hostname)
    }

    // MARK: Stages

    func connect(_ connection: ConnectionFacts) async -> FilterAnswer {
        await close()
        standing = nil
        isBroken = false
        macros.connection = connection
        return await guarded(.negotiation) {
            let link = try await MilterConnection.open(configuration, group: group)
            self.link = link
            terms = try await MilterTerms.negotiate(link, configuration)
            health.worked(at: .negotiation)
            return try await ofConnection(ask(.connect, MilterStatements.connect(connection), skip: .noConnect, silent: .noConnectReply))
        }
    }

    func helo(_ name: String, _ connection: ConnectionFacts) async -> FilterAnswer {
        macros.connection = connection
        return await guarded(.negotiation) {
            try await ofConnection(ask(.helo, MilterStatements.helo(name), skip: .noHelo, silent: .noHeloReply))
        }
    }

    func mail(_ transaction: inout Transaction) async -> FilterAnswer {
        // The message before may have ended without us: refused by another filter, or accepted early by this milter.
        await abort()
        macros.begin(transaction)
        inMessage = true
        skipsRecipients = false
        let sender = transaction.sender
        return await guarded { try await ask(.mail, MilterStatements.mail(sender), skip: .noMail, silent: .noMailReply) }
    }

    func rcpt(_ recipient: EnvelopeRecipient, _ transaction: inout Transaction) async -> FilterAnswer {
        macros.recipient = recipient
        if skipsRecipients, standing == nil { return .continue }
        return await guarded { try await ask(.rcpt, MilterStatements.rcpt(recipient), skip: .noRcpt, silent: .noRcptReply) }
    }

    func data(_ transaction: inout Transaction) async -> FilterAnswer {
        await guarded {
            // Version 4 of the protocol brought DATA.
            guard terms.version >= 4 else { return .continue }
            return try await ask(.data, MilterPacketWriter(.data).finish(), skip: .noData, silent: .noDataReply)
        }
    }

    func unknownCommand(_ line: String) async -> FilterAnswer {
        await guarded {
            // Version 3 of the protocol brought it.
            guard terms.version >= 3 else { return .continue }
            return try await ask(.unknown, MilterStatements.unknown(line), skip: .noUnknown, silent: .noUnknownReply)
        }
    }

    func endOfMessage(_ transaction: inout Transaction) async -> FilterAnswer {
        var content = MilterContent(transaction, terms)
        let answer = await guarded {
            guard let link else { throw MilterClientError.closed }
            return try await content.send(over: link, configuration, macros)
        }
        // An answer before the end leaves the milter in the middle of the message.
        if content.isComplete { inMessage = false } else { await abort() }
        if isBroken {
            // Changes of a milter that did not come to its end are not made by half.
            if configuration.defaultAction == .quarantine { transaction.apply(.quarantine("milter \(configuration.address) could not be asked")) }
            return answer
        }
        if standing == nil { health.worked(at: .message) }
        if !answer.isNegative { for change in content.changes { transaction.apply(change) } }
        return answer
    }

    func abort() async {
        guard inMessage else { return }
        inMessage = false
        guard standing == nil, let link else { return }
        _ = await guarded {
            try await link.send([MilterPacketWriter(.abort).finish()], within: configuration.commandTimeout)
            return .continue
        }
    }

    func close() async {
        link?.close(saying: isBroken ? nil : MilterPacketWriter(.quit).finish())
        link = nil
        inMessage = false
    }

    // MARK: Asking

    private func ask(_ stage: MilterCommandCode, _ statement: [UInt8], skip: MilterProtocolFlags, silent: MilterProtocolFlags) async throws -> FilterAnswer {
        guard let link else { throw MilterClientError.closed }
        // Macros go out even where the event does not, as with Postfix: later stages may look them up.
        let isSkipped = terms.flags.contains(skip)
        let packets = [macros.packet(for: stage, terms), isSkipped ? nil : statement].compactMap { $0 }
        if !packets.isEmpty { try await link.send(packets, within: configuration.commandTimeout) }
        guard !isSkipped, !terms.flags.contains(silent) else { return .continue }
        let reply = try await link.next(within: configuration.commandTimeout, "\(stage)")
        if reply == .skip, stage == .rcpt { skipsRecipients = true }
        if reply == .shutdown { standing = try MilterStatements.answer(reply) }
        return try MilterStatements.answer(reply)
    }

    /// An answer at connect or HELO holds for the connection; there is no message yet that could be thrown away.
    private func ofConnection(_ answer: FilterAnswer) throws -> FilterAnswer {
        if answer == .discard { throw MilterClientError.babble("it discards before there is a message") }
        if answer.isNegative { standing = answer }
        return answer
    }

    private func guarded(_ depth: MilterHealth.Depth = .message, _ work: () async throws -> FilterAnswer) async -> FilterAnswer {
        if let standing { return standing }
        do { return try await work() } catch {
            isBroken = true
            standing = defaultAnswer
            link?.close()
            health.failed(error, at: depth, configuration.defaultAction)
            return defaultAnswer
        }
    }

    private var defaultAnswer: FilterAnswer {
        switch configuration.defaultAction {
        // Held at end of message: the mail itself goes on until then.
        case .accept, .quarantine: .continue
        case .reject: .reject(SMTPReply(550, "5.5.0", "Service unavailable"))
        case .tempfail: .tempfail(SMTPReply(451, "4.7.1", "Service unavailable - try again later"))
        }
    }
}
