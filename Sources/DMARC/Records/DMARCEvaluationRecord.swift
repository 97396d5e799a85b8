import NetworkAddress

/// What an aggregate report says of one message (RFC 9990 §3.1): one row. Equal rows but for their time are what a
/// report counts.
public struct DMARCEvaluationRecord: Sendable, Hashable, Codable {
    /// What became of the message for DMARC's sake (RFC 9990 §3.1.1.8).
    public enum Disposition: String, Sendable, Hashable, Codable { case none, pass, quarantine, reject }

    /// Why that was not what the policy asks for.
    public enum Override: String, Sendable, Hashable, Codable {
        case localPolicy = "local_policy"
        case testMode = "policy_test_mode"
    }

    public struct DKIM: Sendable, Hashable, Codable {
        public let domain: String
        public let selector: String?
        /// RFC 8601's word.
        public let result: String
        /// Why, when it did not pass.
        public let reason: String?

        public init(domain: String, selector: String?, result: String, reason: String?) {
            (self.domain, self.selector, self.result, self.reason) = (domain, selector, result, reason)
        }
    }

    public struct SPF: Sendable, Hashable, Codable {
        public enum Scope: String, Sendable, Hashable, Codable { case mfrom, helo }
        public let domain: String
        public let scope: Scope
        public let result: String
        public let reason: String?

        public init(domain: String, scope: Scope, result: String, reason: String?) {
            (self.domain, self.scope, self.result, self.reason) = (domain, scope, result, reason)
        }
    }

    /// The record as it was found, by its tags; nil where a tag is absent and has no default.
    public struct Policy: Sendable, Hashable, Codable {
        /// Where it was found.
        public let domain: String
        public let p: String
        public let sp: String?
        public let np: String?
        public let adkim: String
        public let aspf: String
        public let isTesting: Bool
        public let fo: String

        public init(_ policy: DMARCAppliedPolicy) {
            let record = policy.record
            domain = policy.domain.text
            p = record.p.rawValue
            sp = record.sp?.rawValue
            np = record.np?.rawValue
            adkim = record.adkim.rawValue
            aspf = record.aspf.rawValue
            isTesting = record.isTesting
            fo = record.fo
        }
    }

    /// Seconds since 1970.
    public let time: Int
    public let source: String
    public let headerFrom: String
    /// The domain of MAIL FROM; empty for the null sender.
    public let envelopeFrom: String
    /// The domain of the first recipient.
    public let envelopeTo: String?
    /// DMARC's own result: `pass`, `fail`, `none`, `temperror`, `permerror`.
    public let result: String
    public let disposition: Disposition
    public let override: Override?
    /// Whether a DKIM signature passed and aligned.
    public let dkimAligned: Bool
    public let spfAligned: Bool
    public let dkim: [DKIM]
    public let spf: [SPF]
    /// nil when no policy record applies.
    public let policy: Policy?

    public init(time: Int, source: IPAddress, headerFrom: DomainName, envelopeFrom: String, envelopeTo: String?, result: DMARCResult,
                disposition: Disposition, override: Override?, dkim: [DKIM], spf: [SPF]) {
        self.time = time
        self.source = source.unmapped.description
        self.headerFrom = headerFrom.text
        self.envelopeFrom = envelopeFrom
        self.envelopeTo = envelopeTo
        self.result = result.verdict.rawValue
        self.disposition = disposition
        self.override = override
        dkimAligned = result.alignments.contains { $0.mechanism == .dkim && $0.isAligned }
        spfAligned = result.alignments.contains { $0.mechanism == .spf && $0.isAligned }
        self.dkim = dkim
        self.spf = spf
        policy = result.policy.map(Policy.init)
    }
}

/// Takes rows on the hot path: returns at once, whatever becomes of them.
public protocol DMARCEvaluationRecorder: Sendable {
    func record(_ evaluation: DMARCEvaluationRecord)
}

/// What is known of the mail of one domain from one source.
public struct DMARCSourceSummary: Sendable, Hashable, Codable {
    public let headerFrom: String
    public let source: String
    public let messages: Int
    public let passed: Int
    public let dkimAligned: Int
    public let spfAligned: Int
    public let quarantined: Int
    public let rejected: Int
    /// Seconds since 1970.
    public let first: Int
    public let last: Int

    public init(headerFrom: String, source: String, messages: Int, passed: Int, dkimAligned: Int, spfAligned: Int, quarantined: Int, rejected: Int,
                first: Int, last: Int) {
        self.headerFrom = headerFrom
        self.source = source
        self.messages = messages
        self.passed = passed
        self.dkimAligned = dkimAligned
        self.spfAligned = spfAligned
        self.quarantined = quarantined
        self.rejected = rejected
        self.first = first
        self.last = last
    }
}
