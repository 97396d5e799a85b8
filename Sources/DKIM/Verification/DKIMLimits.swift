/// What verification may cost for one message.
public struct DKIMLimits: Sendable, Hashable {
    /// Signatures verified, top first; the rest are reported as `policy` without a look (RFC 6376 §6.1: a verifier MAY limit them).
    public var maxSignatures: Int
    /// Octets of one DKIM-Signature field; a longer one is reported as `policy`.
    public var maxSignatureOctets: Int
    /// Names in h=, and fields and octets in the header, that are dealt with; past them the verdict is `policy`. Selecting
    /// the signed fields costs names times fields.
    public var maxSignedNames: Int
    public var maxHeaderFields: Int
    public var maxHeaderOctets: Int
    /// How long all key look-ups together may take; keys that are not there by then are temporary failures.
    public var keyDeadline: Duration
    /// Seconds by which clocks may differ, for t= and x=.
    public var clockDrift: Int
    /// Smallest RSA modulus that is believed, in bits (RFC 8301 §3.2 says 1024).
    public var minRSABits: Int

    public init(maxSignatures: Int = 10, maxSignatureOctets: Int = 16384, maxSignedNames: Int = 500,
                maxHeaderFields: Int = 5000, maxHeaderOctets: Int = 1 << 20, keyDeadline: Duration = .seconds(20), clockDrift: Int = 300, minRSABits: Int = 1024) {
        self.maxSignatures = maxSignatures
        self.maxSignatureOctets = maxSignatureOctets
        self.maxSignedNames = maxSignedNames
        self.maxHeaderFields = maxHeaderFields
        self.maxHeaderOctets = maxHeaderOctets
        self.keyDeadline = keyDeadline
        self.clockDrift = clockDrift
        self.minRSABits = minRSABits
    }
}
