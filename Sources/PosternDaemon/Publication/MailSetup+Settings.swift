import DKIM
import DKIMKeys
import Foundation
import NetworkAddress
import PublishedRecords
import SMTPClient
import TLS

extension MailSetup {
    /// The facts as settings, keys and certificate tell them. Reads files; blocks.
    /// - Parameters:
    ///   - addresses: where the world reaches this server; none: those of `public_addresses`, or of the interfaces.
    /// - Returns: the facts, and what kept some from being known, in words.
    public static func read(_ settings: Settings, addresses: [IPAddress] = []) -> (setup: MailSetup, problems: [String]) {
        var problems: [String] = []
        var setup = MailSetup(hostname: settings[Known.myhostname], domains: settings[Known.mydestination], addresses: reachable(settings, addresses))
        setup.otherSources = [settings[Known.smtpBindAddress], settings[Known.smtpBindAddress6]]
            .compactMap { IPAddress($0) }.filter { !setup.addresses.contains($0) && !InterfaceAddresses.isInternal($0) }
        setup.relay = relay(settings)
        setup.dmarcPolicy = settings[Known.publishDMARCPolicy].word
        setup.dmarcReports = nonEmpty(settings[Known.publishDMARCReports])
        setup.tlsReports = nonEmpty(settings[Known.publishTLSReports])
        setup.stsMode = settings[Known.publishSTSMode].word
        if settings[Known.mtaSTSMode].word != .off { setup.servedPolicy = PolicyDocument.text(settings) }
        setup.ports = ports(settings)
        do { setup.keys = try keys(settings) } catch { problems.append("DKIM keys: \(error)") }
        if let files = settings.certificateFiles {
            do { setup.certificateKeyDigest = try InspectedCertificate.chain(pemFile: files.certificate).first?.keyDigest } catch { problems.append("\(error)") }
        }
        return (setup, problems)
    }

    private static func reachable(_ settings: Settings, _ given: [IPAddress]) -> [IPAddress] {
        if !given.isEmpty { return given }
        let named = settings[Known.publicAddresses]
        if !named.isEmpty { return named }
        // A server that listens on single addresses is reached there and nowhere else.
        let bound = settings[Known.listenSMTP].map(\.host)
        let single = bound.contains(nil) ? [] : bound.compactMap { $0 }.filter { !InterfaceAddresses.isInternal($0) }
        return single.isEmpty ? InterfaceAddresses.reachable() : single
    }

    private static func relay(_ settings: Settings) -> Relay? {
        switch NextHop(settings[Known.relayhost]) {
        case .host(let name, _)?: .host(name)
        case .address(let address, _)? where !address.isLoopback: .address(address)
        case .mailExchangers(let domain, _)?: .exchangers(of: domain)
        default: nil
        }
    }

    private static func ports(_ settings: Settings) -> [Service: UInt16] {
        // Without a certificate nobody can log in, so there is nothing to find.
        guard settings.hasCertificate else { return [:] }
        let all: [(Service, [ListenAddress])] = [
            (.submissions, settings[Known.listenSubmissions]), (.imaps, settings[Known.listenIMAPS]),
            (.submission, settings[Known.listenSubmission]), (.imap, settings[Known.listenIMAP]),
        ]
        return Dictionary(uniqueKeysWithValues: all.compactMap { service, listeners in
            listeners.first { $0.host?.isLoopback != true }.map { (service, UInt16(clamping: $0.port)) }
        })
    }

    private static func keys(_ settings: Settings) throws -> [Key] {
        let named = try settings[Known.dkimKeys].map { setting in
            let key = try SigningKey(pemFile: setting.keyFile.path, domain: setting.domain, selector: setting.selector)
            return Key(domain: key.domain, selector: key.selector, record: key.publicRecord, state: .configured)
        }
        let store = KeyStore(folder: settings.dkimKeyFolder)
        return try named + store.domains().flatMap { domain in
            try store.load(domain)?.keys.map { Key(domain: domain, selector: $0.selector, record: $0.record, state: .init($0.state)) } ?? []
        }
    }

    private static func nonEmpty(_ text: String) -> String? { text.isEmpty ? nil : text }
}

extension MailSetup.Key.State {
    init(_ state: StoredKey.State) {
        self = switch state {
        case .staged: .staged
        case .active: .active
        case .retiring: .retiring
        case .retired: .retired
        }
    }
}

extension Settings {
    /// The files of the certificate that serves who asks for no other: the authority's when there is one, else those that
    /// the settings name; nil when there are none yet. Looks at the disk.
    public var certificateFiles: (certificate: String, key: String)? {
        switch CertificatePlan(self).main {
        case nil: nil
        case .pair(let certificate, let key): (certificate, key)
        case .chain(let paths): paths.last.map { ($0, paths.first ?? $0) }
        }
    }

    /// Whether there is a certificate, or will be: without one nobody can log in.
    public var hasCertificate: Bool { !self[Known.certFile].isEmpty || self[Known.acme] }
}
