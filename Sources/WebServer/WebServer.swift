import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NetworkAddress
import Synchronization
import TLS

/// A small HTTP/1.1 server for small documents: challenges, policies, metrics. A connection serves one request; requests
/// have no body that counts, and everything is bounded.
public final class WebServer: Sendable {
    public struct Limits: Sendable {
        /// Connections at once; further ones are closed.
        public var connections = 128
        /// Octets of a request, its head included.
        public var request = 16_384
        /// From the first octet to the last of the answer, the TLS handshake included.
        public var time = TimeAmount.seconds(15)
        public init() {}
    }

    public let host: String
    public let port: Int
    private let tls: (@Sendable () -> TLSContext?)?
    private let group: any EventLoopGroup
    private let limits: Limits
    private let answer: WebAnswer
    private let listener = Mutex<(any Channel)?>(nil)
    private let open = Atomic<Int>(0)

    /// - Parameters:
    ///   - tls: asked for each connection; nil: clear text.
    ///   - answer: makes the answer to each request.
    public init(host: String, port: Int, tls: (@Sendable () -> TLSContext?)? = nil, group: any EventLoopGroup, limits: Limits = Limits(), answer: @escaping WebAnswer) {
        self.host = host
        self.port = port
        self.tls = tls
        self.group = group
        self.limits = limits
        self.answer = answer
    }

    /// Binds. Clients wait unanswered until ``accept()``: a process that gives up root does so between.
    /// - Returns: the port bound.
    /// - Throws: NIO's error when the address cannot be bound.
    @discardableResult
    public func bind() async throws -> Int {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 128)
            .serverChannelOption(.autoRead, value: false)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { [self] channel in channel.eventLoop.makeCompletedFuture { try begin(channel) } }
        let channel = try await bootstrap.bind(host: host, port: port).get()
        listener.withLock { $0 = channel }
        return channel.localAddress?.port ?? port
    }

    public func accept() async throws { try await listener.withLock { $0 }?.setOption(.autoRead, value: true).get() }

    /// Stops listening; requests under way have their own deadline.
    public func stop() async { try? await listener.withLock { $0.take() }?.close().get() }

    private func begin(_ channel: any Channel) throws {
        guard open.add(1, ordering: .relaxed).newValue <= limits.connections else {
            open.subtract(1, ordering: .relaxed)
            throw ChannelError.connectTimeout(.zero)
        }
        channel.closeFuture.whenComplete { [self] _ in open.subtract(1, ordering: .relaxed) }
        let pipeline = channel.pipeline.syncOperations
        if let tls {
            guard let context = tls() else { throw TLSError.configuration("there is no certificate") }
            try pipeline.addHandler(TLSHandler(server: context, handshakeTimeout: limits.time))
        }
        try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false, withErrorHandling: true)
        try pipeline.addHandler(WebHandler(answer: answer, limits: limits))
    }
}

/// Makes the answer to a request.
public typealias WebAnswer = @Sendable (WebRequest) async -> WebResponse

/// A request as far as it counts here.
public struct WebRequest: Sendable, Hashable {
    /// `GET`, `HEAD`
    public let method: String
    /// Without the query.
    public let path: String
    /// The Host field's name, in lower case, without the port; empty when there is none.
    public let host: String

    public init(method: String = "GET", path: String, host: String = "") {
        self.method = method
        self.path = path
        self.host = host
    }
}

public struct WebResponse: Sendable, Hashable {
    public let status: Int
    /// `text/plain; charset=utf-8`
    public let type: String
    public let body: [UInt8]

    public init(status: Int = 200, type: String = "text/plain; charset=utf-8", body: [UInt8]) {
        self.status = status
        self.type = type
        self.body = body
    }

    public static func text(_ text: String, status: Int = 200, type: String = "text/plain; charset=utf-8") -> WebResponse {
        WebResponse(status: status, type: type, body: Array(text.utf8))
    }

    public static let notFound = WebResponse.text("not found\n", status: 404)
}
