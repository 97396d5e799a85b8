import NIOCore

/// Cuts the stream into packets and keeps them for whoever asks; one question waits at a time.
final class MilterPacketHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// A body chunk has 65,535 octets; a header value may be as large. Anything larger is babble.
    static let packetLimit = 1 << 20
    /// Octets of packets that may wait before we stop reading.
    private static let readyLimit = 1 << 20

    private let eventLoop: any EventLoop
    private var input = ByteBuffer()
    private var ready: CircularBuffer<(packet: MilterReplyPacket, size: Int)> = []
    private var readyOctets = 0
    private var owesRead = false
    private var failure: MilterClientError?
    private var waiting: (promise: EventLoopPromise<MilterReplyPacket>, timer: Scheduled<Void>)?
    private var context: ChannelHandlerContext?

    init(eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        fail(.closed)
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        guard failure == nil else { return }
        input.writeBuffer(&buffer)
        while failure == nil, let length = input.getInteger(at: input.readerIndex, as: UInt32.self) {
            guard length >= 1, length <= Self.packetLimit else { return fail(.babble("a packet of \(length) octets")) }
            guard input.readableBytes >= 4 + Int(length) else { break }
            input.moveReaderIndex(forwardBy: 4)
            guard let code = input.readInteger(as: UInt8.self), let data = input.readBytes(length: Int(length) - 1) else { break }
            guard let packet = MilterReplyPacket(code: code, data: data) else { return fail(.babble("a reply of code \(code), \(length) octets")) }
            deliver(packet, Int(length))
        }
        input.discardReadBytes()
    }

    /// Nothing more is read while much waits.
    func read(context: ChannelHandlerContext) {
        if readyOctets > Self.readyLimit { owesRead = true } else { context.read() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(.closed)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(.closed) }

    // MARK: For the connection

    func next(within timeout: TimeAmount, _ what: String) -> EventLoopFuture<MilterReplyPacket> {
        if let first = ready.popFirst() {
            readyOctets -= first.size
            resumeReading()
            return eventLoop.makeSucceededFuture(first.packet)
        }
        if let failure { return eventLoop.makeFailedFuture(failure) }
        let promise = eventLoop.makePromise(of: MilterReplyPacket.self)
        waiting = (promise, failing(in: timeout, what))
        return promise.futureResult
    }

    func send(_ packets: ByteBuffer, within timeout: TimeAmount) -> EventLoopFuture<Void> {
        guard failure == nil, let context else { return eventLoop.makeFailedFuture(failure ?? .closed) }
        let timer = failing(in: timeout, "sending")
        return context.writeAndFlush(wrapOutboundOut(packets)).assumeIsolated().always { _ in timer.cancel() }
            .flatMapErrorThrowing { [self] _ in throw failure ?? .closed }
            .nonisolated()
    }

    // MARK: Inside

    private func failing(in timeout: TimeAmount, _ what: String) -> Scheduled<Void> {
        eventLoop.assumeIsolated().scheduleTask(in: timeout) { [self] in fail(.timedOut(what)) }
    }

    private func resumeReading() {
        guard owesRead, readyOctets <= Self.readyLimit else { return }
        owesRead = false
        context?.read()
    }

    private func deliver(_ packet: MilterReplyPacket, _ size: Int) {
        guard let waiting else {
            ready.append((packet, size))
            // The packet's own octets and what it costs to keep it.
            readyOctets += size
            return
        }
        self.waiting = nil
        waiting.timer.cancel()
        waiting.promise.succeed(packet)
    }

    /// What came before the failure may still be asked for.
    private func fail(_ error: MilterClientError) {
        guard failure == nil else { return }
        failure = error
        input = ByteBuffer()
        if let waiting {
            self.waiting = nil
            waiting.timer.cancel()
            waiting.promise.fail(error)
        }
        context?.close(promise: nil)
    }
}
