import NetworkAddress

/// Who a message is from, as far as that is proven: organisational domains only (RFC 9989 §4.10), which the caller finds.
public struct SenderIdentity: Sendable, Hashable {
    /// By what a domain was authenticated, strongest first: DMARC's aligned From domain, a passing DKIM signature's d=,
    /// an SPF pass.
    public enum Method: String, Sendable, Hashable, CaseIterable {
        case dmarc, dkim, spf
    }

    private var domains: [Method: [DomainName]] = [:]

    /// Nothing is proven.
    public init() {}

    public init(_ domain: DomainName, by method: Method) { add(domain, by: method) }

    /// Of one method's domains the one to believe first is added first: it becomes the owner of a new tag.
    public mutating func add(_ domain: DomainName, by method: Method) {
        guard !domain.isRoot, domains[method]?.contains(domain) != true else { return }
        domains[method, default: []].append(domain)
    }

    /// The strongest method that has any, and its domains; nil when nothing was authenticated.
    ///
    /// Weaker ones have no say: a mailing service signs for all its customers beside them, and where DMARC names the
    /// customer the service's own signature must not make a stranger an owner.
    var deciding: (method: Method, domains: [DomainName], first: DomainName)? {
        for method in Method.allCases {
            if let found = domains[method], let first = found.first { return (method, found, first) }
        }
        return nil
    }
}
