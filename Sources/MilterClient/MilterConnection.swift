import NIOCore
import NIOPosix
import NetworkAddress

/// Packets to and from one milter. The session calls it one question at a time.
final class MilterConnection: Sendable {
    private let channel: any Channel
    private let handler: NIOLoopBound<MilterPacketHandler>

    private init(_ channel: any Channel, _ handler: NIOLoopBound<MilterPacketHandler>) {
        self.channel = channel
        self.handler = handler
    }

    static func open(_ configuration: MilterClientConfiguration, group: any EventLoopGroup) async throws -> MilterConnection {
        let loop = group.next()
        let made = NIOLoopBoundBox<MilterPacketHandler?>.makeEmptyBox(eventLoop: loop)
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(.nanoseconds(Int64(configuration.connectTimeout / .nanoseconds(1))))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = MilterPacketHandler()
                    made.value = handler
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
        do {
            let channel: any Channel = switch configuration.address {
            case .inet(let host, let port): try await bootstrap.connect(host: host, port: port).get()
            case .unix(let path): try await bootstrap.connect(unixDomainSocketPath: path).get()
            }
            let bound = try await loop.submit { made.value.map { NIOLoopBound($0, eventLoop: loop) } }.get()
            guard let bound else { throw MilterClientError.cannotConnect("no handler") }
            return MilterConnection(channel, bound)
        } catch let error as MilterClientError { throw error } catch { throw MilterClientError.cannotConnect("\(error)") }
    }

    /// Sends packets and waits for nothing.
    func send(_ packets: [[UInt8]]) async throws {
        var buffer = channel.allocator.buffer(capacity: packets.reduce(0) { $0 + $1.count })
        for packet in packets { buffer.writeBytes(packet) }
        do { try await channel.writeAndFlush(buffer) } catch { throw MilterClientError.closed }
    }

    /// The next packet; progress starts the wait anew.
    func next(within timeout: Duration, _ what: String) async throws -> MilterReplyPacket {
        while true {
            let packet = try await channel.eventLoop.flatSubmit { [handler] in
                handler.value.next(within: .nanoseconds(Int64(timeout / .nanoseconds(1))), what)
            }.get()
            if packet != .progress { return packet }
        }
    }

    func close() { channel.close(promise: nil) }
}

/// Cuts the stream into packets and keeps them for whoever asks; one question waits at a time.
final class MilterPacketHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// A body chunk has 65,535 octets; a header value may be as large. Anything larger is babble.
    private static let packetLimit = 1 << 20
    /// Packets that may wait: a filter that makes more changes to one message than this is out of order.
    private static let backlogLimit = 10_000

    private var input = ByteBuffer()
    private var ready: [MilterReplyPacket] = []
    private var failure: MilterClientError?
    private var waiting: (promise: EventLoopPromise<MilterReplyPacket>, timer: Scheduled<Void>)?
    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        input.writeBuffer(&buffer)
        while failure == nil, let length = input.getInteger(at: input.readerIndex, as: UInt32.self) {
            guard length >= 1, length <= Self.packetLimit else { return fail(.babble("a packet of \(length) octets"), context) }
            guard input.readableBytes >= 4 + Int(length) else { break }
            input.moveReaderIndex(forwardBy: 4)
            guard let code = input.readInteger(as: UInt8.self), let data = input.readBytes(length: Int(length) - 1) else { break }
            guard let packet = MilterReplyPacket(code: code, data: data) else { return fail(.babble("reply code \(code)"), context) }
            deliver(packet, context)
        }
        input.discardReadBytes()
    }

    func channelInactive(context: ChannelHandlerContext) { fail(.closed, context) }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(.closed, context) }

    func next(within timeout: TimeAmount, _ what: String) -> EventLoopFuture<MilterReplyPacket> {
        guard let context else { return MultiThreadedEventLoopGroup.singleton.any().makeFailedFuture(MilterClientError.closed) }
        if !ready.isEmpty { return context.eventLoop.makeSucceededFuture(ready.removeFirst()) }
        if let failure { return context.eventLoop.makeFailedFuture(failure) }
        let promise = context.eventLoop.makePromise(of: MilterReplyPacket.self)
        let timer = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { [self] in
            if let context = self.context { fail(.timedOut(what), context) }
        }
        waiting = (promise, timer)
        return promise.futureResult
    }

    private func deliver(_ packet: MilterReplyPacket, _ context: ChannelHandlerContext) {
        guard let waiting else {
            ready.append(packet)
            if ready.count > Self.backlogLimit { fail(.babble("more than \(Self.backlogLimit) packets nobody asked for"), context) }
            return
        }
        self.waiting = nil
        waiting.timer.cancel()
        waiting.promise.succeed(packet)
    }

    private func fail(_ error: MilterClientError, _ context: ChannelHandlerContext) {
        guard failure == nil else { return }
        failure = error
        ready = []
        input = ByteBuffer()
        if let waiting {
            self.waiting = nil
            waiting.timer.cancel()
            waiting.promise.fail(error)
        }
        context.close(promise: nil)
    }
}
