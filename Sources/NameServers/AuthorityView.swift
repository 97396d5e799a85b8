import DNS
import NetworkAddress
import Synchronization

/// What each name server of a zone says of a name, or, where only a resolver may be asked, what that says.
public struct AuthorityView: Sendable {
    /// One server's word.
    public struct Voice: Sendable, Hashable {
        /// `ns1.example.org [192.0.2.53]`, or `the resolver`.
        public let source: String
        public let answer: NameServerAnswer
    }

    public let resolver: any Resolver
    private let nameServers: (any NameServerAsking)?
    private let zones = ZoneMemory()

    /// - Parameters:
    ///   - resolver: finds the name servers; asked itself where they are not.
    ///   - nameServers: nil asks the resolver only.
    public init(resolver: any Resolver, nameServers: (any NameServerAsking)?) {
        self.resolver = resolver
        self.nameServers = nameServers
    }

    /// Whether servers are asked directly.
    public var isDirect: Bool { nameServers != nil }

    /// The zone that holds the name, found once.
    public func zone(of name: DomainName) async -> ZoneServers.Finding {
        if let known = zones[name] { return known }
        let found = await ZoneServers.find(for: name, resolver)
        zones[name] = found
        return found
    }

    /// Every server's answer; at least one. Aliases are given as they are.
    public func ask(_ name: DomainName, _ type: DNSRecordType) async -> [Voice] {
        let question = DNSQuestion(name, type)
        guard let nameServers, case .found(let zone) = await zone(of: name), !zone.servers.isEmpty else { return [await throughResolver(question)] }
        let voices = await withTaskGroup(of: [Voice].self) { group in
            for server in zone.servers {
                group.addTask { await Self.ask(server, question, nameServers) }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }.sorted { $0.source < $1.source }
        // A machine that may not ask strangers directly has its resolver.
        guard voices.contains(where: { if case .unreachable = $0.answer { false } else { true } }) else { return [await throughResolver(question)] }
        return voices
    }

    private static func ask(_ server: ZoneServers.Server, _ question: DNSQuestion, _ asking: any NameServerAsking) async -> [Voice] {
        guard !server.addresses.isEmpty else { return [Voice(source: server.name.text, answer: .unreachable("it has no address"))] }
        var out: [Voice] = []
        for address in server.addresses { out.append(Voice(source: "\(server.name) [\(address)]", answer: await asking.ask(question, of: address))) }
        // This machine may lack IPv6: an address without an answer does not count beside one that has.
        let heard = out.filter { if case .unreachable = $0.answer { false } else { true } }
        return heard.isEmpty ? out : heard
    }

    private func throughResolver(_ question: DNSQuestion) async -> Voice {
        let answer: NameServerAnswer = switch await resolver.resolve(question).outcome {
        case .records(let records): .records(records)
        case .noData: .noData
        case .nameError: .nameError
        case .temporaryFailure(let why): .failure(why)
        }
        return Voice(source: "the resolver", answer: answer)
    }
}

extension AuthorityView: Resolver {
    /// The first useful answer of a zone's own servers, no cache between; the resolver's where they have none.
    public func resolve(_ question: DNSQuestion) async -> DNSResponse {
        guard isDirect else { return await resolver.resolve(question) }
        var name = question.name
        for _ in 0..<8 {
            let answers = await ask(name, question.type).map(\.answer)
            if let records = answers.lazy.compactMap({ if case .records(let all) = $0 { all } else { nil } }).first {
                return DNSResponse(.records(records), canonicalName: name)
            }
            if let target = answers.lazy.compactMap({ if case .alias(let target) = $0 { target } else { nil } }).first { name = target; continue }
            if answers.contains(.noData) { return DNSResponse(.noData, canonicalName: name) }
            if answers.contains(.nameError) { return DNSResponse(.nameError, canonicalName: name) }
            return await resolver.resolve(DNSQuestion(name, question.type))
        }
        return DNSResponse(.temporaryFailure("the aliases at \(question.name) lead in a circle or are more than 8"))
    }
}

/// Zones that were found.
private final class ZoneMemory: Sendable {
    private let known = Mutex<[DomainName: ZoneServers.Finding]>([:])

    subscript(name: DomainName) -> ZoneServers.Finding? {
        get { known.withLock { $0[name] } }
        set { known.withLock { $0[name] = newValue } }
    }
}
