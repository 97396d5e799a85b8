import Accounts
import LocalSocket
import Logging
import NIOCore
import NIOPosix
import NetworkAddress
import Synchronization

/// Where to listen.
public enum AuthListener: Sendable, Hashable, CustomStringConvertible {
    case unix(UnixSocket)
    case tcp(host: String, port: Int)

    public var description: String {
        switch self {
        case .unix(let socket): "unix:\(socket.path)"
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }
}

/// Answers log-ins for other servers, as Dovecot's auth process does: `smtpd_sasl_type = dovecot`.
public final class DovecotAuthServer: Sendable {
    public struct Configuration: Sendable {
        public var listeners: [AuthListener]
        /// Each process of Postfix's `smtpd` keeps one.
        public var connectionLimit = 1000
        /// How long the client may take to say who it is.
        public var handshakeTimeout = TimeAmount.seconds(30)
        /// How long an exchange may take from AUTH to its end.
        public var requestTimeout = TimeAmount.seconds(150)
        /// How long one check may take, the pause for those who failed before among it: Postfix waits ten seconds for a
        /// reply and then takes the server for lost.
        public var checkTimeout = TimeAmount.seconds(8)

        public init(listeners: [AuthListener]) { self.listeners = listeners }
    }

    private let configuration: Configuration
    private let environment: AuthEnvironment
    private let group: any EventLoopGroup
    private let listening = Mutex<[any Channel]>([])

    public init(configuration: Configuration, authenticator: any SCRAMAuthenticator, group: any EventLoopGroup, logger: Logger) {
        self.configuration = configuration
        self.group = group
        environment = AuthEnvironment(configuration: configuration, authenticator: authenticator, logger: logger)
    }

    /// ``bind()`` and ``accept()``.
    public func start() async throws -> [AuthListener] {
        let bound = try await bind()
        try await accept()
        return bound
    }

    /// Takes clients.
    public func accept() async throws {
        for channel in listening.withLock({ $0 }) { try await channel.setOption(.autoRead, value: true).get() }
    }

    /// Binds all listeners or none. Clients wait unanswered until ``accept()``: a process that gives up root does so between.
    /// - Returns: where, in the order of the configuration: a port that the system chose is filled in.
    /// - Throws: ``UnixSocketError``, ``AuthBindFailure``.
    public func bind() async throws -> [AuthListener] {
        var out: [AuthListener] = []
        do {
            for listener in configuration.listeners { out.append(try await bind(listener)) }
        } catch {
            await stop()
            throw error
        }
        return out
    }

    /// Stops listening and closes every connection: an asking server connects anew, or says that it cannot.
    public func stop() async {
        let channels = listening.withLock { channels in
            defer { channels = [] }
            return channels
        }
        for channel in channels { try? await channel.close() }
        for case .unix(let socket) in configuration.listeners { socket.remove() }
        environment.closeAll()
    }

    private func bind(_ listener: AuthListener) async throws -> AuthListener {
        let environment = environment
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.autoRead, value: false)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(AuthConnection(environment)) }
            }
        let channel: any Channel
        switch listener {
        case .unix(let socket): channel = try await socket.bind(bootstrap)
        case .tcp(let host, let port):
            do {
                channel = try await bootstrap.serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                    .childChannelOption(.tcpOption(.tcp_nodelay), value: 1).bind(host: host, port: port).get()
            } catch { throw AuthBindFailure(listener: listener, reason: "\(error)") }
        }
        listening.withLock { $0.append(channel) }
        guard case .tcp(let host, let port) = listener else { return listener }
        return .tcp(host: channel.localAddress?.ipAddress ?? host, port: channel.localAddress?.port ?? port)
    }
}

/// Why a port cannot be listened on.
public struct AuthBindFailure: Error, CustomStringConvertible {
    public let listener: AuthListener
    public let reason: String
    public var description: String { "cannot listen on \(listener) for log-ins: \(reason)" }
}

/// What all connections share.
final class AuthEnvironment: Sendable {
    let configuration: DovecotAuthServer.Configuration
    let authenticator: any SCRAMAuthenticator
    let logger: Logger
    private let state = Mutex<(last: UInt64, channels: [ObjectIdentifier: any Channel])>((0, [:]))

    init(configuration: DovecotAuthServer.Configuration, authenticator: any SCRAMAuthenticator, logger: Logger) {
        self.configuration = configuration
        self.authenticator = authenticator
        self.logger = logger
    }

    /// - Returns: the connection's number; nil when there are too many.
    func admit(_ channel: any Channel) -> UInt64? {
        state.withLock { state in
            guard state.channels.count < configuration.connectionLimit else { return nil }
            state.channels[ObjectIdentifier(channel)] = channel
            state.last += 1
            return state.last
        }
    }

    func release(_ channel: any Channel) { state.withLock { $0.channels[ObjectIdentifier(channel)] = nil } }

    func closeAll() {
        for channel in state.withLock({ Array($0.channels.values) }) { channel.close(promise: nil) }
    }

    /// The answer to a question; waits as long as the accounts do.
    func find(_ question: AuthQuestion) async -> AuthAnswer {
        switch question {
        case .password(let credentials, let client):
            switch await authenticator.authenticate(user: credentials.user, password: credentials.password, client: client) {
            case .success(let account): .accepted(account.name)
            case .failure: .refused
            case .unavailable(let reason): .unavailable(reason)
            }
        case .scramKeys(let user, let client):
            switch await authenticator.scramKeys(of: user, client: client) {
            case .keys(let keys, let account): .keys(keys, account: account?.name)
            case .unavailable(let reason): .unavailable(reason)
            }
        }
    }
}
