import InternetMessage
import Milter
import NIOCore
import NetworkAddress

/// One client connection as a foreign milter sees it. The chain calls it one stage at a time.
///
/// Once the milter has failed, the default action holds for the rest of the connection, as in Postfix.
actor MilterClientSession: FilterSession {
    private let configuration: MilterClientConfiguration
    private let group: any EventLoopGroup
    private let health: MilterHealth
    private var link: MilterConnection?
    private var terms = MilterTerms()
    private var macros: MilterMacros
    private var isBroken = false
    private var inMessage = false

    init(configuration: MilterClientConfiguration, group: any EventLoopGroup, health: MilterHealth) {
        self.configuration = configuration
        self.group = group
        self.health = health
        macros = MilterMacros(hostname: configuration.hostname)
    }

    // MARK: Stages

    func connect(_ connection: ConnectionFacts) async -> FilterAnswer {
        await guarded {
            let link = try await MilterConnection.open(configuration, group: group)
            self.link = link
            terms = try await MilterTerms.negotiate(link, configuration)
            health.worked()
            macros.connection = connection
            return try await ask(.connect, MilterStatements.connect(connection), skip: .noConnect, silent: .noConnectReply)
        }
    }

    func helo(_ name: String, _ connection: ConnectionFacts) async -> FilterAnswer {
        await guarded {
            macros.connection = connection
            return try await ask(.helo, MilterStatements.helo(name), skip: .noHelo, silent: .noHeloReply)
        }
    }

    func mail(_ transaction: inout Transaction) async -> FilterAnswer {
        macros.begin(transaction)
        inMessage = true
        let sender = transaction.sender
        return await guarded { try await ask(.mail, MilterStatements.mail(sender), skip: .noMail, silent: .noMailReply) }
    }

    func rcpt(_ recipient: EnvelopeRecipient, _ transaction: inout Transaction) async -> FilterAnswer {
        macros.recipient = recipient
        return await guarded { try await ask(.rcpt, MilterStatements.rcpt(recipient), skip: .noRcpt, silent: .noRcptReply) }
    }

    func data(_ transaction: inout Transaction) async -> FilterAnswer {
        // Version 4 of the protocol brought DATA.
        guard terms.version >= 4 else { return .continue }
        return await guarded { try await ask(.data, MilterPacketWriter(.data).finish(), skip: .noData, silent: .noDataReply) }
    }

    func endOfMessage(_ transaction: inout Transaction) async -> FilterAnswer {
        var content = MilterContent(transaction)
        let answer = await guarded {
            guard let link else { throw MilterClientError.closed }
            return try await content.send(over: link, terms, configuration, macros)
        }
        inMessage = false
        guard !answer.isNegative else { return answer }
        if isBroken, configuration.defaultAction == .quarantine { transaction.apply(.quarantine("milter \(configuration.address) could not be asked")) }
        for change in content.changes { transaction.apply(change) }
        return answer
    }

    func abort() async {
        guard inMessage, !isBroken, let link else { return }
        inMessage = false
        try? await link.send([MilterPacketWriter(.abort).finish()])
    }

    func close() async {
        guard let link else { return }
        self.link = nil
        if !isBroken { try? await link.send([MilterPacketWriter(.quit).finish()]) }
        link.close()
    }

    // MARK: Asking

    private func ask(_ stage: MilterCommandCode, _ statement: [UInt8], skip: MilterProtocolFlags, silent: MilterProtocolFlags) async throws -> FilterAnswer {
        guard let link else { throw MilterClientError.closed }
        guard !terms.flags.contains(skip) else { return .continue }
        try await link.send([macros.packet(for: stage, terms)].compactMap { $0 } + [statement])
        guard !terms.flags.contains(silent) else { return .continue }
        return try MilterStatements.answer(await link.next(within: configuration.commandTimeout, "\(stage)"))
    }

    private func guarded(_ work: () async throws -> FilterAnswer) async -> FilterAnswer {
        if isBroken { return defaultAnswer }
        do { return try await work() } catch {
            isBroken = true
            link?.close()
            health.failed(error, configuration.defaultAction)
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
