import DNS
import NetworkAddress

/// Whether the configured resolver answers, and proves what it says where it should.
public struct ResolverCheck: Sendable {
    private let resolver: any Resolver
    private let name: DomainName
    /// Whether a trust anchor is configured.
    private let validates: Bool

    /// - Parameter name: one that should have an address.
    public init(resolver: any Resolver, name: DomainName, validates: Bool) {
        self.resolver = resolver
        self.name = name
        self.validates = validates
    }

    public func run() async -> [CheckFinding] {
        let answer = await resolver.lookup(ARecord.self, at: name)
        let why = "without the DNS no mail can be sent, and none checked"
        if let failure = answer.failure {
            return [CheckFinding("resolver", "\(name)", .wrong, .safety, "the resolver does not answer for \(name): \(failure)",
                                 remedy: "look at dns.forwarders or /etc/resolv.conf; best is a resolver on this machine (apt install unbound)", why: why)]
        }
        guard validates else {
            return [CheckFinding("dnssec", "dns.trust_anchor_file", .note, .trust, "the resolver answers; DNSSEC is not validated, so DANE towards other servers is off",
                                 remedy: "dns.trust_anchor_file = \"/usr/share/dns/root.key\" (apt install dns-root-data)")]
        }
        let root = await resolver.resolve(DNSQuestion(.root, DNSRecordType(rawValue: 48)))
        switch root.outcome {
        case .records where root.isSecure: return [CheckFinding("resolver", "\(name)", .ok, .safety, "the resolver answers, and DNSSEC validation works", why: why)]
        case .temporaryFailure(let reason) where reason.hasPrefix("DNSSEC"):
            return [CheckFinding("dnssec", "the root", .wrong, .safety, "DNSSEC validation fails: \(reason)", remedy: "renew the trust anchor (apt install dns-root-data) and check the clock", why: why)]
        case .temporaryFailure(let reason): return [CheckFinding("dnssec", "the root", .unknown, .trust, "the root's keys could not be asked for: \(reason)", why: why)]
        default: return [CheckFinding("dnssec", "the root", .wrong, .trust, "the resolver strips DNSSEC: nothing can be validated", remedy: "use a resolver that passes DNSSEC records on, such as unbound", why: why)]
        }
    }
}
