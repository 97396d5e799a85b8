import DNS
import Foundation
import NetworkAddress
import UnboundResolver

/// The resolver as the settings describe it.
public enum ResolverSettings {
    /// - Parameter forwarder: instead of the configured ones.
    public static func resolver(_ settings: Settings, forwarder: String? = nil) throws -> UnboundResolver {
        try UnboundResolver(configuration: try configuration(settings, forwarder: forwarder))
    }

    /// - Throws: what is wrong with the files it names.
    static func configuration(_ settings: Settings, forwarder: String? = nil) throws -> UnboundConfiguration {
        var configuration = UnboundConfiguration(
            forwarders: forwarder.map { [$0] } ?? settings[Known.dnsForwarders], offline: forwarder == nil && settings[Known.dnsOffline], timeout: settings[Known.dnsTimeout].duration)
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
