import Foundation
import SMTPClient

/// What single destinations take at the most, in place of the common limits. Some large providers defer whoever comes with
/// more than a few connections, or too often.
public struct DestinationLimits: Sendable, Hashable {
    public struct Entry: Sendable, Hashable {
        /// Deliveries at once.
        public var concurrency: Int?
        /// Recipients of one message in one transaction.
        public var recipients: Int?
        /// Seconds between the beginnings of two deliveries, at least (Postfix's `…_destination_rate_delay`).
        public var rateDelay: TimeInterval?

        /// `concurrency=2 recipients=10 rate_delay=500ms`, each of them at most once, one at least; nil for anything else.
        public init?(_ text: String) {
            var seen = Set<Substring>()
            for word in text.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "," }) {
                let parts = word.split(separator: "=", maxSplits: 1)
                guard parts.count == 2, seen.insert(parts[0]).inserted else { return nil }
                switch parts[0] {
                case "concurrency": concurrency = Int(parts[1])
                case "recipients": recipients = Int(parts[1])
                case "rate_delay": rateDelay = Self.seconds(parts[1])
                default: return nil
                }
            }
            let isSound = concurrency ?? 1 >= 1 && recipients ?? 1 >= 1 && rateDelay ?? 0 <= DestinationLimits.longestDelay
            let count = [concurrency != nil, recipients != nil, rateDelay != nil].count { $0 }
            guard !seen.isEmpty, count == seen.count, isSound else { return nil }
        }

        /// `500ms`, `2s`, `1m`.
        private static func seconds(_ text: Substring) -> TimeInterval? {
            for (unit, factor) in [("ms", 0.001), ("s", 1), ("m", 60)] where text.hasSuffix(unit) {
                guard let number = Int(text.dropLast(unit.count)), number >= 0 else { return nil }
                return Double(number) * factor
            }
            return nil
        }
    }

    /// Seconds.
    static let longestDelay: TimeInterval = 3600

    /// By next hop as written (`[mail.example.org]:587`), by domain, or by `.domain` for all below it.
    public var entries: [String: Entry]

    public init(_ entries: [String: Entry] = [:]) { self.entries = entries }

    func limits(of destination: Destination) -> Entry? {
        guard !entries.isEmpty, case .remote(let hop) = destination else { return nil }
        return hop.tableKeys.lazy.compactMap { entries[$0] }.first
    }
}
