import BlockingPool
import Foundation
import InternetMessage
import Logging
import Milter
import NIOCore
import NIOPosix
import NetworkAddress
import SMTPCore
import Synchronization
import TLS

/// The SMTP listeners of a gateway: relay in, submission, submission over TLS.
public final class SMTPServer: Sendable {
    public struct Bound: Sendable, Hashable {
        public let kind: SMTPServerConfiguration.Listener.Kind
        public let host: String
        public let port: Int
    }

    private struct State {
        var listeners: [any Channel] = []
        var sessions: [ObjectIdentifier: any Channel] = [:]
        var perClient: [IPAddress: Int] = [:]
        var stopping = false
    }

    private let configuration: SMTPServerConfiguration
    private let services: SMTPServices
    private let group: any EventLoopGroup
    private let state = Mutex(State())

    public init(configuration: SMTPServerConfiguration, services: SMTPServices, group: any EventLoopGroup) {
        self.configuration = configuration
        self.services = services
        self.group = group
    }

    /// Binds every listener, or none.
    /// - Throws: ``ListenFailure`` naming the address that cannot be had.
    public func start() async throws -> [Bound] {
        var bound: [Bound] = []
        do {
            for listener in configuration.listeners { bound += try await bind(listener) }
            return bound
        } catch {
            for channel in state.withLock({ $0.listeners }) { try? await channel.close() }
            throw error
        }
    }

    /// Takes no more connections, sends idle sessions away, and waits for messages in progress until the deadline.
    public func shutdown(deadline: Duration) async {
        let (listeners, sessions) = state.withLock { state in
            state.stopping = true
            return (state.listeners, Array(state.sessions.values))
        }
        for channel in listeners { try? await channel.close() }
        for channel in sessions { channel.pipeline.fireUserInboundEventTriggered(ServerShutsDown()) }
        let end = ContinuousClock.now + deadline
        while state.withLock({ !$0.sessions.isEmpty }), ContinuousClock.now < end { try? await Task.sleep(for: .milliseconds(20)) }
        for channel in state.withLock({ Array($0.sessions.values) }) { try? await channel.close() }
    }

    private func bind(_ listener: SMTPServerConfiguration.Listener) async throws -> [Bound] {
        var bound: [Bound] = []
        for host in listener.host.map({ [$0.description] }) ?? ["0.0.0.0", "::"] {
            let port = bound.first?.port ?? listener.port
            let channel: any Channel
            do { channel = try await bootstrap(listener.kind, isV6: host.contains(":")).bind(host: host, port: port).get() } catch {
                // A machine without IPv6 still listens on every address it has; a port that is taken is another matter.
                let isAbsent = [EAFNOSUPPORT, EADDRNOTAVAIL].contains((error as? IOError)?.errnoCode)
                if host == "::", listener.host == nil, !bound.isEmpty, isAbsent { continue }
                throw ListenFailure(what: listener.kind.rawValue, host: host, port: listener.port, error)
            }
            state.withLock { $0.listeners.append(channel) }
            bound.append(Bound(kind: listener.kind, host: host, port: channel.localAddress?.port ?? port))
        }
        return bound
    }

    private func bootstrap(_ kind: SMTPServerConfiguration.Listener.Kind, isV6: Bool) -> ServerBootstrap {
        let plain = ServerBootstrap(group: group)
        // IPv4 has a listener of its own.
        let base = isV6 ? plain.serverChannelOption(.socket(SocketOptionLevel(IPPROTO_IPV6), SocketOptionName(IPV6_V6ONLY)), value: 1) : plain
        return base
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture { try initialize(channel, kind) }
            }
    }

    private func initialize(_ channel: any Channel, _ kind: SMTPServerConfiguration.Listener.Kind) throws {
        let client = channel.remoteAddress.flatMap { $0.ipAddress }.flatMap { IPAddress($0) }?.unmapped
        guard admit(channel, client) else {
            let reply = SMTPReply(421, "4.7.0", "\(configuration.hostname) Error: too many connections")
            return try channel.pipeline.syncOperations.addHandler(RefusalHandler(reply))
        }
        let tls = services.tls()
        let implicit = kind == .submissions
        guard !implicit || tls != nil else { return channel.close(promise: nil) }
        var rules = SMTPServerRules(hostname: configuration.hostname, messageSizeLimit: configuration.messageSizeLimit,
                                    recipientLimit: configuration.recipientLimit, offersTLS: tls != nil)
        rules.isSubmission = kind != .smtp
        rules.offersAuth = kind != .smtp
        let conversation = Conversation(services, configuration, kind, facts(channel, client, kind))
        if implicit, let tls { try channel.pipeline.syncOperations.addHandler(TLSHandler(server: tls)) }
        try channel.pipeline.syncOperations.addHandler(SMTPHandler(conversation, rules: rules, tls: tls, isTLS: implicit))
    }

    private func facts(_ channel: any Channel, _ client: IPAddress?, _ kind: SMTPServerConfiguration.Listener.Kind) -> ConnectionFacts {
        ConnectionFacts(
            clientAddress: client, clientPort: channel.remoteAddress?.port.flatMap { UInt16(exactly: $0) },
            localAddress: channel.localAddress?.ipAddress.flatMap { IPAddress($0) },
            localPort: channel.localAddress?.port.flatMap { UInt16(exactly: $0) },
            listener: kind.rawValue, daemonName: kind == .smtp ? "smtpd" : "ORIGINATING",
            isOwnNetwork: client.map { client in configuration.ownNetworks.contains { $0.contains(client) } } ?? false)
    }

    /// Counts a connection in, or says that there are too many.
    private func admit(_ channel: any Channel, _ client: IPAddress?) -> Bool {
        let key = ObjectIdentifier(channel)
        let admitted = state.withLock { state -> Bool in
            guard !state.stopping, configuration.connectionLimit == 0 || state.sessions.count < configuration.connectionLimit else { return false }
            if let client {
                let count = state.perClient[client, default: 0]
                guard configuration.clientConnectionLimit == 0 || count < configuration.clientConnectionLimit else { return false }
                state.perClient[client] = count + 1
            }
            state.sessions[key] = channel
            return true
        }
        guard admitted else { return false }
        channel.closeFuture.whenComplete { [self] _ in
            state.withLock { state in
                state.sessions[key] = nil
                guard let client, let count = state.perClient[client] else { return }
                state.perClient[client] = count > 1 ? count - 1 : nil
            }
        }
        return true
    }
}

/// Says one reply and closes. A write before the channel is active would be lost.
private final class RefusalHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let reply: SMTPReply

    init(_ reply: SMTPReply) { self.reply = reply }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(string: reply.wire)), promise: nil)
        context.close(promise: nil)
    }
}

/// A port that cannot be had, and what to do about it.
public struct ListenFailure: Error, CustomStringConvertible {
    public let description: String

    public init(what: String, host: String, port: Int, _ error: any Error) {
        let code = (error as? IOError)?.errnoCode
        let address = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        switch code {
        case EADDRINUSE: description = "\(what): \(address) is taken by another program; find it with: ss -ltnp 'sport = :\(port)'"
        case EACCES: description = "\(what): \(address) needs the right to bind low ports: start as root, or grant CAP_NET_BIND_SERVICE"
        case EADDRNOTAVAIL: description = "\(what): \(host) is not an address of this machine"
        default: description = "\(what): cannot listen on \(address): \(error)"
        }
    }
}
