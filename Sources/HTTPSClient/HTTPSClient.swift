import DNS
import NIOCore
import NIOPosix
import NetworkAddress
import TLS

/// Fetches small documents over HTTPS: one request on a connection of its own, everything bounded, no redirect followed.
public struct HTTPSClient: Sendable {
    public struct Limits: Sendable, Hashable {
        /// Octets of the body.
        public var body = 65_536
        /// From the first look-up to the last octet.
        public var time: Duration = .seconds(60)
        /// Addresses of the host that are tried.
        public var addresses = 3
        public init() {}
    }

    let resolver: any DNS.Resolver
    let group: any EventLoopGroup
    let context: TLSContext
    let limits: Limits
    let port: Int

    /// - Parameter context: a client's; whom it trusts is whom the certificate must come from.
    public init(resolver: any DNS.Resolver, group: any EventLoopGroup, context: TLSContext, limits: Limits = Limits(), port: Int = 443) {
        self.resolver = resolver
        self.group = group
        self.context = context
        self.limits = limits
        self.port = port
    }

    /// Gets `https://host/path`. The certificate must be for the host.
    /// - Throws: ``HTTPSFailure``.
    public func get(_ host: DomainName, path: String) async throws(HTTPSFailure) -> HTTPSResponse {
        try await send(HTTPSRequest(path: path), to: host, port: port)
    }

    /// Sends a request. The certificate must be for the host.
    /// - Throws: ``HTTPSFailure``.
    public func send(_ request: HTTPSRequest, to host: DomainName, port: Int) async throws(HTTPSFailure) -> HTTPSResponse {
        let end = ContinuousClock.now + limits.time
        let addresses = try await addresses(of: host)
        var last = HTTPSFailure.unreachable("\(host) has no address")
        for address in addresses.prefix(limits.addresses) {
            let left = end - ContinuousClock.now
            guard left > .zero else { throw .timedOut }
            do throws(HTTPSFailure) {
                return try await send(request, host, port, at: address, within: left)
            } catch {
                // Only what another address may do better is tried again.
                guard case .unreachable = error else { throw error }
                last = error
            }
        }
        if ContinuousClock.now >= end { throw .timedOut }
        throw last
    }

    private func addresses(of host: DomainName) async throws(HTTPSFailure) -> [IPAddress] {
        async let v4 = resolver.lookup(ARecord.self, at: host)
        async let v6 = resolver.lookup(AAAARecord.self, at: host)
        let (a, aaaa) = await (v4, v6)
        let all = a.records.map(\.address) + aaaa.records.map(\.address)
        if all.isEmpty { throw .unreachable(a.failure.map { "\(host): \($0)" } ?? aaaa.failure.map { "\(host): \($0)" } ?? "\(host) has no address") }
        return all
    }

    private func send(_ request: HTTPSRequest, _ host: DomainName, _ port: Int, at address: IPAddress, within time: Duration) async throws(HTTPSFailure) -> HTTPSResponse {
        let loop = group.next()
        let answer = loop.makePromise(of: HTTPSResponse.self)
        let (context, limits) = (context, limits)
        // RFC 9110 §7.2: with the port, unless it is https' own.
        let name = host.text + (port == 443 || port == self.port ? "" : ":\(port)")
        let bootstrap = ClientBootstrap(group: loop)
            // An address that is dead must leave time for the next.
            .connectTimeout(TimeAmount(min(time, .seconds(10))))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(TLSHandler(client: context, serverName: host.text, verification: .full(host: host.text)))
                    try pipeline.addHTTPClientHandlers()
                    try pipeline.addHandler(RequestHandler(host: name, request: request, bodyLimit: limits.body, time: TimeAmount(time), answer: answer))
                }
            }
        let channel: any Channel
        do {
            channel = try await bootstrap.connect(to: SocketAddress(ipAddress: "\(address)", port: port)).get()
        } catch {
            let failure = HTTPSFailure.unreachable("connect to \(host)[\(address)]:\(port): \(error)")
            answer.fail(failure)
            throw failure
        }
        defer { channel.close(promise: nil) }
        do {
            return try await answer.futureResult.get()
        } catch {
            throw error as? HTTPSFailure ?? .broken("\(error)")
        }
    }
}

/// What a server answered.
public struct HTTPSResponse: Sendable, Hashable {
    public let status: Int
    /// `Content-Type` without parameters, in lower case; empty when there is none.
    public let mediaType: String
    /// By name in lower case; of repeated fields the first.
    public let headers: [String: String]
    public let body: [UInt8]

    public init(status: Int, mediaType: String, headers: [String: String] = [:], body: [UInt8]) {
        self.status = status
        self.mediaType = mediaType
        self.headers = headers
        self.body = body
    }
}

/// Why there is no response.
public enum HTTPSFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// No address, or nobody answers there.
    case unreachable(String)
    /// TLS failed, or the certificate was not believed; why.
    case tls(String)
    case timedOut
    case tooLarge(limit: Int)
    case broken(String)

    public var description: String {
        switch self {
        case .unreachable(let why): why
        case .tls(let why): why
        case .timedOut: "timed out"
        case .tooLarge(let limit): "the answer has more than \(limit) octets"
        case .broken(let why): why
        }
    }
}
