import DNS
import Foundation
import HTTPSClient
import NIOCore
import NIOPosix
import NetworkAddress
import Testing
import TLS

@Suite(.timeLimit(.minutes(1))) final class HTTPSClientTests {
    let group = MultiThreadedEventLoopGroup.singleton
    let folder = NSTemporaryDirectory() + "/https-\(UUID().uuidString)"

    /// Every name is this machine.
    struct Loopback: DNS.Resolver {
        func resolve(_ question: DNSQuestion) async -> DNSResponse {
            question.type == .a ? DNSResponse(.records([[127, 0, 0, 1]])) : DNSResponse(.noData)
        }
    }

    init() throws {
        let made = try SelfSignedCertificate.generate(names: ["mta-sts.d.test"], days: 2)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(made.certificatePEM.utf8).write(to: URL(fileURLWithPath: folder + "/cert.pem"))
        _ = FileManager.default.createFile(atPath: folder + "/key.pem", contents: Data(made.privateKeyPEM.utf8), attributes: [.posixPermissions: 0o600])
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Gets from a server that answers with these octets and, if asked, closes.
    func get(_ answer: String, host: String = "mta-sts.d.test", closes: Bool = false, trust: TLSTrust? = nil, time: Duration = .seconds(30)) async throws -> HTTPSResponse {
        let context = try TLSContext.server(certificateChain: folder + "/cert.pem", privateKey: folder + "/key.pem")
        let server = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(TLSHandler(server: context))
                    try channel.pipeline.syncOperations.addHandler(FixedAnswer(answer, closes))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        defer { server.close(promise: nil) }
        var limits = HTTPSClient.Limits()
        limits.body = 100
        limits.time = time
        let client = HTTPSClient(resolver: Loopback(), group: group, context: try TLSContext.client(trust: trust ?? .file(folder + "/cert.pem")), limits: limits,
                                 port: try #require(server.localAddress?.port))
        return try await client.get(try #require(DomainName(host)), path: "/x")
    }

    @Test func anAnswerWithItsTypeAndBody() async throws {
        let got = try await get("HTTP/1.1 200 OK\r\nContent-Type: Text/Plain; charset=utf-8\r\nContent-Length: 5\r\n\r\nhello")
        #expect(got.status == 200 && got.mediaType == "text/plain" && got.body == Array("hello".utf8))
        #expect(got.headers["content-length"] == "5")
        #expect(try await get("HTTP/1.1 302 Found\r\nLocation: https://other.test/\r\nContent-Length: 0\r\n\r\n").status == 302)
        let chunked = try await get("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        #expect(chunked.body == Array("abcde".utf8))
    }

    @Test func onlyTheHostsOwnCertificateFromATrustedIssuer() async throws {
        let fine = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        for (host, trust) in [("other.test", nil), ("mta-sts.d.test", TLSTrust.nobody)] {
            guard case .tls? = await failure({ try await self.get(fine, host: host, trust: trust) }) else { Issue.record("believed \(host)"); continue }
        }
    }

    @Test func boundsHold() async throws {
        #expect(await failure { try await self.get("HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n" + String(repeating: "x", count: 101)) } == .tooLarge(limit: 100))
        #expect(await failure { try await self.get("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", time: .milliseconds(300)) } == .timedOut)
        guard case .broken? = await failure({ try await self.get("SSH-2.0-x\r\n\r\n") }) else { Issue.record("took that for HTTP"); return }
        guard case .broken? = await failure({ try await self.get("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", closes: true) }) else { Issue.record("took half for all"); return }
    }

    private func failure(_ work: () async throws -> HTTPSResponse) async -> HTTPSFailure? {
        do { _ = try await work() } catch { return error as? HTTPSFailure }
        return nil
    }
}

private final class FixedAnswer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let text: String
    private let closes: Bool

    init(_ text: String, _ closes: Bool) {
        self.text = text
        self.closes = closes
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
        if closes { context.close(promise: nil) }
    }
}
