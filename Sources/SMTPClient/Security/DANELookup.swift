import DNS
import NetworkAddress
import TLS

/// What the DNS says of a server by DANE (RFC 7672 §2).
enum DANEFinding: Sendable, Hashable {
    /// No records that DNSSEC proves: the server is not one of DANE's.
    case absent
    /// The names that a certificate of usage 2 may bear, the TLSA base domain first, and the records.
    case usable(hosts: [String], records: [TLS.TLSARecord])
    /// Proved, but none that a client can check: encrypt, without authentication (§2.2).
    case unusable
    /// Bogus, or no answer: this server must not be used now, or an attacker could make DANE go away (§2.2).
    case failed(String)
}

/// Asks for a server's TLSA records.
struct DANELookup: Sendable {
    let resolver: any Resolver

    /// - Parameter nextHop: the domain whose mail it is; a certificate may also bear its name (§3.2.2).
    func records(of host: MailHost, _ lookup: HostLookup, nextHop: DomainName?) async -> DANEFinding {
        // An MX that is not proved may be an attacker's, whose own TLSA records prove nothing (§2.2.1).
        guard host.isProved, case .name(let name) = host.place else { return .absent }
        let bases: [DomainName]
        switch await baseDomains(name, lookup) {
        case .success(let found): bases = found
        case .failure(let broken): return .failed(broken.reason)
        }
        for base in bases {
            guard let owner = base.prepending("_\(host.port)._tcp") else { continue }
            let answer = await resolver.lookup(DNS.TLSARecord.self, at: owner)
            if let why = answer.failure { return .failed("\(owner) TLSA: \(why)") }
            guard answer.isSecure, !answer.records.isEmpty else { continue }
            let usable = answer.records.filter(Self.isUsable).map { TLS.TLSARecord(usage: $0.usage, selector: $0.selector, matchingType: $0.matchingType, data: $0.data) }
            guard !usable.isEmpty else { return .unusable }
            let names = [base, nextHop].compactMap { $0?.text }
            return .usable(hosts: names.count == 2 && names[0] == names[1] ? [names[0]] : names, records: usable)
        }
        return .absent
    }

    private struct Broken: Error { let reason: String }

    /// Where to ask, in order (§2.2.2, §2.2.3): the end of a CNAME chain that is proved throughout, then the name itself.
    private func baseDomains(_ name: DomainName, _ lookup: HostLookup) async -> Result<[DomainName], Broken> {
        if lookup.isSecure {
            guard let canonical = lookup.canonicalName, canonical != name else { return .success([name]) }
            return .success([canonical, name])
        }
        // The addresses are not proved. An alias that is itself proved may still have records of its own; otherwise the
        // zone is not signed, and servers that choke on TLSA questions are left in peace.
        let alias = await resolver.resolve(DNSQuestion(name, .cname))
        switch alias.outcome {
        case .records: return .success(alias.isSecure ? [name] : [])
        case .noData, .nameError: return .success([])
        case .temporaryFailure(let why): return .failure(Broken(reason: "\(name) CNAME: \(why)"))
        }
    }

    /// RFC 7672 §3.1: usages 2 and 3 alone; RFC 6698 §2.1 knows two selectors and three matching types.
    private static func isUsable(_ record: DNS.TLSARecord) -> Bool {
        guard (2...3).contains(record.usage), record.selector <= 1 else { return false }
        return switch record.matchingType {
        case 0: !record.data.isEmpty
        case 1: record.data.count == 32
        case 2: record.data.count == 64
        default: false
        }
    }
}
