import DNS

/// What a domain's `_mta-sts` TXT record says (RFC 8461 §3.1).
public struct STSRecord: Sendable, Hashable {
    /// Changes when the policy does.
    public let id: String

    /// Reads the TXT records of `_mta-sts.domain`: those of another kind are passed over; with more than one of ours the
    /// domain has no policy.
    public init?(_ records: [TXTRecord]) {
        let ours = records.map { String(decoding: $0.joined, as: UTF8.self) }.filter { $0.hasPrefix("v=STSv1;") || $0.hasPrefix("v=STSv1 ") }
        guard ours.count == 1, let text = ours.first else { return nil }
        self.init(text: text)
    }

    /// Reads one record's text, which begins with `v=STSv1`.
    public init?(text: String) {
        for field in text.split(separator: ";").dropFirst() {
            let parts = field.split(separator: "=", maxSplits: 1).map { $0.filter { $0 != " " && $0 != "\t" } }
            guard parts.count == 2, parts[0] == "id" else { continue }
            guard (1...32).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy(Self.isAlphanumeric) else { return nil }
            id = parts[1]
            return
        }
        return nil
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
    }
}
