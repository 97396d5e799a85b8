import NIOCore
import NIOPosix
import Testing
@testable import TLS

/// Over real sockets: an echo server behind TLS.
@Suite struct SocketTests {
    @Test func echoOfAMegabyte() async throws {
        let folder = try CertificateFolder()
        let files = try folder.make("mx", names: ["localhost"])
        let serverContext = try TLSContext.server(certificateChain: files.certificate, privateKey: files.key)
        let clientContext = try TLSContext.client(trust: .file(files.certificate))
        let group = MultiThreadedEventLoopGroup.singleton
        let server = try await ServerBootstrap(group: group).childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandlers([try TLSHandler(server: serverContext), Echo()])
            }
        }.bind(host: "127.0.0.1", port: 0).get()
        let sent = ByteBuffer(bytes: (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        let received = group.next().makePromise(of: ByteBuffer.self)
        let port = try #require(server.localAddress?.port)
        let client = try await ClientBootstrap(group: group).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandlers([
                    try TLSHandler(client: clientContext, serverName: "localhost", verification: .full(host: "localhost")),
                    Collect(sent.readableBytes, received),
                ])
            }
        }.connect(host: "127.0.0.1", port: port).get()
        try await client.writeAndFlush(sent)
        #expect(try await received.futureResult.get() == sent)
        try await client.close()
        try await server.close()
    }
}

private final class Echo: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.write(data, promise: nil) }
    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }
}

private final class Collect: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private var all = ByteBuffer()
    private let wanted: Int
    private let promise: EventLoopPromise<ByteBuffer>
    init(_ wanted: Int, _ promise: EventLoopPromise<ByteBuffer>) { (self.wanted, self.promise) = (wanted, promise) }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        all.writeImmutableBuffer(unwrapInboundIn(data))
        if all.readableBytes >= wanted { promise.succeed(all) }
    }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { promise.fail(error) }
    func channelInactive(context: ChannelHandlerContext) { promise.fail(ChannelError.eof) }
}
