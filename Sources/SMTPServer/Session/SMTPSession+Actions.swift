import BlockingPool
import InternetMessage
import Milter
import NIOCore
import SMTPCore
import TLS

/// Octets in, actions out.
extension SMTPSession {
    /// Gives the machine what has been received, as far as it takes it.
    func process() {
        guard !isProcessing, hasStarted, !isOver else { return }
        isProcessing = true
        while inbound.readableBytes > 0, !isClosing, !isSpilling, context?.channel.isWritable == true {
            let (consumed, actions) = inbound.withUnsafeReadableBytes { machine.take($0) }
            if consumed == 0, actions.isEmpty { break }
            if consumed > 0 { lastProgress = context?.eventLoop.now ?? lastProgress }
            let base = inbound.readerIndex
            inbound.moveReaderIndex(forwardBy: consumed)
            perform(actions, base: base)
        }
        // An idle connection holds no buffer.
        if inbound.readableBytes == 0 { inbound = ByteBuffer() }
        isProcessing = false
        flushReplies()
        if wantsRead, !isPaused, let context {
            wantsRead = false
            context.read()
        }
    }

    /// - Parameter base: where in ``inbound`` the octets began that the actions speak of.
    func perform(_ actions: [ServerAction], base: Int) {
        for (index, action) in actions.enumerated() {
            switch action {
            case .send(let reply): outbound.writeString(reply.wire)
            case .content(let range): take(base + range.lowerBound, range.count)
            case .ask(let question): ask(question)
            case .abort: abort(because: Self.refusal(after: index, in: actions))
            case .startTLS: startTLS()
            case .close: closeWhenSent(linger: true)
            }
        }
        contentBegan = machine.isReceivingContent ? contentBegan ?? context?.eventLoop.now : nil
    }

    /// Why a message is given up: the reply that goes out next, when it refuses.
    private static func refusal(after index: Int, in actions: [ServerAction]) -> SMTPReply? {
        guard index + 1 < actions.count, case .send(let reply) = actions[index + 1], !reply.isPositive else { return nil }
        return reply
    }

    private func take(_ start: Int, _ count: Int) {
        contentOctets += count
        guard let content else { return }
        do {
            let wantsSpill = try inbound.withVeryUnsafeBytes { all in
                try content.append(UnsafeRawBufferPointer(rebasing: all[start..<(start + count)]))
            }
            // At its end finish() spills what is left.
            if wantsSpill, machine.isReceivingContent { spill(content) }
        } catch {
            refuseContent(SMTPReply(552, "5.3.4", "Error: message header is too large"))
        }
    }

    /// Moves the body so far to a file, on the pool; until that is done nothing is taken or read.
    private func spill(_ content: IncomingContent) {
        guard !isSpilling, let context else { return }
        isSpilling = true
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let (loop, pool) = (context.eventLoop, environment.pool)
        Task {
            let result = await Result { try await pool.run { try content.spill() } }
            loop.execute { bound.value.spilled(result) }
        }
    }

    private func spilled(_ result: Result<Void, any Error>) {
        isSpilling = false
        lastProgress = context?.eventLoop.now ?? lastProgress
        if case .failure(let error) = result {
            environment.logger.error("body cannot be spooled: \(error)")
            refuseContent(SMTPReply(452, "4.3.1", "Insufficient system storage"))
        }
        process()
    }

    /// Keeps the content no longer. The machine replies at its end, or, when the end came in the same piece, `judge()`.
    private func refuseContent(_ reply: SMTPReply) {
        content = nil
        contentRefusal = reply
        machine.refuseContent(reply)
    }

    /// Forgets the message in progress and tells the filters.
    /// - Parameter reply: what refused it; nil when the client gave it up.
    func abort(because reply: SMTPReply? = nil) {
        content = nil
        guard filters.transaction != nil else { return }
        noteGivenUp(reply)
        filters.endMessage()
        guard !filters.isEmpty else { return }
        let (chain, before) = (filters.chain, cleanup)
        cleanup = startAtOnce {
            await before?.value
            await chain.abort()
        }
    }

    /// For the message's record.
    func noteGivenUp(_ reply: SMTPReply?) {
        guard let observer = environment.observer else { return }
        // The last word of a filter concerns this reply only when it was about the message.
        let refusal = filters.refusedBy.flatMap { $0.stage == .rcpt ? nil : $0 }
        let end = if let reply { filters.end(.refused(reply), stage: refusal?.stage, filter: refusal?.filter) } else { filters.end(.abandoned) }
        if let end { observer.ended(end) }
    }

    private func startTLS() {
        guard let context, let tlsContext else { return closeWhenSent(linger: false) }
        flushReplies()
        inbound = ByteBuffer()
        isHandshaking = true
        do {
            try context.pipeline.syncOperations.addHandler(try TLSHandler(server: tlsContext), position: .first)
        } catch {
            environment.logger.error("STARTTLS: \(error)")
            context.close(promise: nil)
        }
    }

    func flushReplies() {
        guard outbound.readableBytes > 0, let context else { return }
        let replies = outbound
        outbound = ByteBuffer()
        context.writeAndFlush(wrapOutboundOut(replies), promise: nil)
    }

    /// Sends what is left and closes. Octets that were never read make the system reset the connection, and the last
    /// reply is lost; so, with `linger`, the sending side is closed first, and the rest when the client has seen it.
    func closeWhenSent(linger: Bool) {
        guard let context, !isOver else { return }
        isClosing = true
        let isPlainQuit = inbound.readableBytes == 0
        inbound = ByteBuffer()
        timer?.cancel()
        let replies = outbound
        outbound = ByteBuffer()
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        // However it goes, this is the end.
        timer = context.eventLoop.scheduleTask(in: .seconds(5)) { bound.value.close(promise: nil) }
        context.writeAndFlush(wrapOutboundOut(replies)).assumeIsolated().whenComplete { _ in
            if linger, !isPlainQuit { context.close(mode: .output, promise: nil) } else { context.close(promise: nil) }
        }
        if wantsRead {
            wantsRead = false
            context.read()
        }
    }
}

extension Result where Failure == any Error {
    init(_ work: () async throws -> Success) async {
        do { self = .success(try await work()) } catch { self = .failure(error) }
    }
}
