import Foundation
import NIOCore
import NIOPosix
import Synchronization
@testable import TLS

/// A client that says text and waits for replies, never longer than ten seconds.
final class TestClient: Sendable {
    struct Ended: Error {}
    struct Silence: Error {}

    private let channel: any Channel
    private let inbox: Inbox

    private init(_ channel: any Channel, _ inbox: Inbox) { (self.channel, self.inbox) = (channel, inbox) }

    static func connect(unix path: String) async throws -> TestClient {
        let inbox = Inbox()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(InboxHandler(inbox)) }
        }.connect(unixDomainSocketPath: path).get()
        return TestClient(channel, inbox)
    }

    static func connect(port: Int, tls: TLSContext? = nil, host: String = "127.0.0.1") async throws -> TestClient {
        let inbox = Inbox()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                if let tls { try channel.pipeline.syncOperations.addHandler(try TLSHandler(client: tls, serverName: "mx.home.example")) }
                try channel.pipeline.syncOperations.addHandler(InboxHandler(inbox))
            }
        }.connect(host: host, port: port).get()
        return TestClient(channel, inbox)
    }

    func send(_ text: String) async throws { try await channel.writeAndFlush(ByteBuffer(string: text)) }
    func send(_ bytes: [UInt8]) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)) }

    /// Without waiting for it to be sent.
    func post(_ text: String) { channel.writeAndFlush(ByteBuffer(string: text), promise: nil) }

    /// The next reply, all its lines. - Throws: ``Ended``, ``Silence``.
    func reply() async throws -> String { try await next() ?? { throw Ended() }() }

    /// Whether the server closes without another word.
    func isClosed() async throws -> Bool { try await next() == nil }

    private func next() async throws -> String? {
        let timeout = channel.eventLoop.scheduleTask(in: .seconds(10)) { [inbox] in inbox.giveUp() }
        defer { timeout.cancel() }
        return try await inbox.reply()
    }

    func say(_ line: String) async throws -> String {
        try await send(line + "\r\n")
        return try await reply()
    }

    func startTLS(_ context: TLSContext) async throws {
        let handshake = channel.eventLoop.makePromise(of: Void.self)
        let channel = channel
        try await channel.eventLoop.submit {
            try channel.pipeline.syncOperations.addHandlers([
                try TLSHandler(client: context, serverName: "mx.home.example"), HandshakeWaiter(handshake),
            ], position: .first)
        }.get()
        try await handshake.futureResult.get()
    }

    func close() async { try? await channel.close() }
}

/// Splits what comes into replies.
final class Inbox: Sendable {
    private struct State {
        var text = ""
        var ended = false
        var waiter: CheckedContinuation<String?, any Error>?
    }
    private let state = Mutex(State())

    func reply() async throws -> String? {
        try await withCheckedThrowingContinuation { continuation in
            update { $0.waiter = continuation }
        }
    }

    func take(_ text: String) { update { $0.text += text } }
    func end() { update { $0.ended = true } }

    func giveUp() {
        let waiter = state.withLock { state in
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(throwing: TestClient.Silence())
    }

    private func update(_ change: (inout State) -> Void) {
        let result = state.withLock { state -> (CheckedContinuation<String?, any Error>, String?)? in
            change(&state)
            guard let waiter = state.waiter else { return nil }
            let reply = Self.cut(&state.text)
            guard reply != nil || state.ended else { return nil }
            state.waiter = nil
            return (waiter, reply)
        }
        if let (waiter, reply) = result { waiter.resume(returning: reply) }
    }

    private static func cut(_ text: inout String) -> String? {
        var end = text.startIndex
        while let lineEnd = text[end...].range(of: "\r\n") {
            let line = text[end..<lineEnd.lowerBound]
            end = lineEnd.upperBound
            guard line.dropFirst(3).first == "-" else {
                defer { text = String(text[end...]) }
                return String(text[..<lineEnd.lowerBound])
            }
        }
        return nil
    }
}

private final class InboxHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    let inbox: Inbox
    init(_ inbox: Inbox) { self.inbox = inbox }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) { inbox.take(String(buffer: unwrapInboundIn(data))) }
    func channelInactive(context: ChannelHandlerContext) { inbox.end() }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

private final class HandshakeWaiter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    let promise: EventLoopPromise<Void>
    init(_ promise: EventLoopPromise<Void>) { self.promise = promise }
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is TLSHandshakeCompleted { promise.succeed(()) }
        context.fireUserInboundEventTriggered(event)
    }
    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(ChannelError.eof)
        context.fireChannelInactive()
    }
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
        context.fireErrorCaught(error)
    }
}
