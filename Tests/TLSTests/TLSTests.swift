import Foundation
import NIOCore
import NIOEmbedded
import Testing
import TLS

/// A folder with a self-signed certificate, removed at the end.
final class CertificateFolder {
    let path: String
    var chain: String { path + "/chain.pem" }
    var key: String { path + "/key.pem" }

    init(names: [String] = ["mail.example"]) throws {
        path = NSTemporaryDirectory() + "postern-tls-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let made = try SelfSignedCertificate.generate(names: names, days: 2)
        try write(made.certificatePEM, chain, mode: 0o644)
        try write(made.privateKeyPEM, key, mode: 0o600)
    }

    func write(_ text: String, _ file: String, mode: Int) throws {
        #expect(FileManager.default.createFile(atPath: file, contents: Data(text.utf8), attributes: [.posixPermissions: mode]))
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Keeps what comes out of a TLS handler.
final class Witness: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    var text = ""
    var completed: TLSSessionInfo?
    var errors: [TLSError] = []
    func channelRead(context: ChannelHandlerContext, data: NIOAny) { text += String(buffer: unwrapInboundIn(data)) }
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let done = event as? TLSHandshakeCompleted { completed = done.info }
    }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { if let error = error as? TLSError { errors.append(error) } }
}

/// A client and a server pipeline whose octets are carried by hand.
struct Pair {
    let client = EmbeddedChannel(), server = EmbeddedChannel()
    let clientSaw = Witness(), serverSaw = Witness()

    init(client clientContext: TLSContext, server serverContext: TLSContext, name: String? = "mail.example") throws {
        try server.pipeline.syncOperations.addHandlers([TLSHandler(context: serverContext), serverSaw])
        try client.pipeline.syncOperations.addHandlers([TLSHandler(context: clientContext, serverName: name), clientSaw])
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: 1)
        _ = server.connect(to: address)
        _ = client.connect(to: address)
    }

    /// Carries octets both ways until nobody says more, in pieces of at most `size`.
    func pump(size: Int = .max) throws {
        var moved = true
        while moved {
            moved = false
            for (from, to) in [(client, server), (server, client)] {
                while var buffer = try from.readOutbound(as: ByteBuffer.self) {
                    moved = true
                    while let piece = buffer.readSlice(length: min(size, buffer.readableBytes)), piece.readableBytes > 0, to.isActive { try to.writeInbound(piece) }
                }
            }
        }
    }

    func finish() { for channel in [client, server] { _ = try? channel.finish(acceptAlreadyClosed: true) } }
}

@Suite struct TLSTests {
    @Test(arguments: [Int.max, 1]) func aHandshakeAndTextBothWays(pieces: Int) throws {
        let folder = try CertificateFolder()
        let pair = try Pair(client: .client(verification: .none), server: .server(certificateChainFile: folder.chain, privateKeyFile: folder.key))
        defer { pair.finish() }
        // Written before the handshake is over: held back, then sent.
        pair.client.writeAndFlush(ByteBuffer(string: "EHLO me\r\n"), promise: nil)
        try pair.pump(size: pieces)
        #expect(pair.serverSaw.completed?.version == "TLSv1.3")
        #expect(pair.serverSaw.completed?.serverName == "mail.example")
        #expect(pair.clientSaw.completed?.peerVerified == false)
        #expect(pair.serverSaw.text == "EHLO me\r\n")
        pair.server.write(ByteBuffer(string: "250-one\r\n"), promise: nil)
        pair.server.writeAndFlush(ByteBuffer(string: "250 two\r\n"), promise: nil)
        let record = try #require(try pair.server.readOutbound(as: ByteBuffer.self))
        #expect(try pair.server.readOutbound(as: ByteBuffer.self) == nil, "a batch of replies is one write")
        try pair.client.writeInbound(record)
        #expect(pair.clientSaw.text == "250-one\r\n250 two\r\n")
    }

    @Test func aLargeBodyArrivesWhole() throws {
        let folder = try CertificateFolder()
        let pair = try Pair(client: .client(verification: .none), server: .server(certificateChainFile: folder.chain, privateKeyFile: folder.key))
        defer { pair.finish() }
        try pair.pump()
        let body = String(repeating: "0123456789abcde\n", count: 20_000)
        pair.client.writeAndFlush(ByteBuffer(string: body), promise: nil)
        try pair.pump(size: 1000)
        #expect(pair.serverSaw.text == body)
    }

