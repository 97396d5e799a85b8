import Accounts
import BlockingPool
import LocalSocket
import Logging
import Milter
import NIOCore
import NIOPosix
import NetworkAddress
import Synchronization
import TLS

/// The SMTP server: listeners, and a session for each connection.
public final class SMTPServer: Sendable {
    /// Where a listener listens.
    public struct BoundAddress: Sendable, Hashable, CustomStringConvertible {
        public let listener: String
        public let host: String
        public let port: Int
        /// Where a UNIX socket stands: host is its path and port 0.
        public var description: String { host.hasPrefix("/") ? "\(listener) on unix:\(host)" : "\(listener) on \(host.contains(":") ? "[\(host)]" : host):\(port)" }
    }

    private let environment: SessionEnvironment
    private let group: any EventLoopGroup
    private let listening = Mutex<[any Channel]>([])

    /// - Parameters:
    ///   - chain: the filters of a listener, asked for at each connection: a reload concerns new connections.
    ///   - tls: the server's certificate now, asked for at each connection; nil when there is none.
    ///   - reverseName: the client's verified name (its PTR, whose forward look-up leads back); nil looks for none.
    ///   - observer: told how each message ended, for its record.
    ///   - ids: names messages; one for everything of an installation that makes any.
    ///   - pool: where bodies are spilled and messages judged.
    public init(
        configuration: SMTPServerConfiguration, chain: @escaping @Sendable (SMTPListener) -> FilterChain, authenticator: any Authenticator,
        recipients: any RecipientDirectory, sink: any MessageSink, tls: @escaping @Sendable () -> TLSContext?, pool: BlockingPool,
        group: any EventLoopGroup, logger: Logger, reverseName: (@Sendable (IPAddress) async -> String?)? = nil,
        ids: TransactionIDs = TransactionIDs(), observer: (any TransactionObserver)? = nil
    ) {
        environment = SessionEnvironment(
            configuration: configuration, chain: chain, authenticator: authenticator, recipients: recipients, sink: sink, tls: tls,
            reverseName: reverseName, pool: pool, logger: logger, ids: ids, observer: observer)
        self.group = group
    }

    /// Connections that stand now.
    public var connectionCount: Int { environment.registry.count }

    /// Begins to listen; all listeners or none.
    /// - Returns: where, in the order of the configuration.
    /// - Throws: ``SMTPServerError``.
    public func start() async throws -> [BoundAddress] {
        let bound = try await bind()
        try await accept()
        return bound
    }

    /// Takes the clients that wait at the ports bound by ``bind()``, and all that follow.
    public func accept() async throws {
        for channel in listening.withLock({ $0 }) { try await channel.setOption(.autoRead, value: true).get() }
    }

    /// Binds all listeners or none. Clients wait unanswered until ``accept()``: a process that gives up root does so between.
    /// - Returns: where, in the order of the configuration.
    /// - Throws: ``SMTPServerError``.
    public func bind() async throws -> [BoundAddress] {
        var bound: [BoundAddress] = []
        do {
            for listener in environment.configuration.listeners {
                if listener.implicitTLS || listener.requiresTLS, environment.tls() == nil { throw SMTPServerError.needsCertificate(listener: listener.name) }
                let channel = try await bind(listener)
                listening.withLock { $0.append(channel) }
                let address = channel.localAddress
                bound.append(BoundAddress(listener: listener.name, host: listener.unixSocket?.path ?? address?.ipAddress ?? listener.host,
                                          port: listener.unixSocket == nil ? address?.port ?? listener.port : 0))
            }
        } catch {
            await stopListening()
            throw error
        }
        return bound
    }

    /// Stops listening, sends idle clients away with 421, lets messages in progress come to their end, and closes what
    /// is left when the time is over.
    public func shutdown(deadline: TimeAmount) async {
        await stopListening()
        environment.registry.drain()
        let registry = environment.registry
        let end = group.any().scheduleTask(in: deadline) { registry.closeAll() }
        await registry.waitUntilEmpty()
        end.cancel()
    }

    private func stopListening() async {
        let channels = listening.withLock { channels in
            defer { channels = [] }
            return channels
        }
        for channel in channels { try? await channel.close() }
        for listener in environment.configuration.listeners { listener.unixSocket?.remove() }
    }

    private func bind(_ listener: SMTPListener) async throws -> any Channel {
        let environment = environment
        do {
            let bootstrap = ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 1024)
                .serverChannelOption(.autoRead, value: false)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture { try Self.addHandlers(to: channel, listener, environment) }
                }
            if let socket = listener.unixSocket { return try await socket.bind(bootstrap) }
            return try await bootstrap
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                // An address as it stands: looked up as a name, `::` fails where no interface has an IPv6 address.
                .bind(to: try SocketAddress(ipAddress: listener.host, port: listener.port)).get()
        } catch let error as UnixSocketError {
            throw SMTPServerError.socket(listener: listener.name, error)
        } catch {
            // A machine without IPv6: every address it has are those of IPv4.
            if listener.host == "::", (error as? IOError)?.errnoCode == EAFNOSUPPORT {
                var other = listener
                other.host = "0.0.0.0"
                return try await bind(other)
            }
            throw SMTPServerError(error, listener)
        }
    }

    private static func addHandlers(to channel: any Channel, _ listener: SMTPListener, _ environment: SessionEnvironment) throws {
        // Nobody listens between the two ends of a UNIX socket.
        let tls = listener.unixSocket == nil ? environment.tls() : nil
        if listener.implicitTLS {
            guard let tls else { throw SMTPServerError.needsCertificate(listener: listener.name) }
            try channel.pipeline.syncOperations.addHandler(try TLSHandler(server: tls))
        }
        let facts = Self.facts(channel, listener, environment.configuration)
        try channel.pipeline.syncOperations.addHandler(SMTPSession(environment: environment, listener: listener, tlsContext: tls, facts: facts))
    }

    private static func facts(_ channel: any Channel, _ listener: SMTPListener, _ configuration: SMTPServerConfiguration) -> ConnectionFacts {
        let client = channel.remoteAddress?.ipAddress.flatMap { IPAddress($0) }?.unmapped
        return ConnectionFacts(
            clientAddress: client, clientPort: channel.remoteAddress?.port.flatMap { UInt16(exactly: $0) },
            localAddress: channel.localAddress?.ipAddress.flatMap { IPAddress($0) }?.unmapped,
            localPort: channel.localAddress?.port.flatMap { UInt16(exactly: $0) }, listener: listener.name,
            daemonName: listener.requiresAuthentication ? "ORIGINATING" : "smtpd",
            // Who delivers by LMTP is no author: the mail came from elsewhere.
            isOwnNetwork: listener.speaks == .lmtp ? false : configuration.isOwn(client))
    }
}
