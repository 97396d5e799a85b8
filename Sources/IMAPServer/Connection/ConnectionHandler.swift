import NIOCore

/// What a session waits for.
enum ConnectionEvent: Sendable {
    case bytes(ByteBuffer)
    /// Somebody called ``Connection/wake()``.
    case wake
    case timeout
    /// The server is going down: say BYE.
    case shutdown
    case closed
}

struct ConnectionClosed: Error {}

/// The channel's end of a ``Connection``. Reads from the socket only when the session asks, and lets the session wait
/// while the client does not read: so neither side's data piles up. Everything here runs on the event loop.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private struct Reader {
        let continuation: CheckedContinuation<ConnectionEvent, Never>
        let isWakeable: Bool
        let timer: Scheduled<Void>
    }

    private struct Writer {
        let continuation: CheckedContinuation<Void, any Error>
        let timer: Scheduled<Void>
    }

    private var context: ChannelHandlerContext?
    private var received: [ByteBuffer] = []
    private var reader: Reader?
    private var writer: Writer?
    private var handshake: CheckedContinuation<TLSUpgrade.Completion?, Never>?
    private var completion: ((Any) -> TLSUpgrade.Completion?)?
    private var handshakeResult: TLSUpgrade.Completion?
    private var isWakePending = false
    private var isClosed = false
    private var isShuttingDown = false
    /// Begins the session. What is written before the channel is active would be lost.
    var onActive: (() -> Void)?

    func channelActive(context: ChannelHandlerContext) {
        onActive?()
        onActive = nil
        context.fireChannelActive()
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        close()
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        if let reader = takeReader() { reader.continuation.resume(returning: .bytes(buffer)) } else { received.append(buffer) }
    }

    /// A read that gave nothing to the session (a piece of a TLS record) is followed by another.
    func channelReadComplete(context: ChannelHandlerContext) {
        if reader != nil || handshake != nil { context.read() }
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable, let writer = takeWriter() { writer.continuation.resume() }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        close()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let done = completion?(event) {
            completion = nil
            // Held only until the session asks, which may be now.
            if let handshake { handshake.resume(returning: done) } else { handshakeResult = done }
            handshake = nil
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A reset connection or a failed handshake: nothing more can be said to this client.
        context.close(promise: nil)
    }

    // MARK: For the session

    func next(wakeable: Bool, timeout: TimeAmount, _ continuation: CheckedContinuation<ConnectionEvent, Never>) {
        if !received.isEmpty { return continuation.resume(returning: .bytes(received.removeFirst())) }
        guard !isClosed, let context else { return continuation.resume(returning: .closed) }
        if isShuttingDown { return continuation.resume(returning: .shutdown) }
        if wakeable, isWakePending {
            isWakePending = false
            return continuation.resume(returning: .wake)
        }
        let timer = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { [self] () -> Void in
            takeReader()?.continuation.resume(returning: .timeout)
        }
        reader = Reader(continuation: continuation, isWakeable: wakeable, timer: timer)
        context.read()
    }

    func wake() {
        guard let waiting = reader, waiting.isWakeable else {
            isWakePending = true
            return
        }
        _ = takeReader()
        waiting.continuation.resume(returning: .wake)
    }

    /// The session hears of it when it next waits for its client: a command that came is still answered.
    func shutDown() {
        isShuttingDown = true
        takeReader()?.continuation.resume(returning: .shutdown)
    }

    /// Sends, and answers when the client has read enough of what was sent before.
    func send(_ buffer: ByteBuffer, timeout: TimeAmount, _ continuation: CheckedContinuation<Void, any Error>) {
        guard !isClosed, let context else { return continuation.resume(throwing: ConnectionClosed()) }
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        guard !context.channel.isWritable, !isClosed else { return continuation.resume() }
        let timer = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { [self] () -> Void in self.context?.close(promise: nil) }
        writer = Writer(continuation: continuation, timer: timer)
    }

    /// Answers when TLS is up, or with nil when the connection is gone.
    func awaitHandshake(_ continuation: CheckedContinuation<TLSUpgrade.Completion?, Never>) {
        if handshakeResult != nil || isClosed {
            defer { handshakeResult = nil }
            return continuation.resume(returning: isClosed ? nil : handshakeResult)
        }
        handshake = continuation
        context?.read()
    }

    /// Puts TLS under the session. What came in plain text behind STARTTLS must not count (RFC 3501 §6.2.1).
    func install(_ upgrade: TLSUpgrade) throws {
        guard let context else { throw ConnectionClosed() }
        received = []
        completion = upgrade.completion
        try context.pipeline.syncOperations.addHandler(upgrade.makeHandler(), position: .first)
    }

    /// Puts compression under the session, above TLS. Nothing may have come in that was not read.
    func compress() throws {
        guard let context, received.isEmpty else { throw ConnectionClosed() }
        try context.pipeline.syncOperations.addHandler(CompressionHandler(), position: .before(self))
    }

    private func takeReader() -> Reader? {
        defer { reader = nil }
        reader?.timer.cancel()
        return reader
    }

    private func takeWriter() -> Writer? {
        defer { writer = nil }
        writer?.timer.cancel()
        return writer
    }

    private func close() {
        isClosed = true
        if let reader = takeReader() { reader.continuation.resume(returning: .closed) }
        if let writer = takeWriter() { writer.continuation.resume(throwing: ConnectionClosed()) }
        handshake?.resume(returning: nil)
        handshake = nil
    }
}
