import InternetMessage
import NetworkAddress
import NIOCore
import NIOPosix
import SMTPCore
import Synchronization
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// An open session with one server, ready for transactions.
final class SMTPConnection: Sendable {
    let server: ServerFacts
    /// What the server offers, as of its last EHLO.
    let extensions: ServerExtensions
    private let channel: any Channel
    private let handler: NIOLoopBound<SMTPClientHandler>

    private let transactions = Atomic<Int>(0)
    private let opened = ContinuousClock.now

    private init(_ server: ServerFacts, _ extensions: ServerExtensions, _ channel: any Channel, _ handler: NIOLoopBound<SMTPClientHandler>) {
        self.server = server
        self.extensions = extensions
        self.channel = channel
        self.handler = handler
    }

    /// What an attempt to open one ended with.
    enum Failure: Error {
        /// Nobody answered at the address.
        case unreachable(String)
        case session(SessionFailure)
    }

    struct Parameters: Sendable {
        var session: SMTPClientSession.Configuration
        var tls: ClientTLS?
        var peer: TLSDemand.Peer
        var bindAddress: IPAddress?
        var overall: Duration
    }

    /// Connects and goes through greeting, EHLO, STARTTLS and log-in, each within its time.
    static func open(_ server: ServerFacts, _ parameters: Parameters, group: any EventLoopGroup) async throws(Failure) -> SMTPConnection {
        let loop = group.next()
        let readiness = loop.makePromise(of: ServerExtensions.self)
        let made: (any Channel, NIOLoopBound<SMTPClientHandler>)
        do {
            made = try await connect(server, parameters, loop, readiness)
        } catch {
            readiness.fail(error)
            throw .unreachable("connect to \(server): \(reason(error))")
        }
        do {
            let extensions = try await readiness.futureResult.get()
            var facts = server
            facts.tls = try await made.1.eventLoop.submit { made.1.value.tlsDescription }.get()
            return SMTPConnection(facts, extensions, made.0, made.1)
        } catch {
            throw .session(error as? SessionFailure ?? .connectionLost(at: "the greeting (\(error))"))
        }
    }

    private static func connect(_ server: ServerFacts, _ parameters: Parameters, _ loop: any EventLoop,
                                _ readiness: EventLoopPromise<ServerExtensions>) async throws -> (any Channel, NIOLoopBound<SMTPClientHandler>) {
        let handlerPromise = loop.makePromise(of: NIOLoopBound<SMTPClientHandler>.self)
        let name = server.name
        var bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(TimeAmount(min(parameters.session.timeouts.connect, parameters.overall)))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = SMTPClientHandler(parameters.session, tls: parameters.tls, serverName: name, peer: parameters.peer,
                                                    overall: TimeAmount(parameters.overall), readiness: readiness)
                    try channel.pipeline.syncOperations.addHandler(handler)
                    handlerPromise.succeed(NIOLoopBound(handler, eventLoop: channel.eventLoop))
                }
            }
        if let local = parameters.bindAddress { bootstrap = bootstrap.bind(to: try SocketAddress(ipAddress: "\(local)", port: 0)) }
        do {
            let channel: any Channel
            if let address = server.address {
                bootstrap = bootstrap.channelOption(.socketOption(.so_keepalive), value: 1).channelOption(.tcpOption(.tcp_nodelay), value: 1)
                channel = try await bootstrap.connect(to: SocketAddress(ipAddress: "\(address)", port: server.port)).get()
            } else {
                channel = try await bootstrap.connect(unixDomainSocketPath: name).get()
            }
            return (channel, try await handlerPromise.futureResult.get())
        } catch {
            handlerPromise.fail(error)
            throw error
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case ChannelError.connectTimeout: "timed out"
        default: "\(error)"
        }
    }

    /// Runs one transaction; always comes back with a report, within the time.
    func send(_ transaction: ClientTransaction, _ message: OutgoingMessage, within time: Duration) async -> TransactionReport {
        transactions.add(1, ordering: .relaxed)
        let promise = channel.eventLoop.makePromise(of: TransactionReport.self)
        channel.eventLoop.execute { [handler] in handler.value.begin(transaction, message, within: TimeAmount(time), promise) }
        do {
            return try await promise.futureResult.get()
        } catch {
            return TransactionReport(unsent: transaction, error as? SessionFailure ?? .connectionLost(at: "the server"))
        }
    }

    var isOpen: Bool { channel.isActive }

    /// Transactions begun so far.
    var uses: Int { transactions.load(ordering: .relaxed) }

    var age: Duration { opened.duration(to: .now) }

    func schedule(in time: TimeAmount, _ work: @escaping @Sendable () -> Void) { channel.eventLoop.scheduleTask(in: time, work) }

    /// Says QUIT; does not wait for the answer.
    func quit() { channel.eventLoop.execute { [handler] in handler.value.quit() } }
}
