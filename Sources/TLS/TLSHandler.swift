import NIOCore

/// TLS in a channel's pipeline, over memory BIOs. Put it first: at once for implicit TLS, after the `220` for STARTTLS.
///
/// It fires ``TLSHandshakeCompleted`` as a user event; what is written before is held back until then. A failure is
/// fired as ``TLSError`` and closes the channel. Whoever offers STARTTLS must throw away plain text that came with it.
public final class TLSHandler: ChannelDuplexHandler, RemovableChannelHandler {
    public typealias InboundIn = ByteBuffer
    public typealias InboundOut = ByteBuffer
    public typealias OutboundIn = ByteBuffer
    public typealias OutboundOut = ByteBuffer

    private enum Phase { case waiting, handshaking, established, closed }

    private let context: TLSContext
    private let serverName: String?
    private let handshakeTimeout: TimeAmount
    private var session: TLSSession?
    private var phase = Phase.waiting
    private var pending: [(ByteBuffer, EventLoopPromise<Void>?)] = []
    private var timer: Scheduled<Void>?

    /// - Parameter serverName: for a client: the name to ask for and, where verification is on, to insist on.
    public init(context: TLSContext, serverName: String? = nil, handshakeTimeout: TimeAmount = .seconds(30)) {
        self.context = context
        self.serverName = serverName
        self.handshakeTimeout = handshakeTimeout
    }

    public func handlerAdded(context ctx: ChannelHandlerContext) {
        if ctx.channel.isActive { begin(ctx) }
    }

    public func channelActive(context ctx: ChannelHandlerContext) {
        begin(ctx)
        ctx.fireChannelActive()
    }

    public func handlerRemoved(context ctx: ChannelHandlerContext) { finish() }

    public func channelInactive(context ctx: ChannelHandlerContext) {
        if phase == .handshaking { ctx.fireErrorCaught(TLSError.closedDuringHandshake) }
        finish()
        ctx.fireChannelInactive()
    }

    public func channelRead(context ctx: ChannelHandlerContext, data: NIOAny) {
        guard let session, phase != .closed else { return }
        session.receive(unwrapInboundIn(data))
        if phase == .handshaking { handshake(ctx, session) }
        if phase == .established { decrypt(ctx, session) }
    }

    public func write(context ctx: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard phase != .closed else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        pending.append((unwrapOutboundIn(data), promise))
    }

    public func flush(context ctx: ChannelHandlerContext) {
        if phase == .established, let session { encryptPending(ctx, session) }
        ctx.flush()
    }

    public func close(context ctx: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if phase == .established, mode != .input, let session {
            encryptPending(ctx, session)
            session.shutDown()
            emit(ctx, session, promise: nil)
            ctx.flush()
        }
        if mode == .all { finish() }
        ctx.close(mode: mode, promise: promise)
    }

    // MARK: Steps

    private func begin(_ ctx: ChannelHandlerContext) {
        guard phase == .waiting else { return }
        do { session = try TLSSession(context, serverName: serverName) } catch { return fail(ctx, error as? TLSError ?? .library("\(error)")) }
        phase = .handshaking
        timer = ctx.eventLoop.assumeIsolated().scheduleTask(in: handshakeTimeout) { [self] in
            if phase == .handshaking { fail(ctx, .timedOut) }
        }
        if let session, !context.isServer { handshake(ctx, session) }
    }

    private func handshake(_ ctx: ChannelHandlerContext, _ session: TLSSession) {
        let progress = session.handshake()
        emit(ctx, session, promise: nil)
        ctx.flush()
        switch progress {
        case .wantsMore: break
        case .failed(let error): fail(ctx, error)
        case .done:
            phase = .established
            timer?.cancel()
            timer = nil
            ctx.fireUserInboundEventTriggered(TLSHandshakeCompleted(info: session.info))
            encryptPending(ctx, session)
            ctx.flush()
        }
    }

    private func decrypt(_ ctx: ChannelHandlerContext, _ session: TLSSession) {
        var plain = ctx.channel.allocator.buffer(capacity: 16384)
        let progress = session.read(into: &plain)
        if plain.readableBytes > 0 { ctx.fireChannelRead(wrapInboundOut(plain)) }
        // A reader of what was just fired may have closed the channel.
        guard phase == .established else { return }
        switch progress {
        case .wantsMore: emit(ctx, session, promise: nil, flush: true)
        case .failed(let error): fail(ctx, error)
        case .done:
            // close_notify: the peer says no more.
            session.shutDown()
            emit(ctx, session, promise: nil, flush: true)
            finish()
            ctx.close(promise: nil)
        }
    }

    private func encryptPending(_ ctx: ChannelHandlerContext, _ session: TLSSession) {
        guard !pending.isEmpty else { return }
        let batch = pending
        pending.removeAll(keepingCapacity: true)
        let promise: EventLoopPromise<Void>? = batch.contains { $0.1 != nil } ? ctx.eventLoop.makePromise() : nil
        for (_, one) in batch { if let one { promise?.futureResult.cascade(to: one) } }
        for buffer in joined(batch.map(\.0), ctx.channel.allocator) {
            if case .failed(let error) = session.write(buffer) {
                promise?.fail(error)
                return fail(ctx, error)
            }
        }
        emit(ctx, session, promise: promise)
    }

    /// Small buffers become one, so that a batch of replies is one record; a large one goes alone, uncopied.
    private func joined(_ buffers: [ByteBuffer], _ allocator: ByteBufferAllocator) -> [ByteBuffer] {
        guard buffers.count > 1, buffers.reduce(0, { $0 + $1.readableBytes }) <= 16384 else { return buffers }
        var all = allocator.buffer(capacity: 16384)
        for var buffer in buffers { all.writeBuffer(&buffer) }
        return [all]
    }

    /// Hands on what the session produced, in one write.
    private func emit(_ ctx: ChannelHandlerContext, _ session: TLSSession, promise: EventLoopPromise<Void>?, flush: Bool = false) {
        guard let output = session.takeOutput(ctx.channel.allocator) else {
            promise?.succeed(())
            return
        }
        ctx.write(wrapOutboundOut(output), promise: promise)
        if flush { ctx.flush() }
    }

    private func fail(_ ctx: ChannelHandlerContext, _ error: TLSError) {
        guard phase != .closed else { return }
        // An alert may be waiting to be said.
        if let session { emit(ctx, session, promise: nil, flush: true) }
        finish(error)
        ctx.fireErrorCaught(error)
        ctx.close(promise: nil)
    }

    private func finish(_ error: any Error = ChannelError.ioOnClosedChannel) {
        phase = .closed
        timer?.cancel()
        timer = nil
        session = nil
        let left = pending
        pending = []
        for (_, promise) in left { promise?.fail(error) }
    }
}
