import InternetMessage
import Logging
import NIOCore
import SMTPCore
import TLS

/// Asks a session to end: at once when it is idle, else after the message in progress.
struct ServerShutsDown: Sendable {}

/// The shell between a channel and ``SMTPServerSession``: frames octets, writes replies, keeps the timer, and runs the
/// questions of the state machine as tasks. While a question is open nothing is read, so nothing piles up.
final class SMTPHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Mode { case commands, data, chunk(left: Int, last: Bool, total: Int), skip(left: Int, SMTPReply), overlong, closed }

    /// RFC 5321 §4.5.3.1.4's 512 octets, and what the extensions add (RFC 4954 §4: 12,288 for AUTH lines).
    private static let lineLimit = 12_288

    private let tls: TLSContext?
    private let logger: Logger
    private let configuration: SMTPServerConfiguration
    private var waitsForTLS: Bool
    private var session: SMTPServerSession
    /// nil while a task has it.
    private var conversation: Conversation?
    private var mode = Mode.commands
    private var input = ByteBuffer()
    private var decoder = DataDecoder()
    private var content: ContentCollector?
    private var fits = true
    private var busy = false
    private var shuttingDown = false
    private var timer: Scheduled<Void>?
    private var lastActivity = NIODeadline.now()

    init(_ conversation: Conversation, rules: SMTPServerRules, tls: TLSContext?, isTLS: Bool) {
        self.conversation = conversation
        self.tls = tls
        logger = conversation.services.logger
        session = SMTPServerSession(rules, isTLS: isTLS)
        configuration = conversation.configuration
        waitsForTLS = isTLS
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastActivity = .now()
        var buffer = unwrapInboundIn(data)
        if input.readableBytes == 0 { input = buffer } else {
            // Else a client that always leaves a part of a line behind would make it grow without end.
            input.discardReadBytes()
            input.writeBuffer(&buffer)
        }
        process(context)
    }

    /// A client that sends commands and never reads the replies is not read from until it does.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        readMore(context)
        context.fireChannelWritabilityChanged()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.flush()
        readMore(context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let done = event as? TLSHandshakeCompleted {
            tlsStarted(context, done.info)
        } else if event is ServerShutsDown {
            shuttingDown = true
            leaveIfIdle(context)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        logger.debug("connection error", metadata: ["error": "\(error)"])
        context.close(promise: nil)
    }

    // MARK: Begin and end

    private func begin(_ context: ChannelHandlerContext) {
        guard timer == nil else { return }
        startTimer(context, configuration.timeout)
        if !waitsForTLS { greet(context) }
        readMore(context)
    }

    private func greet(_ context: ChannelHandlerContext) {
        guard conversation?.stages.contains(.connect) == true else {
            write(session.greeting, context)
            return context.flush()
        }
        ask(context, { await $0.connect() }) { handler, context, refusal in
            if let refusal { return handler.writeAndClose(Self.greeting(refusing: refusal), context) }
            handler.write(handler.session.greeting, context)
        }
    }

    /// RFC 5321 §3.1 and §3.8: 554 refuses for good, 421 for now; a client bounces its mail at the one, not at the other.
    private static func greeting(refusing refusal: SMTPReply) -> SMTPReply {
        SMTPReply(refusal.isPermanent ? 554 : 421, refusal.enhancedCode, lines: refusal.lines)
    }

    private func tlsStarted(_ context: ChannelHandlerContext, _ info: TLSSessionInfo) {
        conversation?.connection.tls = .init(version: info.version, cipher: info.cipher, cipherBits: info.bits, serverName: info.serverName)
        guard waitsForTLS else { return session.tlsStarted() }
        waitsForTLS = false
        greet(context)
    }

    /// A session that is asked to end does so when no message is in progress, also when that is only known later.
    private func leaveIfIdle(_ context: ChannelHandlerContext) {
        if shuttingDown, !busy, conversation?.transaction == nil { sayGoodbye(context) }
    }

    private func sayGoodbye(_ context: ChannelHandlerContext) {
        writeAndClose(SMTPReply(421, "4.3.2", "\(configuration.hostname) Service shutting down"), context)
    }

    private func finish() {
        mode = .closed
        timer?.cancel()
        timer = nil
        content = nil
        input = ByteBuffer()
        // A task that runs finishes by itself: what it stores was promised to nobody, and may come again.
        if var left = conversation {
            conversation = nil
            Task(executorPreference: left.services.pool) {
                await left.abort()
                await left.chain.close()
            }
        }
    }

    /// One timer a connection, looked after when it fires rather than at every read.
    private func startTimer(_ context: ChannelHandlerContext, _ after: Duration) {
        let amount = TimeAmount.nanoseconds(Int64(after / .nanoseconds(1)))
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: amount) { [self] in
            let silence = NIODeadline.now() - lastActivity
            let limit = TimeAmount.nanoseconds(Int64(configuration.timeout / .nanoseconds(1)))
            guard !busy, silence >= limit else { return startTimer(context, busy ? configuration.timeout : .nanoseconds((limit - silence).nanoseconds)) }
            writeAndClose(SMTPReply(421, "4.4.2", "\(configuration.hostname) Error: timeout exceeded"), context)
            context.flush()
        }
    }

    private func readMore(_ context: ChannelHandlerContext) {
        if case .closed = mode { return }
        if !busy, context.channel.isWritable { context.read() }
    }

    // MARK: Octets in

    private func process(_ context: ChannelHandlerContext) {
        var progressed = true
        while progressed, !busy, input.readableBytes > 0 {
            switch mode {
            case .commands: progressed = takeLine(context)
            case .overlong: progressed = skipOverlongLine(context)
            case .data: takeData(context)
            case .chunk(let left, let last, let total): takeChunk(context, left, last, total)
            case .skip(let left, let reply): skip(context, left, reply)
            case .closed: input.clear()
            }
        }
        if input.readableBytes == 0, case .chunk(0, let last, let total) = mode, !busy { chunkEnded(context, last, total) }
    }

    private func takeLine(_ context: ChannelHandlerContext) -> Bool {
        guard let length = input.readableBytesView.firstIndex(of: 10).map({ $0 - input.readerIndex }) else {
            guard input.readableBytes > Self.lineLimit else { return false }
            mode = .overlong
            return true
        }
        guard length <= Self.lineLimit else {
            mode = .overlong
            return true
        }
        guard let line = input.readBytes(length: length + 1) else { return false }
        guard length > 0, line[length - 1] == 13 else {
            perform(session.receiveBareLineEnd(), context)
            return true
        }
        perform(session.receive(line[..<(length - 1)]), context)
        return true
    }

    /// Throws the rest of the line away as it comes: a long line costs no memory.
    private func skipOverlongLine(_ context: ChannelHandlerContext) -> Bool {
        guard let end = input.readableBytesView.firstIndex(of: 10) else {
            input.clear()
            return false
        }
        input.moveReaderIndex(to: end + 1)
        mode = .commands
        perform(session.receiveOverlongLine(), context)
        return true
    }

    private func takeData(_ context: ChannelHandlerContext) {
        decode(upTo: input.readableBytes)
        if decoder.isAtEnd { endOfMessage(context) } else { spillIfNeeded(context) }
    }

    private func takeChunk(_ context: ChannelHandlerContext, _ left: Int, _ last: Bool, _ total: Int) {
        let taken = min(left, input.readableBytes)
        decode(upTo: taken)
        mode = .chunk(left: left - taken, last: last, total: total)
        if left == taken { chunkEnded(context, last, total) } else { spillIfNeeded(context) }
    }

    private func skip(_ context: ChannelHandlerContext, _ left: Int, _ reply: SMTPReply) {
        let taken = min(left, input.readableBytes)
        input.moveReaderIndex(forwardBy: taken)
        mode = .skip(left: left - taken, reply)
        if left == taken { skipped(context, reply) }
    }

    private func skipped(_ context: ChannelHandlerContext, _ reply: SMTPReply) {
        mode = .commands
        write(reply, context)
    }

    private func decode(upTo count: Int) {
        let content = content
        var fits = fits
        let used = input.withUnsafeReadableBytes { bytes in
            decoder.decode(UnsafeRawBufferPointer(rebasing: bytes[..<count])) { piece in
                if fits { fits = content?.append(piece) ?? false }
            }
        }
        self.fits = fits
        input.moveReaderIndex(forwardBy: used)
    }

    private func spillIfNeeded(_ context: ChannelHandlerContext) {
        guard let content, content.wantsSpill else { return }
        // A failure shows when the message is finished.
        ask(context, { conversation in try? await conversation.services.pool.run { try content.spill() } }) { _, _, _ in }
    }

    private func chunkEnded(_ context: ChannelHandlerContext, _ last: Bool, _ total: Int) {
        guard last else {
            mode = .commands
            let refusal = fits ? nil : sizeFault
            if refusal != nil { refuse("message larger than message_size_limit", context) }
            return write(session.chunkDone(octets: total, refused: refusal), context)
        }
        let content = content
        var fits = fits
        decoder.finishChunk { if fits { fits = content?.append($0) ?? false } }
        self.fits = fits
        endOfMessage(context)
    }

    private var sizeFault: SMTPReply { SMTPReply(552, "5.3.4", "Error: message file too big: the limit is \(configuration.messageSizeLimit) octets") }

    private func endOfMessage(_ context: ChannelHandlerContext) {
        mode = .commands
        defer { content = nil }
        guard !decoder.hasBareLineEnd else {
            refuse("bare line end in the message", context)
            session.messageDone()
            // What follows may be a second message in the eyes of somebody else: nothing more is read (SMTP smuggling).
            return writeAndClose(SMTPReply(550, "5.5.2", "Error: a bare CR or LF in the message; lines end with CR LF (RFC 5321 2.3.8)"), context)
        }
        guard fits, let content else {
            refuse("message larger than message_size_limit", context)
            session.messageDone()
            return write(sizeFault, context)
        }
        let extended = session.isExtended, utf8 = session.isSMTPUTF8
        ask(context, { await $0.endOfMessage(content, extended: extended, utf8: utf8) }) { handler, context, reply in
            handler.session.messageDone(accepted: reply.isPositive)
            handler.write(reply, context)
        }
    }

    private func refuse(_ why: Logger.Message, _ context: ChannelHandlerContext) {
        conversation?.logRefusal(why)
        giveUp(context)
    }

    private func giveUp(_ context: ChannelHandlerContext) {
        content = nil
        ask(context, { await $0.abort() }) { _, _, _ in }
    }

    // MARK: Actions

    private func perform(_ action: SMTPServerSession.Action, _ context: ChannelHandlerContext) {
        switch action {
        case .reply(let reply): write(reply, context)
        case .replyAndClose(let reply): writeAndClose(reply, context)
        case .askHelo(let name): helo(name, context)
        case .askMail(let sender, let parameters): mail(sender, parameters, context)
        case .askRcpt(let address, let parameters):
            ask(context, { await $0.rcpt(address, parameters) }) { handler, context, refusal in
                handler.perform(handler.session.rcptDone(refusal), context)
            }
        case .askData: data(context)
        case .readChunk(let octets, let last, let first): chunk(octets, last, first, context)
        case .skipChunk(let octets, let reply):
            mode = .skip(left: octets, reply)
            if octets == 0 { skipped(context, reply) }
        case .reset(let reply):
            giveUp(context)
            write(reply, context)
        case .authenticate(let mechanism, let user, let password):
            ask(context, { await $0.authenticate(mechanism, user, password) }) { handler, context, result in
                handler.perform(handler.session.authDone(result), context)
            }
        case .startTLS(let reply):
            guard conversation?.transaction != nil else { return startTLS(reply, context) }
            ask(context, { await $0.abort() }) { handler, context, _ in handler.startTLS(reply, context) }
        }
    }

    private func helo(_ name: String, _ context: ChannelHandlerContext) {
        conversation?.helo = name
        let asksFilters = conversation?.stages.contains(.helo) == true
        guard asksFilters || conversation?.transaction != nil else { return write(session.heloDone(nil), context) }
        ask(context, { conversation in
            await conversation.abort()
            return asksFilters ? await conversation.greet(name) : nil
        }) { handler, context, refusal in handler.write(handler.session.heloDone(refusal), context) }
    }

    private func mail(_ sender: EmailAddress?, _ parameters: [String: String], _ context: ChannelHandlerContext) {
        if let refusal = conversation?.begin(sender, parameters) { return write(session.mailDone(refusal), context) }
        guard conversation?.stages.contains(.mail) == true else { return write(session.mailDone(nil), context) }
        ask(context, { await $0.mail() }) { handler, context, refusal in handler.write(handler.session.mailDone(refusal), context) }
    }

    private func data(_ context: ChannelHandlerContext) {
        guard conversation?.stages.contains(.data) == true else { return dataBegins(nil, context) }
        ask(context, { await $0.data() }) { handler, context, refusal in handler.dataBegins(refusal, context) }
    }

    private func dataBegins(_ refusal: SMTPReply?, _ context: ChannelHandlerContext) {
        write(session.dataDone(refusal), context)
        guard refusal == nil else { return giveUp(context) }
        openContent(.dotStuffed)
        mode = .data
    }

    private func chunk(_ octets: Int, _ last: Bool, _ first: Bool, _ context: ChannelHandlerContext) {
        guard first else {
            mode = .chunk(left: octets, last: last, total: octets)
            return
        }
        openContent(.chunk)
        mode = .chunk(left: octets, last: last, total: octets)
        guard conversation?.stages.contains(.data) == true else { return }
        ask(context, { await $0.data() }) { handler, context, refusal in
            guard let refusal else { return }
            handler.mode = .skip(left: octets, handler.session.chunkDone(octets: octets, refused: refusal))
            handler.giveUp(context)
            if octets == 0 { handler.skipped(context, refusal) }
        }
    }

    private func openContent(_ framing: DataDecoder.Framing) {
        decoder = DataDecoder(framing)
        fits = true
        content = ContentCollector(limit: configuration.messageSizeLimit, memoryLimit: configuration.memoryLimit, spoolFolder: configuration.spoolFolder)
    }

    private func startTLS(_ reply: SMTPReply, _ context: ChannelHandlerContext) {
        guard let tls else { return write(SMTPReply(454, "4.7.0", "TLS not available due to local problem"), context) }
        write(reply, context)
        context.flush()
        // RFC 3207 §4.2 and the injection attacks: what came with STARTTLS in the clear is thrown away.
        input.clear()
        conversation?.connection.authenticatedUser = nil
        conversation?.account = nil
        do { try context.pipeline.syncOperations.addHandler(TLSHandler(server: tls), position: .first) } catch { context.close(promise: nil) }
    }

    // MARK: Questions

    /// Runs a question as a task on the pool; the conversation travels there and back. One at a time.
    private func ask<Answer: Sendable>(
        _ context: ChannelHandlerContext, _ question: @escaping @Sendable (inout Conversation) async -> Answer,
        _ then: @escaping (SMTPHandler, ChannelHandlerContext, Answer) -> Void
    ) {
        guard let taken = conversation else { return }
        conversation = nil
        busy = true
        let bound = NIOLoopBound((self, context, then), eventLoop: context.eventLoop)
        let loop = context.eventLoop
        Task(executorPreference: taken.services.pool) {
            var conversation = taken
            let answer = await question(&conversation)
            let result = conversation
            loop.execute {
                let (handler, context, then) = bound.value
                handler.answered(result, context) { then(handler, context, answer) }
            }
        }
    }

    private func answered(_ result: Conversation, _ context: ChannelHandlerContext, _ then: () -> Void) {
        busy = false
        lastActivity = .now()
        conversation = result
        if case .closed = mode { return finish() }
        then()
        leaveIfIdle(context)
        if !busy { process(context) }
        context.flush()
        readMore(context)
    }

    // MARK: Octets out

    private func write(_ reply: SMTPReply, _ context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(context.channel.allocator.buffer(string: reply.wire)), promise: nil)
    }

    private func writeAndClose(_ reply: SMTPReply, _ context: ChannelHandlerContext) {
        if case .closed = mode { return }
        write(reply, context)
        mode = .closed
        input.clear()
        context.flush()
        context.close(promise: nil)
    }
}
