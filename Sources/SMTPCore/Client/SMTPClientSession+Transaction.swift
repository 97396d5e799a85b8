import InternetMessage

/// One mail transaction (RFC 5321 §3.3), pipelined where offered (RFC 2920).
extension SMTPClientSession {
    /// Begins a transaction; only after ``Action/ready(_:)`` or ``Action/finished(_:)``.
    public mutating func begin(_ transaction: ClientTransaction) -> [Action] {
        guard state == .ready else { return [] }
        work = TransactionWork()
        work.transaction = transaction
        work.outcomes = Array(repeating: nil, count: transaction.recipients.count)
        decideImpossible()
        let open = work.outcomes.indices.filter { work.outcomes[$0] == nil }
        guard !open.isEmpty else { return finish() }
        state = .transaction
        work.toSend = (needsReset ? [.reset] : []) + [.mail] + open.map { .recipient($0) } + (usesChunks ? [] : [.data])
        needsReset = false
        return sendCommands()
    }

    /// BDAT saves the round trip of DATA. Not for LMTP, whose servers seldom have it.
    private var usesChunks: Bool { extensions.chunking && configuration.chunking && !configuration.speaksLMTP }

    /// Decides what need not be asked: the server has said that it cannot take this message.
    private mutating func decideImpossible() {
        let message = work.transaction
        let unsafe = message.recipients.indices.filter { !ClientCommand.isSafe(message.recipients[$0].address) }
        work.decide(.impossible(status: "5.1.3", text: "the address has control characters"), for: unsafe)
        if let sender = message.sender, !ClientCommand.isSafe(sender) {
            work.decideAll(.impossible(status: "5.1.7", text: "the sender's address has control characters"))
        }
        if message.requireTLS, !isSecure || !extensions.requireTLS {
            // RFC 8689 §4.2.1: no way on without it.
            work.decideAll(.impossible(status: "5.7.30", text: "REQUIRETLS was asked for and the server does not support it"))
        }
        if !extensions.smtpUTF8 {
            let text = "the message needs SMTPUTF8 and the server does not offer it"
            let some = message.recipients.indices.filter { messageNeedsSMTPUTF8 || message.recipients[$0].address.needsSMTPUTF8 }
            work.decide(.impossible(status: "5.6.7", text: text), for: some)
        }
        if !extensions.eightBitMIME, message.headerIs8Bit || message.bodyIs8Bit {
            work.decideAll(.impossible(status: "5.6.3", text: "the message has 8-bit content and the server does not offer 8BITMIME"))
        }
        if let limit = extensions.sizeLimit, message.byteCount > limit {
            work.decideAll(.impossible(status: "5.3.4", text: "the message has \(message.byteCount) octets, the server takes \(limit)"))
        }
    }

    /// As Postfix, the declaration counts only where there is something internationalised (RFC 6531 §3.4).
    private var messageNeedsSMTPUTF8: Bool {
        let message = work.transaction
        return message.sender?.needsSMTPUTF8 == true || (message.smtpUTF8 && message.headerIs8Bit)
    }

    /// Sends what may be sent now: everything when pipelining, else one command at a time.
    private mutating func sendCommands() -> [Action] {
        var bytes: [UInt8] = []
        while let step = work.toSend.first, extensions.pipelining || work.outstanding.isEmpty {
            work.toSend.removeFirst()
            work.outstanding.append(step)
            bytes += ClientCommand.line(text(of: step))
        }
        return (bytes.isEmpty ? [] : [.send(bytes)]) + deadline()
    }

    private func text(of step: TransactionWork.Step) -> String {
        switch step {
        case .reset: "RSET"
        case .mail: ClientCommand.mail(work.transaction, extensions, smtpUTF8: extensions.smtpUTF8 && needsSMTPUTF8)
        case .recipient(let index): ClientCommand.recipient(work.transaction.recipients[index], extensions)
        case .data: "DATA"
        }
    }

    private var needsSMTPUTF8: Bool {
        messageNeedsSMTPUTF8 || work.transaction.recipients.contains { $0.address.needsSMTPUTF8 }
    }

    private func deadline() -> [Action] {
        switch (work.phase, work.outstanding.first) {
        case (.commands, .reset): [.deadline(configuration.timeouts.hello)]
        case (.commands, .mail): [.deadline(configuration.timeouts.mail)]
        case (.commands, .recipient): [.deadline(configuration.timeouts.recipient)]
        case (.commands, _): [.deadline(configuration.timeouts.dataInitiation)]
        case (.content, _): [.deadline(configuration.timeouts.dataBlock)]
        case (.verdict, _), (.emptyVerdict, _): [.deadline(configuration.timeouts.dataTermination)]
        }
    }

    mutating func takeInTransaction(_ reply: SMTPReply) -> [Action] {
        work.hasHeard = true
        return switch work.phase {
        case .commands: takeCommandReply(reply)
        // A refusal while the content still flows: the stream cannot be stopped in order, so the connection goes.
        case .content: work.chunks > 0 ? takeChunkReply(reply) : takeEarlyVerdict(reply)
        case .verdict: work.chunks > 1 ? takeChunkReply(reply) : takeVerdict(reply)
        case .emptyVerdict: finish()
        }
    }

