import DNS
import NetworkAddress

/// The name servers that are authoritative for a name.
public struct ZoneServers: Sendable, Hashable {
    public struct Server: Sendable, Hashable {
        public let name: DomainName
        public let addresses: [IPAddress]
    }

    public init(zone: DomainName, servers: [Server]) {
        self.zone = zone
        self.servers = servers
    }

    /// The zone's own name.
    public let zone: DomainName
    /// In name order.
    public let servers: [Server]

    /// Servers of a zone, and addresses of a server, that are asked.
    static let serverLimit = 16
    static let addressLimit = 4

    public enum Finding: Sendable, Hashable {
        case found(ZoneServers)
        case unknown(String)
    }

    /// Walks up from the name to the first one with NS records: the zone that holds it. One question a label.
    public static func find(for name: DomainName, _ resolver: any Resolver) async -> Finding {
        var at: DomainName? = name
        while let zone = at, !zone.isRoot {
            let answer = await resolver.lookup(NSRecord.self, at: zone)
            switch answer.outcome {
            // An alias's NS records are those of its target's zone.
            case .records(let records) where answer.canonicalName == nil || answer.canonicalName == zone:
                return .found(ZoneServers(zone: zone, servers: await servers(records.map(\.name), resolver)))
            case .temporaryFailure(let why): return .unknown("the name servers of \(zone) could not be found: \(why)")
            case .records, .noData, .nameError: at = zone.parent
            }
        }
        return .unknown("no zone with name servers was found above \(name)")
    }

    private static func servers(_ names: [DomainName], _ resolver: any Resolver) async -> [Server] {
        await withTaskGroup(of: Server.self) { group in
            for name in Set(names).sorted().prefix(serverLimit) {
                group.addTask {
                    async let four = resolver.lookup(ARecord.self, at: name).records.map(\.address)
                    async let six = resolver.lookup(AAAARecord.self, at: name).records.map(\.address)
                    return Server(name: name, addresses: Array((await four + (await six)).prefix(addressLimit)))
                }
            }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.name < $1.name }
        }
    }
}
