import DNS
import Foundation
import NetworkAddress
import UnboundResolver

/// The resolver as the settings describe it.
public enum ResolverSettings {
    /// - Parameter forwarder: a name server to ask instead of the configured ones, online in any case.
    public static func resolver(_ settings: Settings, forwarder: String? = nil) throws -> UnboundResolver {
        var configuration = try configuration(settings)
        if let forwarder { (configuration.forwarders, configuration.offline) = ([forwarder], false) }
        return try UnboundResolver(configuration: configuration)
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