    private mutating func takeCommandReply(_ reply: SMTPReply) -> [Action] {
        guard !work.outstanding.isEmpty else { return fail(.protocolError(at: stage, "a reply to no command: \(reply)")) }
        switch work.outstanding.removeFirst() {
        case .reset:
            guard reply.code == 250 else { return fail(.refused(at: "RSET", reply)) }
        case .mail: takeMail(reply)
        case .recipient(let index): takeRecipient(index, reply)
        case .data: return takeData(reply)
        }
        // Not pipelined: DATA has not been sent yet, and need not be when nobody is left.
        if !work.hasUndecided, work.outstanding.isEmpty { return finish() }
        // With chunks nothing follows the recipients but the content.
        if work.outstanding.isEmpty, work.toSend.isEmpty { return startContent(.chunks) }
        return sendCommands()
    }

    private mutating func takeMail(_ reply: SMTPReply) {
        if (200..<300).contains(reply.code) {
            needsReset = true
        } else {
            work.decideAll(refusal(reply))
        }
    }

    private mutating func takeRecipient(_ index: Int, _ reply: SMTPReply) {
        if (200..<300).contains(reply.code) {
            if work.outcomes[index] == nil { work.accepted.append(index) }
        } else if reply.code == 552, !work.accepted.isEmpty {
            // RFC 5321 §4.5.3.1.10: 552 for too many recipients means 452.
            work.decide(.refused(SMTPReply(452, "4.5.3", lines: reply.lines)), for: [index])
        } else {
            work.decide(refusal(reply), for: [index])
        }
    }

    private mutating func takeData(_ reply: SMTPReply) -> [Action] {
        guard reply.code == 354 else {
            work.decideAll(refusal(reply))
            return finish()
        }
        guard work.hasUndecided else {
            // RFC 2920 §3.1: the server waits for a message that nobody is to get.
            work.phase = .emptyVerdict
            return [.send([46, 13, 10])] + deadline()
        }
        return startContent(.dots)
    }

    private mutating func startContent(_ form: ContentForm) -> [Action] {
        work.phase = .content
        work.chunks = 0
        work.owed = configuration.speaksLMTP ? work.accepted.filter { work.outcomes[$0] == nil } : []
        return [.sendContent(form)] + deadline()
    }

    /// A chunk that is not the last is about to go to the transport.
    public mutating func chunkSent() -> [Action] {
        guard state == .transaction, work.phase == .content else { return [] }
        work.chunks += 1
        return deadline()
    }

    /// RFC 3030 §2: 250 for each chunk; after a refusal the transaction is as good as over.
    private mutating func takeChunkReply(_ reply: SMTPReply) -> [Action] {
        guard (200..<300).contains(reply.code) else { return takeEarlyVerdict(reply) }
        work.chunks -= 1
        return deadline()
    }

    /// A piece of the content was taken: the next may take its time again.
    public mutating func contentProgressed() -> [Action] {
        state == .transaction && work.phase == .content ? deadline() : []
    }

    /// The last piece of the content, with the final dot, is about to go to the transport: call it before, not after, for the
    /// server's verdict may come at once.
    public mutating func contentSent() -> [Action] {
        guard state == .transaction, work.phase == .content else { return [] }
        work.phase = .verdict
        if work.chunks > 0 || usesChunks { work.chunks += 1 }
        return deadline()
    }

    private mutating func takeEarlyVerdict(_ reply: SMTPReply) -> [Action] {
        guard reply.isPermanent || reply.isTransient else { return fail(.protocolError(at: stage, "a reply before the end of data: \(reply)")) }
        work.decideAll(.refused(reply))
        return fail(.refused(at: "the content", reply))
    }

    private mutating func takeVerdict(_ reply: SMTPReply) -> [Action] {
        // RFC 3030 §2: after a chunk that was refused the server's state is not known.
        needsReset = work.chunks > 0 && !(200..<300).contains(reply.code)
        // RFC 2033 §4.2: LMTP answers for each recipient, in the order of RCPT.
        if !work.owed.isEmpty {
            work.decide((200..<300).contains(reply.code) ? .accepted(reply) : refusal(reply), for: [work.owed.removeFirst()])
            return work.owed.isEmpty ? finish() : deadline()
        }
        work.decideAll((200..<300).contains(reply.code) ? .accepted(reply) : refusal(reply))
        return finish()
    }

    /// A reply that is neither what was hoped for nor a refusal is a protocol error, which time may cure.
    private func refusal(_ reply: SMTPReply) -> RecipientOutcome {
        reply.isTransient || reply.isPermanent ? .refused(reply) : .lost(.protocolError(at: stage, "unexpected reply \(reply)"))
    }

    private mutating func finish() -> [Action] {
        state = .ready
        if work.phase == .emptyVerdict { needsReset = false }
        let report = work.report(undecided: .lost(.protocolError(at: "the end", "no outcome")), serverNotifies: extensions.dsn)
        return [.noDeadline, .finished(report)]
    }
}
