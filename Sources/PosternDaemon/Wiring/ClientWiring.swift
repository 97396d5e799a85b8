import BlockingPool
import DNS
import Foundation
import HTTPSClient
import InternetMessage
import MTASTS
import NIOCore
import NetworkAddress
import SMTPClient
import SMTPCore
import TLS

/// The SMTP client as the settings describe it.
enum ClientWiring {
    /// Reads certificates and passwords. Blocks.
    static func client(_ settings: Settings, resolver: any Resolver, group: any EventLoopGroup, pool: BlockingPool,
                       observe: @escaping @Sendable (TLSObservation) -> Void = { _ in }) throws -> SMTPClient {
        let verifying = try TLSContext.client(trust: trust(settings))
        let tls = ClientTLS(opportunistic: try TLSContext.client(trust: .nobody, legacyCiphers: true), verifying: verifying)
        var sts: STSPolicies?
        if settings[Known.smtpMTASTS] {
            let https = HTTPSClient(resolver: resolver, group: group, context: verifying)
            sts = STSPolicies(resolver: resolver, folder: settings[Known.dataDirectory].path + "/mta-sts", pool: pool, https: https)
        }
        return SMTPClient(resolver: resolver, group: group, configuration: try configuration(settings), tls: tls, sts: sts, observe: observe)
    }

    private static func trust(_ settings: Settings) -> TLSTrust {
        let file = settings[Known.smtpTLSCAFile].path
        return file.isEmpty ? .system : .file(file)
    }

    /// - Throws: ``SettingsError``.
    static func configuration(_ settings: Settings) throws -> SMTPClientConfiguration {
        var out = SMTPClientConfiguration(heloName: settings[Known.myhostname].text)
        out.port = settings[Known.smtpPort]
        out.ownNames = [settings[Known.myhostname]]
        out.ownAddresses = try ownAddresses(settings)
        out.bindAddress4 = IPAddress(settings[Known.smtpBindAddress])
        out.bindAddress6 = IPAddress(settings[Known.smtpBindAddress6])
        out.families = settings[Known.smtpAddressPreference].word
        out.tlsLevel = settings[Known.smtpTLSSecurityLevel].word
        out.tlsPolicies = TLSPolicyTable(settings[Known.smtpTLSPolicy].entries.mapValues(\.policy))
        out.transports = TransportTable(settings[Known.transport].entries.mapValues(\.transport))
        out.cacheTime = settings[Known.smtpConnectionCacheTime].duration
        out.reuseLimit = settings[Known.smtpConnectionReuseCount]
        out.reuseTime = settings[Known.smtpConnectionReuseTime].duration
        out.initialHostConcurrency = settings[Known.initialDestinationConcurrency]
        out.hostConcurrency = settings[Known.smtpHostConcurrencyLimit]
        let relayhost = settings[Known.relayhost]
        out.relayHost = relayhost.isEmpty ? nil : NextHop(relayhost)
        let passwords = settings[Known.smtpSASLPasswordFile].path
        if !passwords.isEmpty { out.credentials = try PasswordFile.read(passwords, withoutTLS: settings[Known.smtpSASLWithoutTLS]) }
        return out
    }

    /// Reads what `postern check` wants to know of: certificates and passwords. Blocks.
    static func check(_ settings: Settings) throws {
        _ = try TLSContext.client(trust: trust(settings))
        _ = try configuration(settings)
    }

    /// Where other servers' port is ours: an MX that leads there leads round in a circle.
    private static func ownAddresses(_ settings: Settings) throws -> Set<IPAddress> {
        let listeners = settings[Known.listenSMTP].filter { $0.port == settings[Known.smtpPort] }
        let named = Set(listeners.compactMap(\.host))
        guard listeners.contains(where: { $0.host == nil }) else { return named }
        return named.union(try System.enumerateDevices().compactMap { $0.address?.ipAddress.flatMap { IPAddress($0) } })
    }
}
