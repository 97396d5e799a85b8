import NetworkAddress

/// `HOST:PORT` of a name server as a person types it: `127.0.0.1`, `127.0.0.1:5353`, `[::1]:5353`, `::1`, `localhost:5353`.
///
/// An address, since a name would have to be resolved first.
public struct ResolverAddress: Sendable, Hashable, CustomStringConvertible {
    public let address: IPAddress
    public let port: UInt16

    /// Nil unless the text is an address (or `localhost`), with a port from 1 to 65535 if any; `@` may stand for the colon.
    public init?(_ text: String) {
        let (host, port) = Self.split(text)
        guard let address = host.lowercased() == "localhost" ? .v4Loopback : IPAddress(host) else { return nil }
        guard let port else {
            (self.address, self.port) = (address, 53)
            return
        }
        guard let number = UInt16(port), number > 0 else { return nil }
        (self.address, self.port) = (address, number)
    }

    /// As libunbound takes a forwarder.
    public var forwarder: String { "\(address)@\(port)" }
    public var description: String { address.family == .v4 ? "\(address):\(port)" : "[\(address)]:\(port)" }

    private static func split(_ text: String) -> (host: String, port: String?) {
        if text.hasPrefix("["), let close = text.firstIndex(of: "]") {
            let host = String(text[text.index(after: text.startIndex)..<close]), rest = text[text.index(after: close)...]
            if rest.isEmpty { return (host, nil) }
            return rest.hasPrefix(":") || rest.hasPrefix("@") ? (host, String(rest.dropFirst())) : (text, nil)
        }
        if let at = text.lastIndex(of: "@") { return (String(text[..<at]), String(text[text.index(after: at)...])) }
        // Two colons or more are an IPv6 address without a port.
        guard let colon = text.firstIndex(of: ":"), !text[text.index(after: colon)...].contains(":") else { return (text, nil) }
        return (String(text[..<colon]), String(text[text.index(after: colon)...]))
    }
}
