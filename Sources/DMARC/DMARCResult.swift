import NetworkAddress

/// The results of RFC 8601 §2.7.6 and RFC 9989 §5.3.5.
public enum DMARCVerdict: String, Sendable, Hashable, CaseIterable {
    case none, pass, fail, temperror, permerror
}

/// The policy that applies to an Author Domain.
public struct DMARCAppliedPolicy: Sendable, Hashable {
    public enum Tag: String, Sendable, Hashable { case p, sp, np }

    public let record: DMARCRecord
    /// Where the record was found.
    public let domain: DomainName
    /// The tag the policy is taken from; `p` too where sp and np are absent.
    public let tag: Tag
    /// As the owner published it.
    public let published: DMARCPolicy
    /// What is asked for a message that fails: one level milder under `t=y`.
    public let applied: DMARCPolicy

    public init(record: DMARCRecord, domain: DomainName, tag: Tag, published: DMARCPolicy, applied: DMARCPolicy) {
        self.record = record
        self.domain = domain
        self.tag = tag
        self.published = published
        self.applied = applied
    }
}

/// Whether an authenticated domain speaks for the Author Domain (RFC 9989 §4.4).
public struct DMARCAlignment: Sendable, Hashable, CustomStringConvertible {
    public enum Mechanism: String, Sendable, Hashable { case spf, dkim }
    public enum State: Sendable, Hashable {
        /// The same name.
        case identical
        /// The same Organizational Domain, under relaxed alignment.
        case organizational(DomainName)
        case none
        /// Not looked into, since another identity had decided already.
        case unchecked
        case failure(String)
    }

    public let mechanism: Mechanism
    public let domain: DomainName
    public let state: State

    public var isAligned: Bool {
        switch state {
        case .identical, .organizational: true
        case .none, .unchecked, .failure: false
        }
    }

    public var description: String {
        switch state {
        case .identical: "\(mechanism.rawValue) \(domain) is the same domain"
        case .organizational(let shared): "\(mechanism.rawValue) \(domain) shares the organizational domain \(shared)"
        case .none: "\(mechanism.rawValue) \(domain) is not aligned"
        case .unchecked: "\(mechanism.rawValue) \(domain) was not needed"
        case .failure(let why): "\(mechanism.rawValue) \(domain) could not be decided: \(why)"
        }
    }
}

/// What the DNS holds for a domain (RFC 9989 §4.10).
public struct DMARCDiscovery: Sendable {
    public let domain: DomainName
    public let steps: [DMARCWalkStep]
    /// Nil without a record, or when the DNS failed.
    public let policy: DMARCAppliedPolicy?
    /// Nil when the DNS failed.
    public let organizationalDomain: DomainName?
    /// Why nothing can be concluded.
    public let failure: String?
}

/// The outcome for one message, with enough to explain it.
public struct DMARCResult: Sendable {
    public let verdict: DMARCVerdict
    /// The Author Domain; of several, the one that decided. Nil when there is none.
    public let fromDomain: DomainName?
    public let policy: DMARCAppliedPolicy?
    /// Every authenticated identity given.
    public let alignments: [DMARCAlignment]
    /// Nil when it did not need to be found.
    public let organizationalDomain: DomainName?
    /// In plain words, with the clause for errors.
    public let reason: String
    /// Every record looked for, in the order asked.
    public let steps: [DMARCWalkStep]

    public init(verdict: DMARCVerdict, fromDomain: DomainName?, policy: DMARCAppliedPolicy?, alignments: [DMARCAlignment],
                organizationalDomain: DomainName?, reason: String, steps: [DMARCWalkStep]) {
        self.verdict = verdict
        self.fromDomain = fromDomain
        self.policy = policy
        self.alignments = alignments
        self.organizationalDomain = organizationalDomain
        self.reason = reason
        self.steps = steps
    }

    /// What the owner asks to be done with this very message: `none` unless the verdict is fail.
    public var disposition: DMARCPolicy { verdict == .fail ? policy?.applied ?? .none : .none }
}
