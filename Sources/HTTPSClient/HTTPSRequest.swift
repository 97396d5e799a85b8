import NetworkAddress

/// What is asked of an HTTPS server.
public struct HTTPSRequest: Sendable {
    /// `GET`, `HEAD`, `POST`
    public var method: String
    /// With the query.
    public var path: String
    /// Beside Host, User-Agent, Content-Length and Connection, which are set.
    public var headers: [(String, String)]
    public var body: [UInt8]

    public init(method: String = "GET", path: String, headers: [(String, String)] = [("Accept", "text/plain")], body: [UInt8] = []) {
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body
    }
}

/// An https URL in its parts (RFC 3986 §3): no user, no fragment.
public struct HTTPSPlace: Sendable, Hashable {
    public let host: DomainName
    public let port: Int
    /// With the query; begins with a slash.
    public let path: String

    /// nil for what is no https URL with a host name.
    public init?(_ text: String) {
        guard text.utf8.count <= 2048, text.lowercased().hasPrefix("https://"), text.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else { return nil }
        let rest = text.dropFirst(8)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let tail = rest.dropFirst(authority.count).prefix { $0 != "#" }
        let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let host = DomainName(String(parts[0])), host.isHostName else { return nil }
        guard let port = parts.count == 2 ? Int(parts[1]) : 443, (1...65535).contains(port) else { return nil }
        self.host = host
        self.port = port
        path = tail.hasPrefix("/") ? String(tail) : "/" + tail
    }
}
