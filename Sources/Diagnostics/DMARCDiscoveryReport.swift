import DMARC

/// What `postern dmarc --from DOMAIN` prints: the record that applies, the walk that found it, and its policy.
public struct DMARCDiscoveryReport: Sendable, Encodable {
    public let domain: String
    /// `none`, `quarantine` or `reject`; nil without a record.
    public let policy: String?
    /// The tag the policy is taken from: `p`, `sp` or `np`.
    public let tag: String?
    /// As published, where `t=y` makes the policy that applies a milder one.
    public let publishedPolicy: String?
    /// Where the record stands.
    public let recordName: String?
    public let record: String?
    /// Why nothing may be done with the record.
    public let defect: String?
    public let alignment: Alignment?
    public let organizationalDomain: String?
    /// Every name asked, in order.
    public let walk: [Step]
    /// Why nothing can be concluded: the DNS failed.
    public let failure: String?

    public struct Alignment: Sendable, Encodable {
        public let spf: String
        public let dkim: String
    }

    public struct Step: Sendable, Encodable {
        public let name: String
        public let finding: String

        init(_ step: DMARCWalkStep) {
            let words = Plain.line(step.description)
            name = "_dmarc.\(step.domain)"
            finding = words.hasPrefix(name + ": ") ? String(words.dropFirst(name.count + 2)) : words
        }
    }

    public init(_ found: DMARCDiscovery) {
        domain = found.domain.text
        policy = found.policy?.applied.rawValue
        tag = found.policy?.tag.rawValue
        publishedPolicy = found.policy?.published.rawValue
        recordName = found.policy.map { "_dmarc.\($0.domain)" }
        record = found.policy?.record.text
        defect = found.policy?.record.defect
        alignment = found.policy.map { Alignment(spf: Self.word($0.record.aspf), dkim: Self.word($0.record.adkim)) }
        organizationalDomain = found.organizationalDomain?.text
        walk = found.steps.map(Step.init)
        failure = found.failure.map(Plain.line)
    }

    /// The policy is the first word: `reject`, `quarantine`, `none`, `no-record`, or `temperror` when the DNS failed.
    public var text: String {
        var facts: [(String, String)] = []
        if let failure { facts.append(("failed", failure)) }
        if let tag, let publishedPolicy {
            facts.append(("policy", "\(tag)=\(publishedPolicy)" + (publishedPolicy == policy ? "" : ", made \(policy ?? "") by t=y")))
        }
        if let recordName, let record { facts += [("found at", recordName), ("record", record)] }
        if let defect { facts.append(("defect", defect)) }
        if let alignment { facts.append(("alignment", "SPF \(alignment.spf), DKIM \(alignment.dkim)")) }
        if let organizationalDomain { facts.append(("organization", organizationalDomain)) }
        let first = failure != nil ? "temperror" : policy ?? "no-record"
        let steps = walk.enumerated().map { ($0.offset == 0 ? "walk" : "", "\($0.element.name): \($0.element.finding)") }
        return ([first + " for mail from " + domain] + TextTable((facts + steps).map { ["  " + ($0.0.isEmpty ? "" : $0.0 + ":"), $0.1] }).lines)
            .joined(separator: "\n")
    }

    private static func word(_ mode: DMARCRecord.Alignment) -> String { mode == .strict ? "strict" : "relaxed" }
}
