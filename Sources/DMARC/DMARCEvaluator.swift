import DNS
import InternetMessage
import NetworkAddress

/// Checks that the domain in From: stands behind a message (RFC 9989).
public struct DMARCEvaluator: Sendable {
    private let resolver: any Resolver
    private let parsed = ParsedRecords<DMARCRecord?>()

    public init(resolver: any Resolver) { self.resolver = resolver }

    /// Author Domains of one message that are looked into; more are a permerror.
    static let authorLimit = 4
    /// Authenticated identities that are looked into.
    static let identityLimit = 20

    /// - Parameters:
    ///   - fromFields: every From field of the message; other fields are ignored.
    ///   - spf: the domain for which SPF passed: MAIL FROM's, or the HELO name when the reverse-path was null (§3.2.4).
    ///   - dkim: the d= domains of signatures that verified.
    ///   - undecided: MAIL FROM and d= domains whose own check ended in a temporary error. When nothing aligns, and one
    ///     of these would have, the result is temperror rather than fail (§5.3.6).
    ///
    /// Several Author Domains (§11.5) are each evaluated and the strictest result stands. A From field that is missing,
    /// repeated or malformed never passes (§4.4): it is a permerror unless a domain found in it fails.
    public func evaluate(fromFields: [HeaderField], spf: DomainName?, dkim: [DomainName], undecided: [DomainName] = []) async -> DMARCResult {
        let from = FromDomains(fromFields)
        guard !from.domains.isEmpty, from.domains.count <= Self.authorLimit else {
            let reason = from.defect ?? "the From field names \(from.domains.count) domains"
            return .permanentError("\(reason) (RFC 9989 section 5.3.1)", domain: nil)
        }
        var identities = dkim.prefix(Self.identityLimit).map { Identity(mechanism: .dkim, domain: $0) }
        if let spf { identities.insert(Identity(mechanism: .spf, domain: spf), at: 0) }
        var evaluation = Evaluation(walker: TreeWalker(resolver: resolver, parsed: parsed), identities: identities, undecided: undecided)
        var results: [DMARCResult] = []
        for domain in from.domains { results.append(await evaluation.evaluate(domain)) }
        let strictest = results.max { $0.severity < $1.severity } ?? results[0]
        guard let defect = from.defect, strictest.verdict == .pass || strictest.verdict == .none else { return strictest }
        return .permanentError("\(defect) (RFC 9989 section 4.4)", domain: strictest.fromDomain, steps: evaluation.walker.steps)
    }

    /// The records, the policy and the Organizational Domain of a domain, as they would apply to mail from it.
    public func discover(_ domain: DomainName) async -> DMARCDiscovery {
        var walker = TreeWalker(resolver: resolver, parsed: parsed)
        let walk = await walker.walk(from: domain)
        guard walk.failure == nil else {
            return DMARCDiscovery(domain: domain, steps: walk, policy: nil, organizationalDomain: nil, failure: walk.failure)
        }
        let policy = await PolicyChoice(resolver: resolver).choose(for: domain, walk: walk)
        let failure: String?
        if case .failure(let why) = policy { failure = why } else { failure = nil }
        return DMARCDiscovery(domain: domain, steps: walk, policy: policy.policy,
                              organizationalDomain: walk.organizationalDomain(of: domain), failure: failure)
    }

    /// The domain's Organizational Domain (§4.10.2); nil when the DNS failed.
    public func organizationalDomain(of domain: DomainName) async -> DomainName? {
        var walker = TreeWalker(resolver: resolver, parsed: parsed)
        let walk = await walker.walk(from: domain)
        return walk.failure == nil ? walk.organizationalDomain(of: domain) : nil
    }
}

extension DMARCResult {
    static func permanentError(_ reason: String, domain: DomainName?, steps: [DMARCWalkStep] = []) -> DMARCResult {
        DMARCResult(verdict: .permerror, fromDomain: domain, policy: nil, alignments: [], organizationalDomain: nil, reason: reason, steps: steps)
    }

    /// For choosing among several Author Domains: a failure with the strictest policy first, a pass last.
    var severity: Int {
        switch verdict {
        case .fail: 10 + (disposition == .reject ? 2 : disposition == .quarantine ? 1 : 0)
        case .temperror: 4
        case .permerror: 3
        case .none: 2
        case .pass: 1
        }
    }
}
