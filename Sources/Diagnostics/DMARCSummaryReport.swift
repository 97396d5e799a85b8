import DMARC
import Foundation

/// What `postern dmarc` prints of the rows an installation keeps: by domain and source.
public struct DMARCSummaryReport: Sendable, Encodable {
    public let days: Int
    public let sources: [Source]

    public struct Source: Sendable, Encodable {
        public let domain: String
        public let source: String
        public let messages: Int
        public let passed: Int
        public let dkimAligned: Int
        public let spfAligned: Int
        public let quarantined: Int
        public let rejected: Int
        public let firstSeen: Date
        public let lastSeen: Date
    }

    public init(_ summaries: [DMARCSourceSummary], days: Int) {
        self.days = days
        sources = summaries.map {
            Source(domain: $0.headerFrom, source: $0.source, messages: $0.messages, passed: $0.passed, dkimAligned: $0.dkimAligned,
                   spfAligned: $0.spfAligned, quarantined: $0.quarantined, rejected: $0.rejected,
                   firstSeen: Date(timeIntervalSince1970: Double($0.first)), lastSeen: Date(timeIntervalSince1970: Double($0.last)))
        }
    }

    public var text: String {
        guard !sources.isEmpty else { return "no evaluated messages in the last \(days) days" }
        let head = ["DOMAIN", "SOURCE", "MESSAGES", "PASSED", "DKIM", "SPF", "QUARANTINED", "REJECTED", "LAST"]
        return TextTable([head] + sources.map { one in
            let counts = [one.messages, one.passed, one.dkimAligned, one.spfAligned, one.quarantined, one.rejected].map(String.init)
            return [Plain.line(one.domain), Plain.line(one.source)] + counts + [one.lastSeen.ISO8601Format()]
        }).lines.joined(separator: "\n")
    }
}
