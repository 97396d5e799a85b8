import BlockingPool
import InternetMessage
import Logging
import Milter
import NIOCore
import NIOEmbedded
import NIOPosix
import NetworkAddress
import Synchronization
import Testing
@testable import SMTPServer
@testable import TLS

/// Starting, limits, time, and the end.
@Suite struct LifecycleTests {
    @Test func aBusyPortIsNamed() async throws {
        try await RunningServer.with { running in
            let port = running.port
            await #expect(throws: SMTPServerError.portInUse(listener: "smtp", host: "127.0.0.1", port: port)) {
                try await RunningServer.with(configure: { $0.listeners = [.smtp(host: "127.0.0.1", port: port)] }) { _ in }
            }
            #expect(SMTPServerError.portInUse(listener: "smtp", host: "127.0.0.1", port: port).description.contains("port \(port)"))
        }
    }

    @Test func tlsWithoutACertificate() async throws {
        let configuration = SMTPServerConfiguration(
            hostname: try #require(DomainName("mx.home.example")), listeners: [.smtp(host: "127.0.0.1", port: 0), .submissions(host: "127.0.0.1", port: 0)], spoolFolder: "/")
        let server = SMTPServer(
            configuration: configuration, chain: { _ in FilterChain([]) }, authenticator: OneUser(), recipients: Directory(), sink: Shelf(), tls: { nil },
            pool: BlockingPool(threads: 1), group: MultiThreadedEventLoopGroup.singleton, logger: Logger(label: "test"))
        await #expect(throws: SMTPServerError.needsCertificate(listener: "submissions")) { try await server.start() }
    }

    @Test func aBoundPortIsNotServedBeforeItIsTold() async throws {
        // One event loop for both: when the second server has greeted, the loop has been past the first one's client, too.
        let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let mayServe = Mutex(false), tooEarly = Mutex(0)
        func server(_ tls: @escaping @Sendable () -> TLSContext?) throws -> SMTPServer {
            let configuration = SMTPServerConfiguration(
                hostname: try #require(DomainName("mx.home.example")), listeners: [.smtp(host: "127.0.0.1", port: 0)], spoolFolder: "/")
            return SMTPServer(
                configuration: configuration, chain: { _ in FilterChain([]) }, authenticator: OneUser(), recipients: Directory(), sink: Shelf(), tls: tls,
                pool: BlockingPool(threads: 1), group: loop, logger: Logger(label: "test"))
        }
        let waiting = try server {
            if !mayServe.withLock({ $0 }) { tooEarly.withLock { $0 += 1 } }
            return nil
        }
        let other = try server { nil }
        let port = try #require(try await waiting.bind().first).port
        tooEarly.withLock { $0 = 0 }
        let early = try await TestClient.connect(port: port)
        let late = try await TestClient.connect(port: try #require(try await other.start().first).port)
        #expect(try await late.reply().hasPrefix("220"))
        #expect(waiting.connectionCount == 0)
        mayServe.withLock { $0 = true }
        try await waiting.accept()
        #expect(try await early.reply().hasPrefix("220"))
        #expect(tooEarly.withLock { $0 } == 0)
        for server in [waiting, other] { await server.shutdown(deadline: .zero) }
        try await loop.shutdownGracefully()
    }

    @Test func tooManyConnections() async throws {
        try await RunningServer.with(configure: { $0.connectionLimitPerClient = 2 }) { running in
            let first = try await running.greeted(), second = try await running.greeted()
            let third = try await running.client()
            #expect(try await third.reply().hasPrefix("421 4.7.0 mx.home.example Error: too many connections from 127.0.0.1"))
            #expect(try await third.isClosed())
            #expect(try await first.say("QUIT").hasPrefix("221"))
            #expect(try await first.isClosed())
            _ = second
        }
        try await RunningServer.with(configure: { $0.connectionLimit = 1 }) { running in
            let first = try await running.greeted()
            #expect(try await running.client().reply().hasPrefix("421 4.7.0 mx.home.example Error: too many connections"))
            _ = first
        }
    }

    @Test func idleSessionsAreSentAwayAndMessagesInProgressEnd() async throws {
        let gate = Gate()
        let shelf = Shelf(gate: gate)
        try await RunningServer.with(shelf: shelf) { running in
            let idle = try await running.greeted(), busy = try await running.greeted(), open = try await running.greeted()
            try await running.converse(busy, FilterTests.message)
            try await running.converse(open, FilterTests.envelope)
            await gate.reached()
            async let end: Void = running.server.shutdown(deadline: .seconds(30))
            #expect(try await idle.reply().hasPrefix("421 4.3.2"))
            #expect(try await idle.isClosed())
            await #expect(throws: (any Error).self) { try await running.client() }
            gate.open()
            #expect(try await busy.reply().hasPrefix("250 2.0.0 Ok: queued"))
            #expect(try await busy.reply().hasPrefix("421 4.3.2"))
            try await running.converse(open, "C: DATA\nS: 354\nC: x\nC: .\nS: 250\nS: 421 4.3.2")
            await end
            #expect(running.server.connectionCount == 0)
            #expect(shelf.transactions.count == 2)
        }
    }

    @Test func theDeadlineOfTheEnd() async throws {
        try await RunningServer.with { running in
            let open = try await running.greeted()
            try await running.converse(open, FilterTests.envelope)
            await running.server.shutdown(deadline: .milliseconds(50))
            #expect(running.server.connectionCount == 0)
            #expect(try await open.isClosed())
        }
    }
}

/// Time, on a loop whose clock the test moves.
@Suite struct TimeoutTests {
    let channel = EmbeddedChannel()

    init() throws {
        let configuration = SMTPServerConfiguration(hostname: try #require(DomainName("mx.home.example")), listeners: [], spoolFolder: "/")
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let environment = SessionEnvironment(
            configuration: configuration, chain: { _ in FilterChain([]) }, authenticator: OneUser(), recipients: Directory(), sink: Shelf(), tls: { nil },
            reverseName: nil, pool: BlockingPool(threads: 1), logger: logger, ids: TransactionIDs())
        try channel.pipeline.syncOperations.addHandler(
            SMTPSession(environment: environment, listener: .smtp(), tlsContext: nil, facts: .init(listener: "smtp")))
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
    }

    func said() throws -> String {
        var out = ""
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { out += String(buffer: buffer) }
        return out
    }

    func send(_ text: String) {
        channel.pipeline.fireChannelRead(ByteBuffer(string: text))
        channel.pipeline.fireChannelReadComplete()
    }

    @Test func silence() throws {
        #expect(try said().hasPrefix("220"))
        channel.embeddedEventLoop.advanceTime(by: .seconds(200))
        send("NOOP\r\n")
        channel.embeddedEventLoop.advanceTime(by: .seconds(299))
        #expect(try said() == "250 2.0.0 Ok\r\n")
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(try said() == "421 4.4.2 mx.home.example Error: timeout exceeded\r\n")
        channel.embeddedEventLoop.advanceTime(by: .seconds(5))
        #expect(!channel.isActive)
    }

    /// An octet now and then does not keep a command line alive.
    @Test func dripping() throws {
        _ = try said()
        for _ in 0..<3 {
            send("X")
            channel.embeddedEventLoop.advanceTime(by: .seconds(90))
        }
        #expect(try said() == "")
        send("X")
        channel.embeddedEventLoop.advanceTime(by: .seconds(30))
        #expect(try said().hasPrefix("421 4.4.2"))
    }
}
