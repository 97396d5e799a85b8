import DNS
import NetworkAddress

/// A host to try.
struct MailHost: Sendable, Hashable {
    enum Place: Sendable, Hashable { case name(DomainName), address(IPAddress), unix(String) }
    let place: Place
    let port: Int
    /// Of its MX record; equal for hosts named by no MX.
    let preference: UInt16
    /// DNSSEC proves that the domain names this host, or the settings name it.
    var isProved = false
    var speaksLMTP = false

    /// As logs, SNI and `Remote-MTA` name it.
    var name: String {
        switch place {
        case .name(let name): name.text
        case .address(let address): address.family == .v4 ? "[\(address)]" : "[IPv6:\(address)]"
        case .unix(let path): path
        }
    }
}

/// Where a next hop leads.
enum MailRoute: Sendable, Hashable {
    /// At least one host, in the order in which to try.
    case hosts([MailHost])
    /// Goes nowhere, and that is right.
    case discarded(String)
    case permanent(status: String, text: String)
    case temporary(status: String, text: String)
}

/// Finds the hosts of a next hop (RFC 5321 §5.1).
struct MailRouter: Sendable {
    let resolver: any Resolver
    let configuration: SMTPClientConfiguration

    func route(_ hop: NextHop) async -> MailRoute {
        switch hop {
        case .address(let address, let port): return .hosts([MailHost(place: .address(address), port: port ?? configuration.port, preference: 0)])
        case .host(let name, let port): return .hosts([MailHost(place: .name(name), port: port ?? configuration.port, preference: 0, isProved: true)])
        case .mailExchangers(let domain, let port): return await exchangers(of: domain, port: port ?? configuration.port)
        case .lmtp(let place): return .hosts([Self.host(place)])
        case .discard(let text): return .discarded(text.isEmpty ? "discarded" : text)
        case .error(let status, let text): return .permanent(status: status, text: text)
        }
    }

    private static func host(_ place: LMTPPlace) -> MailHost {
        switch place {
        case .unix(let path): MailHost(place: .unix(path), port: 0, preference: 0, speaksLMTP: true)
        case .host(let name, let port): MailHost(place: .name(name), port: port, preference: 0, isProved: true, speaksLMTP: true)
        case .address(let address, let port): MailHost(place: .address(address), port: port, preference: 0, speaksLMTP: true)
        }
    }

    private func exchangers(of domain: DomainName, port: Int) async -> MailRoute {
        let answer = await resolver.lookup(MXRecord.self, at: domain)
        return switch answer.outcome {
        case .records(let records): sorted(records, domain, port, isProved: answer.isSecure)
        // No MX: the domain is its own exchanger, preference 0 (RFC 5321 §5.1, implicit MX).
        case .noData: checkedForLoop([MailHost(place: .name(domain), port: port, preference: 0, isProved: answer.isSecure)], domain)
        case .nameError: .permanent(status: "5.1.2", text: "Domain \(domain) not found")
        case .temporaryFailure(let why): .temporary(status: "4.4.3", text: "Mail exchangers of \(domain) cannot be looked up now: \(why)")
        }
    }

    private func sorted(_ records: [MXRecord], _ domain: DomainName, _ port: Int, isProved: Bool) -> MailRoute {
        let usable = records.filter { !$0.isNull }
        // RFC 7505 §3: a null MX stands alone; among others it is disregarded.
        guard !usable.isEmpty else { return .permanent(status: "5.1.10", text: "Domain \(domain) does not accept mail (null MX)") }
        let byPreference = Dictionary(grouping: usable, by: \.preference).sorted { $0.key < $1.key }
        let hosts = byPreference.flatMap { configuration.shuffle($0.value) }
        return checkedForLoop(hosts.map { MailHost(place: .name($0.exchange), port: port, preference: $0.preference, isProved: isProved) }, domain)
    }

    /// RFC 5321 §5.1: when we are among the exchangers, only more preferred ones may be tried.
    private func checkedForLoop(_ hosts: [MailHost], _ domain: DomainName) -> MailRoute {
        let own = hosts.filter { if case .name(let name) = $0.place { configuration.ownNames.contains(name) } else { false } }
        guard let limit = own.map(\.preference).min() else { return .hosts(hosts) }
        let better = hosts.filter { $0.preference < limit }
        return better.isEmpty ? Self.loop(domain.text) : .hosts(better)
    }

    static func loop(_ destination: String) -> MailRoute {
        .permanent(status: "5.4.6", text: "Mail for \(destination) loops back to this server")
    }
}
