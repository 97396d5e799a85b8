import NIOCore
import NIOPosix

/// Packets to and from one milter. The session calls it one question at a time; every wait has its deadline.
final class MilterConnection: Sendable {
    /// A milter may prolong its answer by saying that it makes progress, up to this many times the time-out.
    private static let progressFactor = 10

    private let channel: any Channel
    private let handler: NIOLoopBound<MilterPacketHandler>

    private init(_ channel: any Channel, _ handler: NIOLoopBound<MilterPacketHandler>) {
        self.channel = channel
        self.handler = handler
    }

    /// - Throws: ``MilterClientError/cannotConnect(_:)``.
    static func open(_ configuration: MilterClientConfiguration, group: any EventLoopGroup) async throws -> MilterConnection {
        let loop = group.next()
        let made = NIOLoopBoundBox<MilterPacketHandler?>.makeEmptyBox(eventLoop: loop)
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(configuration.connectTimeout.amount)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = MilterPacketHandler(eventLoop: channel.eventLoop)
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

    /// Sends packets and waits until the system has taken them.
    func send(_ packets: [[UInt8]], within timeout: Duration) async throws {
        let buffer = buffer(packets)
        try await channel.eventLoop.flatSubmit { [handler] in handler.value.send(buffer, within: timeout.amount) }.get()
    }

    /// The next packet but progress, each of which starts the wait anew.
    func next(within timeout: Duration, _ what: String) async throws -> MilterReplyPacket {
        let end = ContinuousClock.now + timeout * Self.progressFactor
        while ContinuousClock.now < end {
            let packet = try await channel.eventLoop.flatSubmit { [handler] in handler.value.next(within: timeout.amount, what) }.get()
            if packet != .progress { return packet }
        }
        throw MilterClientError.timedOut("\(what), after much progress")
    }

    /// Closes, after a last packet where there is one. Waits for nothing.
    func close(saying packet: [UInt8]? = nil) {
        if let packet { channel.writeAndFlush(buffer([packet]), promise: nil) }
        channel.close(promise: nil)
    }

    private func buffer(_ packets: [[UInt8]]) -> ByteBuffer {
        var buffer = channel.allocator.buffer(capacity: packets.reduce(0) { $0 + $1.count })
        for packet in packets { buffer.writeBytes(packet) }
        return buffer
    }
}

extension Duration {
    /// In NIO's words.
    fileprivate var amount: TimeAmount { .nanoseconds(Int64(self / .nanoseconds(1))) }
}
