import NetworkAddress

/// Whether a key's record stands in the DNS as it should, by whom we asked.
public struct Publication: Sendable, Hashable, Codable {
    public enum Verdict: String, Sendable, Hashable, Codable {
        /// Everyone who was asked has the right record.
        case published
        /// Somebody has none.
        case missing
        /// Somebody has another one, or one that verifiers must not use.
        case wrong
        /// Nobody says otherwise, but somebody did not answer.
        case unknown
    }

    /// One name server's word, or the resolver's.
    public struct Finding: Sendable, Hashable, Codable {
        /// `ns1.example.org`, or `resolver`.
        public let source: String
        public let verdict: Verdict
        /// In words; empty for `published`.
        public let detail: String
    }

    public let verdict: Verdict
    /// The zone that holds the record; nil when only the resolver was asked.
    public let zone: String?
    public let findings: [Finding]

    init(zone: DomainName?, _ findings: [Finding]) {
        self.zone = zone?.text
        self.findings = findings
        verdict = Self.worst(findings.map(\.verdict))
    }

    /// A wrong record first: it is what the operator must mend.
    static func worst(_ verdicts: [Verdict]) -> Verdict {
        for verdict in [Verdict.wrong, .missing, .unknown] where verdicts.contains(verdict) { return verdict }
        return verdicts.isEmpty ? .unknown : .published
    }
}
