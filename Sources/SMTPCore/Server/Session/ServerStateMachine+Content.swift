import InternetMessage

/// DATA (RFC 5321 §4.1.1.4) and BDAT (RFC 3030).
extension ServerStateMachine {
    mutating func takeDataCommand() -> [ServerAction] {
        guard let mail else { return respond(ServerReplies.needMail) }
        guard !mail.isChunked else { return respond(ServerReplies.mixedData) }
        guard mail.recipients > 0 else { return respond(ServerReplies.noRecipients) }
        return ask(.content, .data)
    }

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
            actions += finishContent(decoder.defect)
        } else if let excess = excess() {
            actions += excess
        }
        return (step.consumed, actions)
    }

    mutating func takeChunkCommand(_ count: Int, _ last: Bool) -> [ServerAction] {
        guard let mail else { return refuseChunk(count, last, ServerReplies.needMail) }
        guard mail.recipients > 0 else { return refuseChunk(count, last, ServerReplies.noRecipients) }
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
        if let defect = lineEnds.defect { return finishContent(defect) }
        if reader.isLast { return finishContent(nil) }
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

    private mutating func finishContent(_ defect: LineDefect?) -> [ServerAction] {
        // Who sends such lines may mean another end of the message than we do, so nothing behind it is believed.
        if let defect { return end(ServerReplies.damaged(defect)) }
        if let refusal = mail?.refusal {
            let abort = dropMail()
            return abort + respond(refusal)
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
        mail = nil
        switch answer {
        case .reply(let reply), .no(let reply):
            if reply.isPositive { forgive() }
            return respond(reply)
        case .yes:
            forgive()
            return respond(ServerReplies.ok)
        }
    }
}
