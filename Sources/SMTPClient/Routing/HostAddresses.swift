import DNS
import NetworkAddress

/// A host's addresses, or why there are none.
enum HostAddresses: Sendable, Hashable {
    case addresses([IPAddress])
    case none
    case temporary(String)
}

/// What a host's address look-ups found, and whether DNSSEC proves it.
struct HostLookup: Sendable, Hashable {
    var addresses: HostAddresses
    /// Every answer that bears on the addresses was proved.
    var isSecure = false
    /// Where the host's CNAME chain ended.
    var canonicalName: DomainName?
}

extension MailRouter {
    /// Looks up the addresses of the families in use, in the order in which to try.
    func addresses(of host: MailHost) async -> HostAddresses { await lookUp(host).addresses }

    func lookUp(_ host: MailHost) async -> HostLookup {
        switch host.place {
        case .address(let address): return HostLookup(addresses: .addresses([address]))
        case .unix: return HostLookup(addresses: .addresses([]))
        case .name(let name):
            let families = configuration.families
            async let v4 = families == .onlyV6 ? nil : resolver.lookup(ARecord.self, at: name)
            async let v6 = families == .onlyV4 ? nil : resolver.lookup(AAAARecord.self, at: name)
            let (a, aaaa) = await (v4, v6)
            let all = ordered((a?.records ?? []).map(\.address), (aaaa?.records ?? []).map(\.address))
            let isSecure = (a?.isSecure ?? true) && (aaaa?.isSecure ?? true)
            let canonical = (a?.records.isEmpty == false ? a?.canonicalName : aaaa?.canonicalName) ?? name
            if !all.isEmpty { return HostLookup(addresses: .addresses(all), isSecure: isSecure, canonicalName: canonical) }
            if let why = a?.failure ?? aaaa?.failure { return HostLookup(addresses: .temporary(why)) }
            return HostLookup(addresses: .none)
        }
    }

    /// IPv6 and IPv4 in turn, so that a broken family costs one attempt, not all (as Postfix balances them).
    private func ordered(_ v4: [IPAddress], _ v6: [IPAddress]) -> [IPAddress] {
        switch configuration.families {
        case .preferV4, .onlyV4: return v4 + v6
        case .preferV6, .onlyV6: return v6 + v4
        case .any:
            var out: [IPAddress] = []
            for index in 0..<max(v4.count, v6.count) {
                if index < v6.count { out.append(v6[index]) }
                if index < v4.count { out.append(v4[index]) }
            }
            return out
        }
    }
}
