import NIOCore

/// TLS for a NIO channel, both sides. Put it first in the pipeline: at connect time for implicit TLS, or in the very
/// moment of STARTTLS, after the plaintext 220 was written and with nothing buffered behind the command.
///
/// - Fires ``TLSHandshakeCompleted`` when the handshake ended well; plaintext follows it through `channelRead`.
/// - Fails with ``TLSError`` through `errorCaught` and closes the channel.
/// - What is written before the handshake ended waits, up to ``waitingLimit``.
/// - Writes become records at flush, in one write to the channel.
/// - The peer's close_notify fires `ChannelEvent.inputClosed` and closes the channel; an end without one fires
///   ``TLSError/truncated`` before `channelInactive`.
public final class TLSHandler: ChannelDuplexHandler, RemovableChannelHandler {
    public typealias InboundIn = ByteBuffer
    public typealias InboundOut = ByteBuffer
    public typealias OutboundIn = ByteBuffer
    public typealias OutboundOut = ByteBuffer

    /// Octets of plaintext that may wait for the handshake.
    public static let waitingLimit = 1 << 20
    /// Small writes are put together up to this size, a record's.
    private static let recordSize = 16384

    private enum State { case idle, handshaking, open, closed }

    private let engine: TLSEngine
    private let isServer: Bool
    private let handshakeTimeout: TimeAmount
    private var state = State.idle
    private var deadline: Scheduled<Void>?
    private var waiting: [ByteBuffer] = []
    private var waitingCount = 0
    private var promises: [EventLoopPromise<Void>] = []
    private var wantsFlush = false
    private var receivedClose = false

    /// The server's side.
    /// - Throws: ``TLSError/configuration(_:)``.
    public init(server context: TLSContext, handshakeTimeout: TimeAmount = .seconds(60)) throws(TLSError) {
        guard context.isServer else { throw .configuration("a client's context cannot accept connections") }
        engine = try TLSEngine(context: context)
        isServer = true
        self.handshakeTimeout = handshakeTimeout
    }

    /// The client's side.
    /// - Parameter serverName: sent as SNI; with DANE the first host is sent instead.
    /// - Throws: ``TLSError/configuration(_:)``, ``TLSError/noUsableTLSA``.
    public init(
        client context: TLSContext, serverName: String?, verification: TLSVerification = .none, handshakeTimeout: TimeAmount = .seconds(60)
    ) throws(TLSError) {
        guard !context.isServer else { throw .configuration("a server's context cannot open connections") }
        engine = try TLSEngine(context: context, serverName: serverName, verification: verification)
        isServer = false
        self.handshakeTimeout = handshakeTimeout
    }

    /// What was agreed on; nil before the end of the handshake.
    public private(set) var info: TLSSessionInfo?

    public func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { begin(context) }
    }

    public func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
        state = .closed
        failWaiting(ChannelError.ioOnClosedChannel)
    }

    public func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        begin(context)
    }

    public func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        if state == .handshaking {
            context.fireErrorCaught(TLSError.handshakeFailed("the peer closed the connection"))
        } else if state == .open, !receivedClose {
            context.fireErrorCaught(TLSError.truncated)
        }
        state = .closed
        failWaiting(ChannelError.ioOnClosedChannel)
        context.fireChannelInactive()
    }

    private func begin(_ context: ChannelHandlerContext) {
        guard state == .idle else { return }
        state = .handshaking
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: handshakeTimeout) {
            let (handler, context) = bound.value
            if handler.state == .handshaking { handler.fail(.handshakeTimeout, context) }
        }
        if !isServer { shakeHands(context) }
    }
}

// MARK: Inbound

