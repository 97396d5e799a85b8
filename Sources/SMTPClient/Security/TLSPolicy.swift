import NetworkAddress

/// What is demanded of a destination's TLS, in Postfix's words (`smtp_tls_security_level`).
public enum TLSLevel: String, Sendable, Hashable, CaseIterable {
    case none
    /// Encrypt where the server offers it, whoever it is; in clear otherwise.
    case may
    /// Encrypt or leave the message queued.
    case encrypt
    /// By TLSA records where DNSSEC proves them (RFC 7672), as `may` where there are none.
    case dane
    /// By TLSA records, or leave the message queued.
    case daneOnly = "dane-only"
    /// Encrypt, and the certificate must be for the server's name.
    case verify
    /// Encrypt, and the certificate must be for a name that the DNS had no say in: the next hop's own.
    case secure
}

/// A destination's level and, for `verify` and `secure`, whose certificate it must be.
public struct TLSPolicy: Sendable, Hashable {
    /// `match=`'s words: `hostname`, `nexthop`, `dot-nexthop`, or a name; `.example.org` is any name below.
    public enum Match: Sendable, Hashable {
        case hostName, nextHop, dotNextHop
        case name(String)
    }

    public let level: TLSLevel
    /// Empty: Postfix's defaults, `hostname` for `verify`, `nexthop` and `dot-nexthop` for `secure`.
    public let matches: [Match]

    public init(_ level: TLSLevel, matches: [Match] = []) {
        self.level = level
        self.matches = matches
    }

    /// `secure`, or `secure match=example.org:.example.org`, as `smtp_tls_policy_maps` has it; nil for anything else.
    public init?(_ text: String) {
        let words = text.split { $0 == " " || $0 == "\t" || $0 == "," }
        guard let first = words.first, let level = TLSLevel(rawValue: String(first)) else { return nil }
        var matches: [Match] = []
        for word in words.dropFirst() {
            guard word.hasPrefix("match="), level == .verify || level == .secure else { return nil }
            for name in word.dropFirst(6).split(separator: ":") {
                guard let match = Self.match(name) else { return nil }
                matches.append(match)
            }
        }
        self.init(level, matches: matches)
    }

    private static func match(_ word: Substring) -> Match? {
        switch word {
        case "hostname": return .hostName
        case "nexthop": return .nextHop
        case "dot-nexthop": return .dotNextHop
        default:
            let name = word.hasPrefix(".") ? word.dropFirst() : word
            guard let domain = DomainName(name), domain.isHostName else { return nil }
            return .name((word.hasPrefix(".") ? "." : "") + domain.text)
        }
    }

    /// The names of which the certificate must bear one.
    func names(host: String, nextHop: String) -> [String] {
        let matches = matches.isEmpty ? (level == .secure ? [.nextHop, .dotNextHop] : [.hostName]) : matches
        return matches.map { match in
            switch match {
            case .hostName: host
            case .nextHop: nextHop
            case .dotNextHop: "." + nextHop
            case .name(let name): name
            }
        }
    }
}

/// Policies by destination (`smtp_tls_policy_maps`).
public struct TLSPolicyTable: Sendable, Hashable {
    /// By next hop as written (`[mail.example.org]:587`), by domain, or by `.domain` for all below it.
    public var entries: [String: TLSPolicy]

    public init(_ entries: [String: TLSPolicy] = [:]) { self.entries = entries }

    /// The most exact entry for a next hop: with brackets and port, the name alone, then parent domains.
    func policy(for hop: NextHop) -> TLSPolicy? {
        guard !entries.isEmpty else { return nil }
        return hop.tableKeys.lazy.compactMap { entries[$0] }.first
    }
}
