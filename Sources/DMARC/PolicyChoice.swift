import DNS
import NetworkAddress

/// Which tag of which record applies to an Author Domain (RFC 9989 §4.10.1).
struct PolicyChoice {
    enum Outcome {
        case policy(DMARCAppliedPolicy)
        case noRecord
        case failure(String)

        var policy: DMARCAppliedPolicy? { if case .policy(let policy) = self { policy } else { nil } }
    }

    let resolver: any Resolver

    func choose(for domain: DomainName, walk: [DMARCWalkStep]) async -> Outcome {
        guard let (place, record) = walk.policy(for: domain) else { return .noRecord }
        if place == domain { return .policy(Self.apply(record, place, .p, record.p)) }
        let forSubdomains: (DMARCAppliedPolicy.Tag, DMARCPolicy) = record.sp.map { (.sp, $0) } ?? (.p, record.p)
        guard let np = record.np else { return .policy(Self.apply(record, place, forSubdomains.0, forSubdomains.1)) }
        // §3.2.13: a domain does not exist when a query for it says NXDOMAIN, whatever the type.
        switch await resolver.resolve(DNSQuestion(domain, .a)).outcome {
        case .nameError: return .policy(Self.apply(record, place, .np, np))
        case .records, .noData: return .policy(Self.apply(record, place, forSubdomains.0, forSubdomains.1))
        case .temporaryFailure(let why): return .failure("\(domain) A: \(why)")
        }
    }

    static func apply(_ record: DMARCRecord, _ place: DomainName, _ tag: DMARCAppliedPolicy.Tag, _ policy: DMARCPolicy) -> DMARCAppliedPolicy {
        DMARCAppliedPolicy(record: record, domain: place, tag: tag, published: policy, applied: record.isTesting ? policy.tested : policy)
    }
}
