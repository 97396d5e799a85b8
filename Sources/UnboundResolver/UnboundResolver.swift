import CUnbound
import DNS
import NetworkAddress

/// The validating, caching resolver of this program: libunbound behind ``Resolver``.
///
/// libunbound resolves on a thread of its own; one more thread of ours waits for its answers, resumes those who asked,
/// and keeps the deadlines. Asking never blocks.
public final class UnboundResolver: Resolver {
    private let context: UnboundContext
    private let aliases: [DomainName: DomainName]
    /// CNAMEs followed within local data, as resolvers bound them.
    private static let aliasLimit = 8

    /// - Throws: ``UnboundError`` naming the option that libunbound refused.
    public init(configuration: UnboundConfiguration) throws {
        context = try UnboundContext(configuration)
        // libunbound answers a local CNAME as it stands and does not follow it.
        aliases = Dictionary(configuration.localData.compactMap { record in
            guard record.type == .cname, let target = WireName.decode(record.rdata[...])?.name else { return nil }
            return (record.name, target)
        }, uniquingKeysWith: { first, _ in first })
    }

    public func resolve(_ question: DNSQuestion) async -> DNSResponse {
        guard question.type != .cname, var target = aliases[question.name] else { return await context.ask(question) }
        for _ in 0..<Self.aliasLimit {
            guard let next = aliases[target] else {
                let response = await context.ask(DNSQuestion(target, question.type))
                return DNSResponse(response.outcome, isSecure: response.isSecure, canonicalName: response.canonicalName ?? target,
                                   timeToLive: response.timeToLive)
            }
            target = next
        }
        return DNSResponse(.temporaryFailure("the CNAMEs at \(question.name) lead in a circle or are more than \(Self.aliasLimit)"))
    }

    /// Ends the threads and frees libunbound. Whoever still waits gets a temporary failure.
    public func close() { context.close() }

    deinit { context.close() }
}

/// How to resolve. libunbound cannot change it later: a new configuration needs a new resolver.
public struct UnboundConfiguration: Sendable {
    /// Resolvers to ask, `192.0.2.1` or `127.0.0.1@5353`; empty: those of /etc/resolv.conf.
    public var forwarders: [String]
    /// Records answered from memory. Below a name with a SOA, what is not here does not exist; other names not here are
    /// asked for upstream.
    public var localData: [ZoneRecord]
    /// Ask nobody: what is not in ``localData`` does not exist.
    public var offline: Bool
    /// The root's DNSSEC key (as Debian's /usr/share/dns/root.key); nil: nothing is validated.
    public var trustAnchorFile: String?
    /// From question to answer.
    public var timeout: Duration
    /// Questions under way at once; more are told to come again.
    public var inFlightLimit: Int

    public init(forwarders: [String] = [], localData: [ZoneRecord] = [], offline: Bool = false, trustAnchorFile: String? = nil,
                timeout: Duration = .seconds(10), inFlightLimit: Int = 4096) {
        self.forwarders = forwarders
        self.localData = localData
        self.offline = offline
        self.trustAnchorFile = trustAnchorFile
        self.timeout = timeout
        self.inFlightLimit = inFlightLimit
    }
}

/// libunbound refused something.
public struct UnboundError: Error, CustomStringConvertible {
    public let what: String
    public let reason: String
    public var description: String { "DNS resolver: \(what): \(reason)" }
}
