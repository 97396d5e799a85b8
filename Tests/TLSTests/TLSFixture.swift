import Foundation
import NIOCore
import NIOEmbedded
@testable import TLS

/// A folder with certificate files, removed with the fixture.
final class CertificateFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "tls-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes `NAME.pem` and `NAME.key`.
    @discardableResult
    func make(_ name: String, names: [String], days: Int = 30) throws -> (certificate: String, key: String) {
        let pair = try SelfSignedCertificate.generate(names: names, days: days)
        let certificate = "\(path)/\(name).pem", key = "\(path)/\(name).key"
        try pair.certificatePEM.write(toFile: certificate, atomically: true, encoding: .utf8)
        try write(pair.privateKeyPEM, to: key, mode: 0o600)
        return (certificate, key)
    }

    func write(_ text: String, to file: String, mode: Int) throws {
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
    }
}

/// Keeps what comes out at the end of a pipeline.
final class Recorder: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    var text = ""
    var errors: [TLSError] = []
    var completed: TLSSessionInfo?
    var inputClosed = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { text += String(buffer: unwrapInboundIn(data)) }
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? TLSError { errors.append(error) }
    }
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? TLSHandshakeCompleted { completed = event.info }
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { inputClosed = true }
    }
}

/// A channel with a TLS handler, and the recorder behind it.
struct Side {
    let channel: EmbeddedChannel
    let recorder = Recorder()

    init(_ handler: TLSHandler) throws {
        channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandlers([handler, recorder])
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
    }

    func send(_ text: String) { channel.writeAndFlush(ByteBuffer(string: text), promise: nil) }

    /// Everything waiting to go out, write by write.
    func outgoing() throws -> [ByteBuffer] {
        var out: [ByteBuffer] = []
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { out.append(buffer) }
        return out
    }
}

/// A client and a server, wired together by hand.
struct Pair {
    let client: Side
    let server: Side

    init(client: TLSHandler, server: TLSHandler) throws {
        self.server = try Side(server)
        self.client = try Side(client)
    }

    /// Carries octets both ways until neither side has more.
    /// - Parameter step: octets to deliver at once.
    func pump(step: Int = .max) throws {
        while true {
            let forth = try client.outgoing(), back = try server.outgoing()
            if forth.isEmpty, back.isEmpty { return }
            for buffer in forth { deliver(buffer, to: server, step) }
            for buffer in back { deliver(buffer, to: client, step) }
        }
    }

    private func deliver(_ buffer: ByteBuffer, to side: Side, _ step: Int) {
        var rest = buffer
        while rest.readableBytes > 0, let slice = rest.readSlice(length: min(step, rest.readableBytes)) {
            side.channel.pipeline.fireChannelRead(slice)
            side.channel.pipeline.fireChannelReadComplete()
        }
    }
}
