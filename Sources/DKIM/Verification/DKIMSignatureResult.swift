import NetworkAddress

/// What one DKIM-Signature field came to.
public struct DKIMSignatureResult: Sendable, Hashable {
    /// RFC 8601 §2.7.1. A message without signatures has no results at all (`none`).
    public enum Verdict: String, Sendable, Hashable {
        case pass
        /// The message or its header is not what was signed.
        case fail
        /// The field has syntax errors or asks for what nobody here can do.
        case neutral
        /// It could be verified and is not believed all the same: small key, SHA-1, expired, too many.
        case policy
        /// Try again later: the key could not be fetched.
        case temperror
        /// No later attempt will help: no key, a revoked or malformed one, a field that contradicts itself.
        case permerror
    }

    public let verdict: Verdict
    /// In plain words, with the clause; for logs and the `reason` of Authentication-Results.
    public let reason: String
    /// d=; nil when there is none that is a domain name.
    public let domain: DomainName?
    /// s= as written, without blanks; nil when missing.
    public let selector: String?
    /// a= as written, as `rsa-sha256`; nil when missing.
    public let algorithm: String?
    /// i= decoded, or `@` and d= when absent (RFC 6376 §3.5); nil when neither can be read.
    public let identity: String?
    /// The beginning of b=: 8 characters, or as many as tell this message's signatures apart (RFC 6008 §4).
    public let signaturePrefix: String?
    /// The key record says t=y: treat a failure as if there were no signature (RFC 6376 §3.6.1).
    public let isTesting: Bool
    /// Whether all of the body is signed: no l=, or one that reaches the body's end. Only meaningful for `pass`.
    public let coversWholeBody: Bool
    /// Whether From is among the signed fields.
    public let signsFrom: Bool
    /// Bits of the public key; nil when none was looked at.
    public let keyBits: Int?
    /// The key record's text, control characters replaced by `?`; nil when none was found.
    public let keyRecord: String?
    /// t=, in seconds since 1970.
    public let signedAt: Int?
    /// x=, in seconds since 1970.
    public let expiresAt: Int?

    public init(verdict: Verdict, reason: String, domain: DomainName?, selector: String?, algorithm: String?, identity: String?,
                signaturePrefix: String?, isTesting: Bool, coversWholeBody: Bool, signsFrom: Bool, keyBits: Int?, keyRecord: String?,
                signedAt: Int?, expiresAt: Int?) {
        self.verdict = verdict
        self.reason = reason
        self.domain = domain
        self.selector = selector
        self.algorithm = algorithm
        self.identity = identity
        self.signaturePrefix = signaturePrefix
        self.isTesting = isTesting
        self.coversWholeBody = coversWholeBody
        self.signsFrom = signsFrom
        self.keyBits = keyBits
        self.keyRecord = keyRecord
        self.signedAt = signedAt
        self.expiresAt = expiresAt
    }

    /// Whether DMARC may align this signature's domain: passed, over the whole body, From included.
    public var countsForDMARC: Bool { verdict == .pass && coversWholeBody && signsFrom }
}
