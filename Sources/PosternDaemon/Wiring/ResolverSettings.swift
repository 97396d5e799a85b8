import DNS
import Foundation
import NetworkAddress
import UnboundResolver

/// The resolver as the settings describe it.
public enum ResolverSettings {
    /// - Throws: what is wrong with the files it names.
    public static func resolver(_ settings: Settings) throws -> UnboundResolver {
        try UnboundResolver(configuration: try configuration(settings))
    }

    /// - Throws: what is wrong with the files it names.
    static func configuration(_ settings: Settings) throws -> UnboundConfiguration {
        var configuration = UnboundConfiguration(
            forwarders: settings[Known.dnsForwarders], offline: settings[Known.dnsOffline], timeout: settings[Known.dnsTimeout].duration)
        let anchor = settings[Known.dnsTrustAnchorFile].path, zone = settings[Known.dnsZoneFile].path
        if !anchor.isEmpty { configuration.trustAnchorFile = anchor }
        if !zone.isEmpty {
            guard let text = try? String(contentsOfFile: zone, encoding: .utf8) else {
                throw Privileges.Failure(description: "dns.zone_file \(zone) cannot be read")
            }
            configuration.localData = try ZoneText.parse(text)
        }
        return configuration
    }
}

/// A client's name, believed only when it leads back to the client (iprev, RFC 8601 §3).
enum ReverseName {
    /// Names of one address that are tried.
    private static let limit = 4

    static func find(_ address: IPAddress, _ resolver: any Resolver) async -> String? {
        let address = address.unmapped
        guard let name = DomainName(address.reverseName) else { return nil }
        for candidate in await resolver.lookup(PTRRecord.self, at: name).records.prefix(limit) where candidate.name.isHostName {
            let forward: [IPAddress] = address.family == .v4
                ? await resolver.lookup(ARecord.self, at: candidate.name).records.map(\.address)
                : await resolver.lookup(AAAARecord.self, at: candidate.name).records.map(\.address)
            if forward.contains(address) { return candidate.name.text }
        }
        return nil
    }
}
