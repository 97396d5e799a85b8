import Foundation

/// The report on one day that a domain asks for (RFC 8460 §4.4), ready to be JSON.
public struct TLSReport: Sendable, Encodable {
    public struct DateRange: Sendable, Encodable {
        public let start: String
        public let end: String
        enum CodingKeys: String, CodingKey { case start = "start-datetime", end = "end-datetime" }
    }
    public struct Policy: Sendable, Encodable {
        public let type: String
        public let strings: [String]
        public let domain: String
        public let mxHost: [String]
        enum CodingKeys: String, CodingKey { case type = "policy-type", strings = "policy-string", domain = "policy-domain", mxHost = "mx-host" }
    }
    public struct Summary: Sendable, Encodable {
        public var successful = 0
        public var failed = 0
        enum CodingKeys: String, CodingKey { case successful = "total-successful-session-count", failed = "total-failure-session-count" }
    }
    public struct Failure: Sendable, Encodable {
        public let result: String
        public let mxHost: String
        public let address: String?
        public let sessions: Int
        public let reason: String?
        enum CodingKeys: String, CodingKey {
            case result = "result-type", mxHost = "receiving-mx-hostname", address = "receiving-ip", sessions = "failed-session-count",
                 reason = "failure-reason-code"
        }
    }
    public struct PolicyResult: Sendable, Encodable {
        public let policy: Policy
        public var summary = Summary()
        public var failures: [Failure] = []
        enum CodingKeys: String, CodingKey { case policy, summary, failures = "failure-details" }
    }

    public let organization: String
    public let dateRange: DateRange
    public let contact: String
    public let id: String
    public let policies: [PolicyResult]
    enum CodingKeys: String, CodingKey {
        case organization = "organization-name", dateRange = "date-range", contact = "contact-info", id = "report-id", policies
    }

    /// - Parameters:
    ///   - rows: of one domain and one day.
    ///   - organization: who reports; our host name.
    public init(_ rows: [TLSReportRow], day: String, domain: String, organization: String, contact: String) {
        self.organization = organization
        self.contact = contact
        dateRange = DateRange(start: "\(day)T00:00:00Z", end: "\(day)T23:59:59Z")
        id = "\(day)_\(domain)@\(organization)"
        let groups = Dictionary(grouping: rows) { [$0.policyType] + $0.policy + ["/"] + $0.mxPatterns }
        policies = groups.sorted { $0.key.lexicographicallyPrecedes($1.key) }.compactMap { $0.value.first.map { Self.result($0, rows) } }
    }

    private static func result(_ one: TLSReportRow, _ all: [TLSReportRow]) -> PolicyResult {
        var out = PolicyResult(policy: Policy(type: one.policyType, strings: one.policy, domain: one.domain, mxHost: one.mxPatterns))
        for row in all where row.policyType == one.policyType && row.policy == one.policy && row.mxPatterns == one.mxPatterns {
            guard !row.result.isEmpty else {
                out.summary.successful += row.sessions
                continue
            }
            out.summary.failed += row.sessions
            out.failures.append(Failure(result: row.result, mxHost: row.mxHost, address: row.address.isEmpty ? nil : row.address, sessions: row.sessions,
                                        reason: row.reason.isEmpty ? nil : row.reason))
        }
        return out
    }

    public var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
