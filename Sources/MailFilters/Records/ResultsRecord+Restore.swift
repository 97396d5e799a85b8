import DKIM
import DMARC
import DecisionRecords
import InternetMessage
import Milter
import NetworkAddress
import SPF
import Tags

extension DecisionRecord.Results {
    /// Puts the typed results back. What a rule cannot ask (every DNS question, the alignments) is not among them.
    func restore(in transaction: inout Transaction) {
        if !spf.isEmpty { transaction[SPFKey.self] = restoredSPF }
        transaction[DKIMKey.self] = dkim.map { $0.compactMap(\.restored) }
        transaction[DMARCKey.self] = dmarc?.restored
        transaction[TagKey.self] = tags.map { $0.compactMap(\.restored) }
    }

    /// For the null sender both are the check of the HELO name.
    private var restoredSPF: SPFResults {
        let ofHelo = spf.first { $0.identity == SPFIdentity.helo.rawValue }?.restored
        return SPFResults(helo: ofHelo, mailFrom: spf.first { $0.identity == SPFIdentity.mailfrom.rawValue }?.restored ?? ofHelo)
    }
}

extension DecisionRecord.SPF {
    fileprivate var restored: SPFResult? {
        guard let verdict = SPFVerdict(rawValue: verdict), let identity = SPFIdentity(rawValue: identity) else { return nil }
        return SPFResult(verdict: verdict, identity: identity, domainText: domain, domain: DomainName(domain), match: nil, explanation: nil, reason: reason,
                         record: record, lookups: [])
    }
}

extension DecisionRecord.DKIM {
    fileprivate var restored: DKIMSignatureResult? {
        guard let verdict = DKIMSignatureResult.Verdict(rawValue: verdict) else { return nil }
        return DKIMSignatureResult(
            verdict: verdict, reason: reason, domain: domain.flatMap { DomainName($0) }, selector: selector, algorithm: algorithm, identity: identity,
            signaturePrefix: nil, isTesting: isTesting, coversWholeBody: coversWholeBody, signsFrom: signsFrom, keyBits: keyBits, keyRecord: keyRecord,
            signedAt: nil, expiresAt: nil)
    }
}

extension DecisionRecord.DMARC {
    fileprivate var restored: DMARCResult? {
        guard let verdict = DMARCVerdict(rawValue: verdict) else { return nil }
        return DMARCResult(verdict: verdict, fromDomain: from.flatMap { DomainName($0) }, policy: policy?.restored, alignments: [], organizationalDomain: nil,
                           reason: reason, steps: [])
    }
}

extension DecisionRecord.DMARCPolicy {
    fileprivate var restored: DMARCAppliedPolicy? {
        guard let record = DMARCRecord(Array(record.utf8)), let domain = DomainName(domain), let tag = DMARCAppliedPolicy.Tag(rawValue: tag),
            let published = DMARC.DMARCPolicy(rawValue: published), let applied = DMARC.DMARCPolicy(rawValue: applied) else { return nil }
        return DMARCAppliedPolicy(record: record, domain: domain, tag: tag, published: published, applied: applied)
    }
}

extension DecisionRecord.Tag {
    fileprivate var restored: TaggedRecipient? {
        guard let status = TagStatus(rawValue: seen ?? status), let recipient = EmailAddress(recipient), let base = EmailAddress(base) else { return nil }
        let verdict = TagVerdict(status: status, tag: TagAddress(base: base, detail: detail), owners: owners.compactMap { DomainName($0) },
                                 offender: offender.flatMap { DomainName($0) }, explanation: explanation)
        return TaggedRecipient(recipient: recipient, verdict: verdict)
    }
}
