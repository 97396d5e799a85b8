import COpenSSL
import NIOConcurrencyHelpers
import NIOCore
import NIOEmbedded
import Testing
@testable import TLS

@Suite struct TLSHandlerTests {
    let folder: CertificateFolder
    let serverContext: TLSContext
    let certificate: String

    init() throws {
        folder = try CertificateFolder()
        let files = try folder.make("mx", names: ["mx.home.example", "192.0.2.7"])
        certificate = files.certificate
        serverContext = try TLSContext.server(certificateChain: files.certificate, privateKey: files.key)
    }

    func pair(_ verification: TLSVerification = .none, trust: TLSTrust = .nobody, name: String? = "mx.home.example") throws -> Pair {
        try Pair(client: TLSHandler(client: TLSContext.client(trust: trust), serverName: name, verification: verification),
                 server: TLSHandler(server: serverContext))
    }

    @Test func handshakeAndDataBothWays() throws {
        let pair = try pair()
        try pair.pump()
        pair.client.send("EHLO a\r\n")
        pair.server.send("250 b\r\n")
        try pair.pump()
        #expect(pair.server.recorder.text == "EHLO a\r\n")
        #expect(pair.client.recorder.text == "250 b\r\n")
        let info = try #require(pair.server.recorder.completed)
        #expect(info.version == "TLSv1.3")
        #expect(info.cipher.hasPrefix("TLS_"))
        #expect(info.bits >= 128)
        #expect(info.serverName == "mx.home.example")
        #expect(!info.peerVerified)
        #expect(pair.client.recorder.completed?.peerVerified == false)
    }

    @Test func everyOctetByItself() throws {
        let pair = try pair()
        try pair.pump(step: 1)
        let long = String(repeating: "0123456789", count: 5000)
        pair.client.send(long)
        pair.server.send(long + "!")
        try pair.pump(step: 1)
        #expect(pair.server.recorder.text == long)
        #expect(pair.client.recorder.text == long + "!")
    }

    @Test func writesBeforeTheHandshakeWaitForIt() throws {
        let pair = try pair()
        pair.server.send("220 greeting\r\n")
        #expect(try pair.server.outgoing().isEmpty)
        try pair.pump()
        #expect(pair.client.recorder.text == "220 greeting\r\n")
    }

    @Test func tooMuchBeforeTheHandshakeIsRefused() throws {
        let pair = try pair()
        for _ in 0..<17 { pair.server.send(String(repeating: "x", count: 65536)) }
        #expect(pair.server.recorder.errors == [.tooMuchBeforeHandshake(limit: TLSHandler.waitingLimit)])
        #expect(!pair.server.channel.isActive)
    }

    @Test func oneFlushIsOneWriteAndFulfilsEveryPromise() throws {
        let pair = try pair()
        try pair.pump()
        let channel = pair.server.channel
        let done = NIOLockedValueBox(0)
        for _ in 0..<3 {
            let promise = channel.eventLoop.makePromise(of: Void.self)
            promise.futureResult.whenSuccess { done.withLockedValue { $0 += 1 } }
            channel.write(ByteBuffer(string: String(repeating: "y", count: 40_000)), promise: promise)
        }
        #expect(try pair.server.outgoing().isEmpty)
        channel.flush()
        #expect(try pair.server.outgoing().count == 1)
        #expect(done.withLockedValue { $0 } == 3)
    }

    @Test func closeNotifyEndsTheConnectionWithoutAnError() throws {
        let pair = try pair()
        try pair.pump()
        pair.client.send("QUIT\r\n")
        pair.client.channel.close(promise: nil)
        try pair.pump()
        #expect(pair.server.recorder.text == "QUIT\r\n")
        #expect(pair.server.recorder.inputClosed)
        #expect(pair.server.recorder.errors.isEmpty)
        #expect(!pair.server.channel.isActive)
    }

    @Test func anEndWithoutCloseNotifyIsToldAsTruncation() throws {
        let pair = try pair()
        try pair.pump()
        pair.server.channel.pipeline.fireChannelInactive()
        #expect(pair.server.recorder.errors == [.truncated])
    }

    @Test func anEndDuringTheHandshake() throws {
        let pair = try pair()
        pair.server.channel.pipeline.fireChannelInactive()
        #expect(pair.server.recorder.errors == [.handshakeFailed("the peer closed the connection")])
    }

    @Test(arguments: ["GET / HTTP/1.1\r\n\r\n", "EHLO mail.example.org\r\n"])
    func otherProtocolsAreNamed(_ text: String) throws {
        let side = try Side(TLSHandler(server: serverContext))
        side.channel.pipeline.fireChannelRead(ByteBuffer(string: text))
        let error = try #require(side.recorder.errors.first)
        #expect(error.description.contains(text.prefix(6)))
        #expect(!side.channel.isActive)
        #expect(side.recorder.text.isEmpty)
    }