    @Test func aVerifyingClientBelievesOnlyWhatItIsTold() throws {
        let folder = try CertificateFolder()
        let server = try TLSContext.server(certificateChainFile: folder.chain, privateKeyFile: folder.key)
        let good = try Pair(client: .client(verification: .full(caFile: folder.chain)), server: server)
        defer { good.finish() }
        try good.pump()
        #expect(good.clientSaw.completed?.peerVerified == true)
        let stranger = try Pair(client: .client(verification: .full(caFile: nil)), server: server)
        defer { stranger.finish() }
        try stranger.pump()
        #expect(stranger.clientSaw.completed == nil)
        #expect(stranger.clientSaw.errors.first?.description.contains("certificate") == true)
        let wrongName = try Pair(client: .client(verification: .full(caFile: folder.chain)), server: server, name: "other.example")
        defer { wrongName.finish() }
        try wrongName.pump()
        #expect(wrongName.clientSaw.errors.first?.description.lowercased().contains("mismatch") == true)
    }

    @Test func plainTextOnATLSPortIsNamed() throws {
        let folder = try CertificateFolder()
        let server = EmbeddedChannel(), witness = Witness()
        try server.pipeline.syncOperations.addHandlers([
            TLSHandler(context: .server(certificateChainFile: folder.chain, privateKeyFile: folder.key)), witness,
        ])
        _ = server.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1))
        _ = try? server.writeInbound(ByteBuffer(string: "GET / HTTP/1.1\r\nHost: mail.example\r\n\r\n"))
        #expect(witness.errors == [.notTLS])
        #expect(!server.isActive)
        _ = try? server.finish(acceptAlreadyClosed: true)
    }

    @Test func aSilentClientIsGivenUp() throws {
        let folder = try CertificateFolder()
        let server = EmbeddedChannel(), witness = Witness()
        try server.pipeline.syncOperations.addHandlers([
            TLSHandler(context: .server(certificateChainFile: folder.chain, privateKeyFile: folder.key), handshakeTimeout: .seconds(5)), witness,
        ])
        _ = server.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1))
        server.embeddedEventLoop.advanceTime(by: .seconds(6))
        #expect(witness.errors == [.timedOut])
        #expect(!server.isActive)
        _ = try? server.finish(acceptAlreadyClosed: true)
    }

    @Test func closingSaysCloseNotify() throws {
        let folder = try CertificateFolder()
        let pair = try Pair(client: .client(verification: .none), server: .server(certificateChainFile: folder.chain, privateKeyFile: folder.key))
        defer { pair.finish() }
        try pair.pump()
        pair.server.close(promise: nil)
        try pair.pump()
        #expect(!pair.client.isActive, "the client closes on close_notify")
        #expect(pair.clientSaw.errors.isEmpty)
    }
}

@Suite struct TLSFileTests {
    func problem(_ body: () throws -> TLSContext) -> String {
        do {
            _ = try body()
            return ""
        } catch { return "\(error)" }
    }

    @Test func eachFileFaultIsNamed() throws {
        let folder = try CertificateFolder(), other = try CertificateFolder()
        let missing = folder.path + "/none.pem"
        #expect(problem { try .server(certificateChainFile: missing, privateKeyFile: folder.key) } == "\(missing): there is no such certificate file")
        #expect(problem { try .server(certificateChainFile: folder.chain, privateKeyFile: missing) } == "\(missing): there is no such private key file")
        #expect(problem { try .server(certificateChainFile: folder.chain, privateKeyFile: other.key) }.contains("does not belong to the certificate"))
        #expect(problem { try .server(certificateChainFile: folder.key, privateKeyFile: folder.key) }.contains("is not a PEM certificate chain"))
        let readable = folder.path + "/open.key"
        try folder.write(String(contentsOfFile: folder.key, encoding: .utf8), readable, mode: 0o644)
        #expect(problem { try .server(certificateChainFile: folder.chain, privateKeyFile: readable) }.contains("chmod 600"))
    }
}
