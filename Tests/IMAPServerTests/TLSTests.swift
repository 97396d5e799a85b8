import Foundation
import NIOCore
import NIOPosix
import Testing
import TLS
@testable import IMAPServer

/// Sessions under real TLS, both ways to get it.
@Suite(.serialized) struct TLSTests {
    /// Begins TLS by STARTTLS or at once, then sends its commands in one piece and keeps all answers.
    final class Client: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let context: TLSContext
        private var needsStartTLS: Bool
        private let commands: String
        private var text = ""
        /// All that was received, when the server has closed.
        private let whole: EventLoopPromise<String>

        init(_ context: TLSContext, startTLS: Bool, commands: String, whole: EventLoopPromise<String>) {
            self.whole = whole
            self.context = context
            needsStartTLS = startTLS
            self.commands = commands
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            text += String(buffer: unwrapInboundIn(data))
            if needsStartTLS, text.hasPrefix("* OK"), !text.contains("\r\na OK") {
                if text.hasSuffix("ready\r\n") { send("a STARTTLS\r\n", context) }
            } else if needsStartTLS {
                needsStartTLS = false
                // A configuration error shows as a connection that never answers: the test fails on its text.
                if let handler = try? TLSHandler(client: self.context, serverName: "mail.example") {
                    try? context.pipeline.syncOperations.addHandler(handler, position: .first)
                }
            }
        }

        func channelInactive(context: ChannelHandlerContext) { whole.succeed(text) }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if event is TLSHandshakeCompleted { send(commands, context) }
            context.fireUserInboundEventTriggered(event)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        private func send(_ text: String, _ context: ChannelHandlerContext) {
            context.writeAndFlush(NIOAny(ByteBuffer(string: text)), promise: nil)
        }
    }

    static func serverContext() throws -> TLSContext {
        let folder = NSTemporaryDirectory() + "imaptls-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let pair = try SelfSignedCertificate.generate(names: ["mail.example"], days: 3)
        try pair.certificatePEM.write(toFile: folder + "/c.pem", atomically: true, encoding: .utf8)
        try pair.privateKeyPEM.write(toFile: folder + "/k.pem", atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder + "/k.pem")
        return try TLSContext.server(certificateChain: folder + "/c.pem", privateKey: folder + "/k.pem")
    }

    @Test(arguments: [true, false]) func aSessionUnderTLS(startTLS: Bool) async throws {
        let context = try Self.serverContext(), clientContext = try TLSContext.client()
        try await TestServer.with({
            $0.allowPlaintextLoginOnLoopback = false
            $0.implicitTLS = !startTLS
        }, tls: { TLSUpgrade(context) }) { server in
            // Larger than all buffers on the way: the body must be streamed with back-pressure.
            let body = String(repeating: String(repeating: "x", count: 98) + "\r\n", count: 10_000)
            try server.deliver("Subject: large\r\n\r\n" + body)
            let commands = "b LOGIN alice secret\r\nc SELECT INBOX\r\nd FETCH 1 BODY.PEEK[TEXT]\r\ne LOGOUT\r\n"
            let loop = MultiThreadedEventLoopGroup.singleton.next(), whole = loop.makePromise(of: String.self)
            let channel = try await ClientBootstrap(group: loop).connectTimeout(.seconds(10))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Client(clientContext, startTLS: startTLS, commands: commands, whole: whole))
                        if !startTLS {
                            try channel.pipeline.syncOperations.addHandler(TLSHandler(client: clientContext, serverName: "mail.example"), position: .first)
                        }
                    }
                }
                .connect(host: "127.0.0.1", port: server.port).get()
            // Ten seconds at the most.
            let limit = loop.scheduleTask(in: .seconds(10)) { channel.close(promise: nil) }
            let text = try await whole.futureResult.get()
            limit.cancel()
            #expect(text.contains("b OK [CAPABILITY IMAP4rev1"))
            #expect(text.contains("* 1 FETCH (BODY[TEXT] {1000000}\r\n" + body + ")\r\nd OK"))
            #expect(text.contains("\r\ne OK"))
            #expect(text.contains("LOGINDISABLED") == startTLS)
        }
    }
}