extension TLSHandler {
    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard state == .handshaking || state == .open else { return }
        do throws(TLSError) {
            try engine.feed(unwrapInboundIn(data))
        } catch {
            return fail(error, context)
        }
        if state == .handshaking { shakeHands(context) }
        if state == .open { readPlaintext(context) }
    }

    private func shakeHands(_ context: ChannelHandlerContext) {
        do throws(TLSError) {
            let progress = try engine.handshake()
            sendOutgoing(context, nil)
            guard progress == .done else { return }
        } catch {
            return fail(error, context)
        }
        deadline?.cancel()
        state = .open
        let info = engine.info
        self.info = info
        context.fireUserInboundEventTriggered(TLSHandshakeCompleted(info: info, channelBindings: isServer ? engine.channelBindings : [:]))
        if wantsFlush, state == .open { flush(context: context) }
    }

    private func readPlaintext(_ context: ChannelHandlerContext) {
        do throws(TLSError) {
            switch try engine.read(context.channel.allocator) {
            case .data(let plaintext): context.fireChannelRead(wrapInboundOut(plaintext))
            case .nothing: break
            case .closed(let plaintext):
                receivedClose = true
                if plaintext.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(plaintext)) }
                context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
                // RFC 8446 §6.1 answers with our own close_notify, which close() sends.
                if state == .open { context.channel.close(promise: nil) }
            }
        } catch {
            return fail(error, context)
        }
        // A key update of TLS 1.3 is answered here.
        if state == .open { sendOutgoing(context, nil) }
    }

    /// Sends the alert that OpenSSL prepared, reports and closes.
    private func fail(_ error: TLSError, _ context: ChannelHandlerContext) {
        guard state != .closed else { return }
        deadline?.cancel()
        sendOutgoing(context, nil)
        state = .closed
        failWaiting(error)
        context.fireErrorCaught(error)
        context.close(promise: nil)
    }
}

// MARK: Outbound

extension TLSHandler {
    public func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard state != .closed else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        let buffer = unwrapOutboundIn(data)
        waitingCount += buffer.readableBytes
        if state != .open, waitingCount > Self.waitingLimit {
            promise?.fail(TLSError.tooMuchBeforeHandshake(limit: Self.waitingLimit))
            return fail(.tooMuchBeforeHandshake(limit: Self.waitingLimit), context)
        }
        if let last = waiting.indices.last, waiting[last].readableBytes + buffer.readableBytes <= Self.recordSize {
            waiting[last].writeImmutableBuffer(buffer)
        } else {
            waiting.append(buffer)
        }
        if let promise { promises.append(promise) }
    }

    public func flush(context: ChannelHandlerContext) {
        guard state == .open else {
            wantsFlush = state != .closed
            return
        }
        wantsFlush = false
        guard !waiting.isEmpty || !promises.isEmpty else { return context.flush() }
        let buffers = waiting
        waiting = []
        waitingCount = 0
        do throws(TLSError) {
            for buffer in buffers { try engine.write(buffer) }
        } catch {
            return fail(error, context)
        }
        sendOutgoing(context, takePromise(context))
    }

    public func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode != .input, state == .open {
            flush(context: context)
            engine.close()
            sendOutgoing(context, nil)
        }
        if mode == .all {
            deadline?.cancel()
            state = .closed
            failWaiting(ChannelError.ioOnClosedChannel)
        }
        context.close(mode: mode, promise: promise)
    }

    /// One promise for the one write that carries what several writes asked for.
    private func takePromise(_ context: ChannelHandlerContext) -> EventLoopPromise<Void>? {
        let taken = promises
        promises = []
        guard let first = taken.first else { return nil }
        guard taken.count > 1 else { return first }
        let all = context.eventLoop.makePromise(of: Void.self)
        for promise in taken { all.futureResult.cascade(to: promise) }
        return all
    }

    private func sendOutgoing(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        guard let records = engine.takeOutgoing(context.channel.allocator) else {
            promise?.succeed(())
            return
        }
        context.writeAndFlush(wrapOutboundOut(records), promise: promise)
    }

    private func failWaiting(_ error: any Error) {
        let failed = promises
        (promises, waiting, waitingCount) = ([], [], 0)
        for promise in failed { promise.fail(error) }
    }
}
