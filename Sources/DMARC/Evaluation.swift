import DNS
import NetworkAddress

/// A domain that SPF or DKIM authenticated.
struct Identity {
    let mechanism: DMARCAlignment.Mechanism
    let domain: DomainName
}

/// One message's evaluation (RFC 9989 §5.3). Walks are shared by all its domains.
struct Evaluation {
    var walker: TreeWalker
    let identities: [Identity]
    let undecided: [DomainName]

    mutating func evaluate(_ author: DomainName) async -> DMARCResult {
        let own = await walker.ask(author)
        // §4.10.2: with a record of the author's own, an identical identity needs no further walk.
        if let record = own.record, record.defect == nil, identities.contains(where: { $0.domain == author }) {
            let alignments = identities.map {
                DMARCAlignment(mechanism: $0.mechanism, domain: $0.domain, state: $0.domain == author ? .identical : .unchecked)
            }
            return result(.pass, author, PolicyChoice.apply(record, author, .p, record.p), alignments, author, passReason(alignments))
        }
        if let record = own.record, !mayAlignRelaxed(author, record) {
            return await decide(author, PolicyChoice.apply(record, author, .p, record.p), nil)
        }
        let walk = await walker.walk(from: author)
        if let failure = walk.failure {
            return result(.temperror, author, nil, [], nil, "the DNS did not answer \(failure)")
        }
        switch await PolicyChoice(resolver: walker.resolver).choose(for: author, walk: walk) {
        case .failure(let why): return result(.temperror, author, nil, [], nil, "the DNS did not answer \(why)")
        case .noRecord: return result(.none, author, nil, [], nil, "no DMARC record applies to \(author)")
        case .policy(let policy): return await decide(author, policy, walk.organizationalDomain(of: author))
        }
    }

    /// Whether the Organizational Domain can matter: only under relaxed alignment, and since it is an ancestor of both
    /// sides, only for identities that share at least the last label.
    private func mayAlignRelaxed(_ author: DomainName, _ record: DMARCRecord) -> Bool {
        if record.defect != nil { return false }
        let top = author.lastLabel
        return identities.contains { $0.domain.lastLabel == top && mode($0.mechanism, record) == .relaxed }
            || undecided.contains { $0.lastLabel == top && $0 != author }
    }

    private func mode(_ mechanism: DMARCAlignment.Mechanism, _ record: DMARCRecord) -> DMARCRecord.Alignment {
        mechanism == .spf ? record.aspf : record.adkim
    }

    private mutating func decide(_ author: DomainName, _ policy: DMARCAppliedPolicy, _ organization: DomainName?) async -> DMARCResult {
        if let defect = policy.record.defect {
            return result(.permerror, author, policy, [], organization, "the record at _dmarc.\(policy.domain) is wrong: \(defect)")
        }
        var alignments: [DMARCAlignment] = []
        for identity in identities {
            let state = await align(identity.domain, author, organization, mode(identity.mechanism, policy.record))
            alignments.append(DMARCAlignment(mechanism: identity.mechanism, domain: identity.domain, state: state))
        }
        if alignments.contains(where: \.isAligned) { return result(.pass, author, policy, alignments, organization, passReason(alignments)) }
        // §5.3.6: a question that was needed and not answered leaves neither pass nor fail.
        if let open = alignments.first(where: { if case .failure = $0.state { true } else { false } }) {
            return result(.temperror, author, policy, alignments, organization, "\(open)")
        }
        for domain in undecided.prefix(DMARCEvaluator.identityLimit) {
            let strict: DMARCRecord.Alignment = policy.record.adkim == .strict && policy.record.aspf == .strict ? .strict : .relaxed
            switch await align(domain, author, organization, strict) {
            case .none, .unchecked: continue
            case .identical, .organizational, .failure:
                return result(.temperror, author, policy, alignments, organization,
                              "the check of \(domain), which might align, ended in a temporary error (RFC 9989 section 5.3.6)")
            }
        }
        return result(.fail, author, policy, alignments, organization, failReason(author, policy, alignments))
    }

    /// §4.4: identical, or under relaxed alignment of one Organizational Domain.
    private mutating func align(
        _ domain: DomainName, _ author: DomainName, _ organization: DomainName?, _ mode: DMARCRecord.Alignment
    ) async -> DMARCAlignment.State {
        if domain == author { return .identical }
        // An Organizational Domain is the domain itself or an ancestor of it.
        guard mode == .relaxed, let organization, domain.isSame(orBelow: organization) else { return .none }
        let walk = await walker.walk(from: domain)
        if let failure = walk.failure { return .failure(failure) }
        return walk.organizationalDomain(of: domain) == organization ? .organizational(organization) : .none
    }

    private func passReason(_ alignments: [DMARCAlignment]) -> String {
        alignments.filter(\.isAligned).map(\.description).joined(separator: "; ")
    }

    private func failReason(_ author: DomainName, _ policy: DMARCAppliedPolicy, _ alignments: [DMARCAlignment]) -> String {
        let what = alignments.isEmpty ? "neither SPF nor DKIM passed" : alignments.map(\.description).joined(separator: "; ")
        let test = policy.published != policy.applied ? ", which t=y makes \(policy.applied.rawValue)" : ""
        return "\(what); _dmarc.\(policy.domain) asks for \(policy.tag.rawValue)=\(policy.published.rawValue)\(test) for \(author)"
    }

    private func result(
        _ verdict: DMARCVerdict, _ author: DomainName, _ policy: DMARCAppliedPolicy?, _ alignments: [DMARCAlignment],
        _ organization: DomainName?, _ reason: String
    ) -> DMARCResult {
        DMARCResult(verdict: verdict, fromDomain: author, policy: policy, alignments: alignments, organizationalDomain: organization,
                    reason: reason, steps: walker.steps)
    }
}
