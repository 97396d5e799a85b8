import SMTPClient

/// Sessions of one day that went alike towards one domain under one policy (RFC 8460 §4.4).
public struct TLSReportRow: Sendable, Hashable, Codable {
    /// `2026-11-24`, in UTC.
    public var day: String
    public var domain: String
    /// `tlsa`, `sts` or `no-policy-found`.
    public var policyType: String
    /// The policy as published, by line.
    public var policy: [String]
    public var mxPatterns: [String]
    /// A result type of RFC 8460 §4.3; empty for success.
    public var result: String
    /// Of failures: the server, its address and what was wrong.
    public var mxHost: String
    public var address: String
    public var reason: String
    public var sessions: Int

    public init(day: String, _ seen: TLSObservation) {
        self.day = day
        domain = seen.domain.text
        policyType = seen.source.rawValue
        policy = seen.policyLines
        mxPatterns = seen.mxPatterns
        result = seen.failure?.rawValue ?? ""
        mxHost = seen.failure == nil ? "" : seen.mxHost
        address = seen.failure == nil ? "" : seen.address?.description ?? ""
        reason = seen.failure == nil ? "" : String(seen.reason.prefix(300))
        sessions = 1
    }

    init(day: String, domain: String, policyType: String, policy: [String], mxPatterns: [String], result: String, mxHost: String, address: String,
         reason: String, sessions: Int) {
        self.day = day
        self.domain = domain
        self.policyType = policyType
        self.policy = policy
        self.mxPatterns = mxPatterns
        self.result = result
        self.mxHost = mxHost
        self.address = address
        self.reason = reason
        self.sessions = sessions
    }

    /// The row without its count: what makes two sessions alike.
    var kind: TLSReportRow {
        var out = self
        out.sessions = 0
        return out
    }
}
