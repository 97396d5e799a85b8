import Accounts
import BlockingPool
import Logging
import MailStore
import NetworkAddress
import NIOCore
import NIOPosix
import Synchronization

/// An IMAP4rev1 and IMAP4rev2 listener (RFC 3501, RFC 9051) over a ``MailStore``, with the extensions that its CAPABILITY names.
public final class IMAPServer: Sendable {
    private let environment: SessionEnvironment
    private let pool: BlockingPool
    private let group: any EventLoopGroup
    private let table: ConnectionTable
    private let listener = Mutex<(any Channel)?>(nil)

    /// - Parameters:
    ///   - tls: nil while there is no certificate. Asked for each connection, so that a renewed certificate is used at once.
    ///   - quota: how much room accounts have; nil where that is not known.
    ///   - pool: where sessions run; they block on files there, and only there.
    public init(
        configuration: IMAPServerConfiguration, store: MailStore, authenticator: any Authenticator,
        tls: @escaping @Sendable () -> TLSUpgrade?, quota: (any QuotaSource)? = nil, pool: BlockingPool, group: any EventLoopGroup, logger: Logger
    ) {
        environment = SessionEnvironment(
            configuration: configuration, store: store, authenticator: authenticator, tls: tls, quota: quota, logger: logger)
        self.pool = pool
        self.group = group
        table = ConnectionTable(total: configuration.maximumConnections, perClient: configuration.maximumConnectionsPerClient)
    }

    /// Connections open now.
    public var connectionCount: Int { table.count }

    /// Binds and listens.
    /// - Returns: the address bound, with the port that was chosen.
    /// - Throws: NIO's error when the address cannot be bound.
    public func start() async throws -> SocketAddress {
        let address = try await bind()
        try await accept()
        return address
    }

    /// Takes the clients that wait at the port bound by ``bind()``, and all that follow.
    public func accept() async throws {
        try await listener.withLock { $0 }?.setOption(.autoRead, value: true).get()
    }

    /// Binds. Clients wait unanswered until ``accept()``: a process that gives up root does so between.
    /// - Returns: the address bound, with the port that was chosen.
    /// - Throws: NIO's error when the address cannot be bound.
    public func bind() async throws -> SocketAddress {
        let configuration = environment.configuration
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.autoRead, value: false)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            // Octets are read when the session asks for them.
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 32_768, high: 131_072))
            .childChannelInitializer { [self] channel in channel.eventLoop.makeCompletedFuture { try begin(channel) } }
        let channel = try await Self.bind(bootstrap, configuration.host, configuration.port)
        listener.withLock { $0 = channel }
        guard let address = channel.localAddress else { throw ChannelError.unknownLocalAddress }
        return address
    }

    /// An address as it stands: looked up as a name, `::` fails where no interface has an IPv6 address.
    private static func bind(_ bootstrap: ServerBootstrap, _ host: String, _ port: Int) async throws -> any Channel {
        do { return try await bootstrap.bind(to: try SocketAddress(ipAddress: host, port: port)).get() } catch let error as IOError where host == "::" && error.errnoCode == EAFNOSUPPORT {
            // A machine without IPv6: every address it has are those of IPv4.
            return try await bind(bootstrap, "0.0.0.0", port)
        }
    }

    /// Stops listening, lets sessions finish what they do and say BYE until the deadline, then closes what is left.
    public func shutdown(deadline: ContinuousClock.Instant = .now + .seconds(5)) async {
        try? await listener.withLock { $0.take() }?.close().get()
        let open = table.beginClosing()
        for connection in open { connection.shutDown() }
        while table.count > 0, ContinuousClock.now < deadline { try? await Task.sleep(for: .milliseconds(20)) }
        for connection in open { await connection.close() }
    }

    /// On the connection's event loop, before anything was read.
    private func begin(_ channel: any Channel) throws {
        let handler = ConnectionHandler()
        try channel.pipeline.syncOperations.addHandler(handler)
        if environment.configuration.implicitTLS {
            guard let upgrade = environment.tls() else { throw ConnectionClosed() }
            try handler.install(upgrade)
        }
        let connection = Connection(channel: channel, handler: handler, writeTimeout: environment.configuration.writeTimeout)
        guard table.add(connection) else { throw ConnectionClosed() }
        channel.closeFuture.whenComplete { [table] _ in table.remove(connection) }
        handler.onActive = { [environment, pool] in
            Task(executorPreference: pool) { await IMAPSession(environment: environment, connection: connection).run() }
        }
    }
}
