import DNS
import NetworkAddress
import Policy
import Synchronization

/// Asks DNS lists (RFC 5782) for an address or a domain, all lists of a set at once.
final class BlocklistLookup: Sendable {
    /// Failures in a row after which a list is left alone for a while: a list that has died must not hold up each client
    /// for the resolver's whole time-out.
    static let failureLimit = 3
    static let pause: Duration = .seconds(60)
    /// A client waits this long for its lists and no longer; the resolver's own time-out is made for mail that must come in.
    static let patience: Duration = .seconds(3)

    private struct Health {
        var failures = 0
        var pausedUntil: ContinuousClock.Instant?
    }

    private let resolver: any Resolver
    private let now: @Sendable () -> ContinuousClock.Instant
    private let health = Mutex<[DomainName: Health]>([:])

    init(resolver: any Resolver, patience: Duration = BlocklistLookup.patience, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.resolver = DeadlineResolver(resolver, limit: patience)
        self.now = now
    }

    /// The weights of the lists that list it, added up. A list that does not answer, or refuses to, lists nothing.
    func ask(_ set: BlocklistSet, about subject: PolicyValue) async -> PolicyAnswer {
        let found = await withTaskGroup(of: (Int, Int, String?).self) { group in
            for (place, list) in set.lists.enumerated() {
                group.addTask {
                    let (weight, remark) = await self.ask(list, about: subject)
                    return (place, weight, remark)
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        return PolicyAnswer(.number(found.reduce(0) { $0 + $1.1 }), remarks: found.sorted { $0.0 < $1.0 }.compactMap(\.2))
    }

    private func ask(_ list: BlocklistSet.List, about subject: PolicyValue) async -> (Int, String?) {
        guard let name = Self.question(subject, list.zone), !isPaused(list.zone) else { return (0, nil) }
        let answer = await resolver.lookup(ARecord.self, at: name)
        note(list.zone, failed: answer.failure != nil)
        if let failure = answer.failure { return (0, "\(list.zone) did not answer: \(failure)") }
        let addresses = answer.records.map(\.address)
        if let listing = addresses.first(where: list.counts) { return (list.weight, "\(list.zone) \(listing)") }
        if let refusal = addresses.first(where: list.refuses) { return (0, "\(list.zone) refuses our questions (\(refusal))") }
        return (0, nil)
    }

    /// RFC 5782 §2.1: the octets of an IPv4 address in reverse; §2.4: the nibbles of an IPv6 address; §3: a name as it is.
    static func question(_ subject: PolicyValue, _ zone: DomainName) -> DomainName? {
        switch subject {
        case .ip(let address):
            let labels = address.unmapped.reverseName.split(separator: ".").dropLast(2).joined(separator: ".")
            return address.unmapped.isLoopback ? nil : DomainName(queryName: labels + "." + zone.text)
        case .domain(let name): return name.isRoot ? nil : DomainName(queryName: name.text + "." + zone.text)
        default: return nil
        }
    }

    private func isPaused(_ zone: DomainName) -> Bool {
        health.withLock { $0[zone]?.pausedUntil.map { $0 > now() } ?? false }
    }

    private func note(_ zone: DomainName, failed: Bool) {
        health.withLock { health in
            guard failed else { return health[zone] = nil }
            var state = health[zone] ?? Health()
            state.failures += 1
            if state.failures >= Self.failureLimit { state.pausedUntil = now() + Self.pause }
            health[zone] = state
        }
    }
}
