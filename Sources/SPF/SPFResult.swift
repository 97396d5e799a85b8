import DNS
import NetworkAddress

/// The results of check_host() (RFC 7208 §2.6), by the names RFC 8601 §2.7.2 gives them.
public enum SPFVerdict: String, Sendable, Hashable, CaseIterable {
    case none, neutral, pass, fail, softfail, temperror, permerror
}

/// Which of the client's words was checked (RFC 7208 §2.3 and §2.4).
public enum SPFIdentity: String, Sendable, Hashable {
    case mailfrom, helo
}

/// The directive that decided, as it was written.
public struct SPFMatch: Sendable, Hashable, CustomStringConvertible {
    /// With its qualifier if it has one: `-all`, `include:_spf.example.org`.
    public let directive: String
    /// The domain whose record holds it: another than the one checked after a redirect.
    public let domain: DomainName
    public var description: String { "\(directive) in the record of \(domain)" }
}

/// One question asked of the DNS on the way.
public struct SPFLookup: Sendable, Hashable, CustomStringConvertible {
    public let question: DNSQuestion
    /// What came back: the records in short, `no such name`, `no data`, or why it failed.
    public let outcome: String
    public var description: String { "\(question): \(outcome)" }
}

/// What check_host() found, with enough to explain it.
public struct SPFResult: Sendable, Hashable {
    public let verdict: SPFVerdict
    public let identity: SPFIdentity
    /// The domain checked as the client gave it, which need not be a valid name.
    public let domainText: String
    /// The domain checked; nil when it is not a domain name (the verdict is then `none`).
    public let domain: DomainName?
    /// The directive that decided; nil for the default result and for errors.
    public let match: SPFMatch?
    /// The domain owner's words for a `fail` (exp=, RFC 7208 §6.2), printable US-ASCII; written by a stranger.
    public let explanation: String?
    /// Why, in plain words, with the clause for errors. Printable US-ASCII.
    public let reason: String
    /// The SPF record of the domain checked, if it has exactly one; octets outside printable US-ASCII are `?`.
    public let record: String?
    /// Every question in the order asked.
    public let lookups: [SPFLookup]

    public init(verdict: SPFVerdict, identity: SPFIdentity, domainText: String, domain: DomainName?, match: SPFMatch?, explanation: String?,
                reason: String, record: String?, lookups: [SPFLookup]) {
        self.verdict = verdict
        self.identity = identity
        self.domainText = domainText
        self.domain = domain
        self.match = match
        self.explanation = explanation
        self.reason = reason
        self.record = record
        self.lookups = lookups
    }
}
