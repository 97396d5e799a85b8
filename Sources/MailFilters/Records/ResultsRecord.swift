import DKIM
import DMARC
import DNS
import DecisionRecords
import Foundation
import Milter
import Policy
import SPF

/// The typed results of a transaction as its record keeps them.
enum ResultsRecord {
    /// Characters of a reason or a value that are kept.
    private static let textLimit = 500
    /// Signatures, tags and rules that are kept of one message.
    private static let countLimit = 100

    static func make(_ transaction: Transaction) -> DecisionRecord.Results {
        var out = DecisionRecord.Results()
        out.reverseName = transaction[ReverseNameKey.self].map {
            .init(verdict: $0.verdict.rawValue, address: $0.address.description, name: $0.name?.text, reason: short($0.reason))
        }
        if let spf = transaction[SPFKey.self] {
            // For the null sender both are the check of the HELO name: kept once.
            out.spf = [spf.mailFrom, spf.mailFrom?.identity == .helo ? nil : spf.helo].compactMap { $0 }.map(make)
        }
        out.dkim = transaction[DKIMKey.self].map { $0.prefix(countLimit).map(make) }
        out.dmarc = transaction[DMARCKey.self].map(make)
        let seen = transaction[PolicyNotesKey.self]?.tags ?? []
        out.tags = transaction[TagKey.self].map { tags in
            tags.prefix(countLimit).map { tag in make(tag, seen: seen.first { $0.recipient == tag.recipient && $0.verdict.tag == tag.verdict.tag }) }
        }
        out.lookups = transaction[PolicyLookupsKey.self].flatMap(lookups)
        out.signedBy = transaction[SignedByKey.self] ?? []
        return out
    }

    /// Octets of answers that are kept.
    private static let lookupLimit = 65_536

    private static func lookups(_ lookups: PolicyLookups) -> String? {
        guard !lookups.answers.isEmpty, let json = try? JSONEncoder().encode(lookups), json.count <= lookupLimit else { return nil }
        return String(decoding: json, as: UTF8.self)
    }

    /// Those that matched.
    static func rules(_ transaction: Transaction) -> [DecisionRecord.RuleHit] {
        let notes = transaction[PolicyNotesKey.self]
        let hits = (transaction[PolicyTraceKey.self] ?? []).enumerated().filter { $0.element.matched }
        return hits.prefix(countLimit).map { index, trace in
            DecisionRecord.RuleHit(
                rule: trace.rule, file: trace.file, line: trace.line, stage: trace.stage.rawValue, recipient: notes?.recipient(ofTrace: index)?.description,
                saw: trace.seen.map { .init($0.name, $0.value.map { short($0.description) }) })
        }
    }

    private static func make(_ spf: SPFResult) -> DecisionRecord.SPF {
        .init(verdict: spf.verdict.rawValue, identity: spf.identity.rawValue, domain: short(spf.domainText), reason: short(spf.reason),
              match: spf.match?.description, record: spf.record)
    }

    private static func make(_ dkim: DKIMSignatureResult) -> DecisionRecord.DKIM {
        .init(verdict: dkim.verdict.rawValue, reason: short(dkim.reason), domain: dkim.domain?.text, selector: dkim.selector, algorithm: dkim.algorithm,
              identity: dkim.identity.map(short), coversWholeBody: dkim.coversWholeBody, signsFrom: dkim.signsFrom, isTesting: dkim.isTesting,
              keyBits: dkim.keyBits, keyRecord: dkim.keyRecord)
    }

    private static func make(_ dmarc: DMARCResult) -> DecisionRecord.DMARC {
        .init(verdict: dmarc.verdict.rawValue, from: dmarc.fromDomain?.text, reason: short(dmarc.reason), policy: dmarc.policy.map {
            .init(domain: $0.domain.text, record: $0.record.text, tag: $0.tag.rawValue, published: $0.published.rawValue, applied: $0.applied.rawValue)
        })
    }

    private static func make(_ tagged: TaggedRecipient, seen: TaggedRecipient?) -> DecisionRecord.Tag {
        let verdict = tagged.verdict
        let before = seen.flatMap { $0.verdict.status == verdict.status ? nil : $0.verdict.status.rawValue }
        return .init(recipient: tagged.recipient.description, status: verdict.status.rawValue, base: verdict.tag.base.description, detail: verdict.tag.detail,
                     owners: verdict.owners.prefix(countLimit).map(\.text), offender: verdict.offender?.text, explanation: short(verdict.explanation), seen: before)
    }

    private static func short(_ text: String) -> String { text.utf8.count <= textLimit ? text : String(text.unicodeScalars.prefix(textLimit)) }
}