    @Test func aRecordThatIsNoHandshakeFails() throws {
        let side = try Side(TLSHandler(server: serverContext))
        side.channel.pipeline.fireChannelRead(ByteBuffer(bytes: [22, 3, 1, 0, 4, 9, 9, 9, 9]))
        guard case .handshakeFailed(let reason)? = side.recorder.errors.first else { return #expect(Bool(false), "no error") }
        #expect(!reason.isEmpty)
    }

    @Test func aDamagedRecordBreaksTheConnection() throws {
        let pair = try pair()
        try pair.pump()
        pair.client.send("secret")
        var record = try #require(try pair.client.outgoing().first)
        record.setInteger(UInt8(0xff) ^ (record.getInteger(at: record.readableBytes - 1) ?? UInt8(0)), at: record.readableBytes - 1)
        pair.server.channel.pipeline.fireChannelRead(record)
        guard case .broken? = pair.server.recorder.errors.first else { return #expect(Bool(false), "no error") }
        #expect(pair.server.recorder.text.isEmpty)
    }

    @Test func aSilentPeerIsNotWaitedForForever() throws {
        let side = try Side(TLSHandler(server: serverContext, handshakeTimeout: .seconds(10)))
        side.channel.embeddedEventLoop.advanceTime(by: .seconds(9))
        #expect(side.recorder.errors.isEmpty)
        side.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(side.recorder.errors == [.handshakeTimeout])
    }

    @Test func serverNameChoosesTheCertificate() throws {
        let other = try folder.make("other", names: ["mail.other.example"])
        let otherContext = try TLSContext.server(certificateChain: other.certificate, privateKey: other.key)
        let main = try TLSContext.server(certificateChain: certificate, privateKey: folder.path + "/mx.key") { $0 == "mail.other.example" ? otherContext : nil }
        let client = try TLSContext.client(trust: .file(other.certificate))
        let pair = try Pair(client: TLSHandler(client: client, serverName: "mail.other.example", verification: .full(host: "mail.other.example")),
                            server: TLSHandler(server: main))
        try pair.pump()
        #expect(pair.client.recorder.completed?.peerVerified == true)
    }
}

/// What a client believes.
@Suite struct VerificationTests {
    let fixture: TLSHandlerTests
    init() throws { fixture = try TLSHandlerTests() }

    @Test(arguments: ["mx.home.example", "192.0.2.7"])
    func aTrustedCertificateWithTheHost(_ host: String) throws {
        let pair = try fixture.pair(.full(host: host), trust: .file(fixture.certificate), name: host)
        try pair.pump()
        #expect(pair.client.recorder.completed?.peerVerified == true)
        #expect(pair.client.recorder.errors.isEmpty)
    }

    @Test func anotherHost() throws {
        let pair = try fixture.pair(.full(host: "mx.elsewhere.example"), trust: .file(fixture.certificate))
        try pair.pump()
        guard case .untrusted(let reason)? = pair.client.recorder.errors.first else { return #expect(Bool(false), "believed") }
        #expect(reason.lowercased().contains("hostname"))
        #expect(pair.client.recorder.completed == nil)
        #expect(!pair.client.channel.isActive)
    }

    @Test func nobodyTrustsIt() throws {
        let pair = try fixture.pair(.full(host: "mx.home.example"))
        try pair.pump()
        guard case .untrusted? = pair.client.recorder.errors.first else { return #expect(Bool(false), "believed") }
    }

    /// RFC 7672 §3.1.1: usage 3 compares the certificate alone; its names do not count.
    @Test func daneUsage3() throws {
        let digest = try Self.sha256OfCertificate(fixture.certificate)
        let good = TLSARecord(usage: 3, selector: 0, matchingType: 1, data: digest)
        let pair = try fixture.pair(.dane(hosts: ["anything.example"], records: [good]), name: nil)
        try pair.pump()
        #expect(pair.client.recorder.completed?.peerVerified == true)
        #expect(pair.server.recorder.completed?.serverName == "anything.example")

        var wrong = digest
        wrong[0] ^= 1
        let bad = try fixture.pair(.dane(hosts: ["mx.home.example"], records: [TLSARecord(usage: 3, selector: 0, matchingType: 1, data: wrong)]))
        try bad.pump()
        guard case .untrusted? = bad.client.recorder.errors.first else { return #expect(Bool(false), "believed") }
    }

    /// RFC 7672 §3.1.3: usages 0 and 1 are unusable with SMTP; so is a digest of the wrong length.
    @Test(arguments: [TLSARecord(usage: 1, selector: 1, matchingType: 1, data: Array(repeating: 1, count: 32)),
                      TLSARecord(usage: 3, selector: 1, matchingType: 1, data: [1, 2, 3])])
    func daneWithoutAUsableRecord(_ record: TLSARecord) throws {
        #expect(throws: TLSError.noUsableTLSA) { try fixture.pair(.dane(hosts: ["mx.home.example"], records: [record])) }
    }

    static func sha256OfCertificate(_ path: String) throws -> [UInt8] {
        let bio = BIO_new_file(path, "r")
        defer { BIO_free(bio) }
        let certificate = try #require(PEM_read_bio_X509(bio, nil, nil, nil))
        defer { X509_free(certificate) }
        var digest = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        #expect(X509_digest(certificate, EVP_sha256(), &digest, &count) == 1)
        return digest
    }
}
