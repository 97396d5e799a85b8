import NetworkAddress

/// A domain's policy document (RFC 8461 §3.2).
public struct STSPolicy: Sendable, Hashable {
    public enum Mode: String, Sendable, Hashable, Codable, CaseIterable { case enforce, testing, none }

    public let mode: Mode
    /// Host names, or `*.` and a name: as written, in lower case.
    public let mx: [String]
    /// Seconds; at most about a year.
    public let maxAge: Int

    public init(mode: Mode, mx: [String], maxAge: Int) {
        self.mode = mode
        self.mx = mx
        self.maxAge = maxAge
    }

    /// What is wrong with a document.
    public struct Invalid: Error, Sendable, Hashable, CustomStringConvertible {
        public let description: String
    }

    /// RFC 8461 §3.2: `max_age` has this as its greatest value.
    public static let longestAge = 31_557_600

    /// Reads `key: value` lines that end in CRLF or LF. Unknown keys are passed over; of a known one that comes twice the
    /// first counts, `mx` apart.
    /// - Throws: ``Invalid``.
    public init(_ text: String) throws(Invalid) {
        var fields: [String: String] = [:]
        var patterns: [String] = []
        for line in text.split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":") else { throw Invalid(description: "a line without a colon: \(line.prefix(60).debugDescription)") }
            let key = Self.trimmed(line[..<colon]), value = Self.trimmed(line[line.index(after: colon)...])
            if key == "mx" {
                patterns.append(try Self.pattern(value))
            } else if fields[key] == nil {
                fields[key] = value
            }
        }
        guard fields["version"] == "STSv1" else { throw Invalid(description: "version is not STSv1") }
        guard let mode = fields["mode"].flatMap({ Mode(rawValue: $0) }) else { throw Invalid(description: "mode must be enforce, testing or none") }
        guard let age = fields["max_age"].flatMap({ Int($0) }), (0...Self.longestAge).contains(age) else {
            throw Invalid(description: "max_age must be from 0 to \(Self.longestAge) seconds")
        }
        guard mode == .none || !patterns.isEmpty else { throw Invalid(description: "there is no mx") }
        self.init(mode: mode, mx: patterns, maxAge: age)
    }

    private static func pattern(_ text: String) throws(Invalid) -> String {
        let name = text.hasPrefix("*.") ? String(text.dropFirst(2)) : text
        guard let domain = DomainName(name), domain.isHostName else { throw Invalid(description: "mx: \(text.prefix(80).debugDescription) is no host name") }
        return (text.hasPrefix("*.") ? "*." : "") + domain.text
    }

    private static func trimmed(_ text: Substring) -> String {
        var out = text
        while out.first?.isWhitespace == true { out.removeFirst() }
        while out.last?.isWhitespace == true { out.removeLast() }
        return String(out)
    }

    /// Whether the policy names the host (RFC 8461 §4.1): `*` stands for exactly one label, the leftmost.
    public func allows(_ host: DomainName) -> Bool {
        mx.contains { pattern in
            guard pattern.hasPrefix("*.") else { return pattern == host.text }
            return host.parent?.text == String(pattern.dropFirst(2))
        }
    }
}
