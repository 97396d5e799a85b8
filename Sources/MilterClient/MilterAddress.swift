import NetworkAddress

/// Where a milter listens, as `smtpd_milters` writes it: `inet:host:port`, `unix:/path`; also libmilter's `inet:port@host`.
public enum MilterAddress: Sendable, Hashable, CustomStringConvertible {
    case inet(host: String, port: Int)
    case unix(path: String)

    public init?(_ text: some StringProtocol) {
        let text = String(text)
        if text.hasPrefix("unix:") || text.hasPrefix("local:") {
            let path = String(text[text.index(after: text.firstIndex(of: ":") ?? text.startIndex)...])
            guard path.hasPrefix("/"), path.utf8.count < 104 else { return nil }
            self = .unix(path: path)
            return
        }
        guard let scheme = ["inet:", "inet6:"].first(where: { text.hasPrefix($0) }) else { return nil }
        let rest = text.dropFirst(scheme.count)
        let parts: (host: Substring, port: Substring)
        if let at = rest.firstIndex(of: "@") {
            parts = (rest[rest.index(after: at)...], rest[..<at])
        } else if let colon = rest.lastIndex(of: ":") {
            parts = (rest[..<colon], rest[rest.index(after: colon)...])
        } else { return nil }
        var host = String(parts.host)
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty, let port = Int(parts.port), (1...65535).contains(port) else { return nil }
        self = .inet(host: host, port: port)
    }

    public var description: String {
        switch self {
        case .inet(let host, let port): host.contains(":") ? "inet:[\(host)]:\(port)" : "inet:\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
