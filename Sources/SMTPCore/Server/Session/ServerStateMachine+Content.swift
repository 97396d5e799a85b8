import InternetMessage

/// DATA (RFC 5321 §4.1.1.4) and BDAT (RFC 3030).
extension ServerStateMachine {
    mutating func takeDataCommand() -> [ServerAction] {
        guard let mail else { return respond(ServerReplies.needMail) }
        guard !mail.isChunked else { return respond(ServerReplies.mixedData) }
        guard mail.recipients > 0 else { return respond(noRecipients) }
        return ask(.content, .data)
    }

    private var noRecipients: SMTPReply { isLMTP ? ServerReplies.noLMTPRecipients : ServerReplies.noRecipients }

    mutating func answerData(_ answer: ServerAnswer) -> [ServerAction] {
        if case .no(let reply) = answer {
            let abort = dropMail()
            return abort + respond(reply)
        }
        input = .data(DataDecoder())
        return [.send(ServerReplies.startData)]
    }

    mutating func takeData(_ bytes: UnsafeRawBufferPointer, _ decoder: DataDecoder) -> (consumed: Int, actions: [ServerAction]) {
        var decoder = decoder
        let step = decoder.decode(bytes)
        input = .data(decoder)
        var actions = take(step.content)
        if step.ended {
            input = .command
            actions += finishContent(decoder.defect, isFinal: true)
        } else if let excess = excess() {
            actions += excess
        }
        return (step.consumed, actions)
    }

    mutating func takeChunkCommand(_ count: Int, _ last: Bool) -> [ServerAction] {
        guard let mail else { return refuseChunk(count, last, ServerReplies.needMail) }
        guard mail.recipients > 0 else { return refuseChunk(count, last, noRecipients) }
        guard !mail.failed else { return refuseChunk(count, last, ServerReplies.chunkAfterFailure) }
        // The sum is safe: a count has at most 18 digits.
        if mail.octets + count > settings.messageSizeLimit { self.mail?.refusal = mail.refusal ?? ServerReplies.tooLarge }
        guard !mail.isChunked else { return beginChunk(count, last) }
        self.mail?.isChunked = true
        return ask(.content, .chunk(count: count, last: last))
    }

    mutating func answerChunk(_ count: Int, _ last: Bool, _ answer: ServerAnswer) -> [ServerAction] {
        guard case .no(let reply) = answer else { return beginChunk(count, last) }
        return refuseChunk(count, last, reply)
    }

    /// RFC 3030 §2: the octets of a refused chunk come all the same; the reply goes out after them.
    private mutating func refuseChunk(_ count: Int, _ last: Bool, _ reply: SMTPReply) -> [ServerAction] {
        guard count <= patience else { return end(reply) }
        guard mail != nil else {
            guard count > 0 else { return respond(reply) }
            input = .chunk(ChunkReader(count: count, isLast: false, lineEnds: LineEndCheck()))
            strayChunkReply = reply
            return []
        }
        mail?.isChunked = true
        mail?.refusal = reply
        return beginChunk(count, last)
    }

    private mutating func beginChunk(_ count: Int, _ last: Bool) -> [ServerAction] {
        guard count <= patience else { return end(ServerReplies.tooLarge) }
        let reader = ChunkReader(count: count, isLast: last, lineEnds: mail?.lineEnds ?? LineEndCheck())
        guard count > 0 else { return finishChunk(reader) }
        input = .chunk(reader)
        return []
    }

    mutating func takeChunk(_ bytes: UnsafeRawBufferPointer, _ reader: ChunkReader) -> (consumed: Int, actions: [ServerAction]) {
        var reader = reader
        let count = reader.take(bytes)
        input = .chunk(reader)
        var actions = take([0..<count])
        if reader.remaining == 0 {
            actions += finishChunk(reader)
        } else if let excess = excess() {
            actions += excess
        }
        return (count, actions)
    }

    private mutating func finishChunk(_ reader: ChunkReader) -> [ServerAction] {
        input = .command
        if let reply = strayChunkReply {
            strayChunkReply = nil
            return respond(reply)
        }
        var lineEnds = reader.lineEnds
        if reader.isLast { lineEnds.finish() }
        mail?.lineEnds = lineEnds
        if let defect = lineEnds.defect { return finishContent(defect, isFinal: reader.isLast) }
        if reader.isLast { return finishContent(nil, isFinal: true) }
        if let refusal = mail?.refusal {
            mail?.failed = true
            return respond(refusal)
        }
        return respond(SMTPReply(250, "2.0.0", "Ok: \(mail?.octets ?? 0) octets so far"))
    }

    /// Counts content; hands it on unless it is refused already.
    private mutating func take(_ ranges: [Range<Int>]) -> [ServerAction] {
        guard mail != nil else { return [] }
        for range in ranges { mail?.octets += range.count }
        if let octets = mail?.octets, octets > settings.messageSizeLimit { refuseContent(ServerReplies.tooLarge) }
        guard mail?.refusal == nil else { return [] }
        return ranges.map { .content($0) }
    }

    /// How much is read over for the sake of a proper reply.
    private var patience: Int { min(settings.messageSizeLimit, 1 << 60) * 2 + (1 << 20) }

    private mutating func excess() -> [ServerAction]? {
        guard let mail, mail.octets > patience else { return nil }
        return end(mail.refusal ?? ServerReplies.tooLarge)
    }

    /// - Parameter isFinal: whether the message ends here, so that LMTP owes a reply for each recipient.
    private mutating func finishContent(_ defect: LineDefect?, isFinal: Bool) -> [ServerAction] {
        let due = isFinal ? repliesDue : 1
        // Who sends such lines may mean another end of the message than we do, so nothing behind it is believed.
        if let defect { return end(ServerReplies.damaged(defect), times: due) }
        if let refusal = mail?.refusal {
            let abort = dropMail()
            return abort + respond(Array(repeating: refusal, count: due))
        }
        return ask(.message, .message)
    }

    /// A message taken pays for earlier mistakes, as with Postfix: a peer that keeps its connection for many messages is
    /// not sent away for the sum of them.
    private mutating func forgive() {
        junk = 0
        errors = 0
    }

    mutating func answerMessage(_ answer: ServerAnswer) -> [ServerAction] {
        let replies = replies(from: answer, due: repliesDue)
        mail = nil
        if replies.contains(where: \.isPositive) { forgive() }
        return respond(replies)
    }

    /// Replies that the end of the message asks for: RFC 2033 §4.2 wants one for each accepted RCPT, also at BDAT LAST
    /// (§4.3); a message that a refused BDAT began may have none.
    private var repliesDue: Int { isLMTP ? max(mail?.recipients ?? 1, 1) : 1 }

    private func replies(from answer: ServerAnswer, due: Int) -> [SMTPReply] {
        switch answer {
        case .yes: Array(repeating: ServerReplies.ok, count: due)
        case .reply(let reply), .no(let reply): Array(repeating: reply, count: due)
        // A client counts on the number: one too few and every later reply would be taken for another command's.
        case .replies(let replies) where replies.count == due: replies
        case .replies, .keys: Array(repeating: SMTPReply(451, "4.3.0", "Error: internal error"), count: due)
        }
    }

    /// The replies to one message: at most one error is counted.
    private mutating func respond(_ replies: [SMTPReply]) -> [ServerAction] {
        guard let last = replies.last else { return [] }
        let failed = replies.dropLast().contains { $0.code >= 400 } && last.code < 400
        if failed { errors += 1 }
        return replies.dropLast().map { .send(takesUTF8 ? $0 : $0.inASCII) } + respond(last)
    }
}
