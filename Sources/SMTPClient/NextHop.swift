import InternetMessage
import NetworkAddress

/// Where mail for a destination goes first.
public enum NextHop: Sendable, Hashable, CustomStringConvertible {
    /// The MX hosts of a domain, on a port.
    case mailExchangers(of: DomainName, port: Int?)
    /// A host by name, its MX records not asked for: Postfix's `[host]:port`.
    case host(DomainName, port: Int?)
    case address(IPAddress, port: Int?)
    /// A program that takes mail by LMTP (RFC 2033), on a socket of this machine or a host.
    case lmtp(LMTPPlace)
    /// Nobody: counts as delivered. The text is for the log.
    case discard(String)
    /// Refused, with an enhanced code and a text.
    case error(status: String, text: String)

    /// Postfix's notation for `relayhost` and transports: `domain`, `domain:port`, `[host]`, `[host]:port`, `[192.0.2.1]:port`,
    /// `[IPv6:2001:db8::1]:port`. A bare IP address is taken as if in brackets.
    public init?(_ text: some StringProtocol) {
        let text = String(text)
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            guard let port = Self.port(text[text.index(after: end)...]) else { return nil }
            var inner = String(text[text.index(after: text.startIndex)..<end])
            if inner.lowercased().hasPrefix("ipv6:") { inner = String(inner.dropFirst(5)) }
            if let address = IPAddress(inner) { self = .address(address, port: port.value) } else {
                guard let name = DomainName(inner), name.isHostName else { return nil }
                self = .host(name, port: port.value)
            }
            return
        }
        if let address = IPAddress(text) { self = .address(address, port: nil); return }
        let cut = text.firstIndex(of: ":") ?? text.endIndex
        guard let port = Self.port(text[cut...]) else { return nil }
        if let address = IPAddress(text[..<cut]) { self = .address(address, port: port.value); return }
        guard let name = DomainName(text[..<cut]), name.isHostName else { return nil }
        self = .mailExchangers(of: name, port: port.value)
    }

    /// An address's own next hop, no relay configured.
    public init(_ domain: EmailAddress.Domain) {
        switch domain {
        case .name(let name): self = .mailExchangers(of: name, port: nil)
        case .literal(let address): self = .address(address, port: nil)
        }
    }

    public var description: String {
        func suffix(_ port: Int?) -> String { port.map { ":\($0)" } ?? "" }
        return switch self {
        case .mailExchangers(let name, let port): name.text + suffix(port)
        case .host(let name, let port): "[\(name.text)]" + suffix(port)
        case .address(let address, let port): (address.family == .v4 ? "[\(address)]" : "[IPv6:\(address)]") + suffix(port)
        case .lmtp(let place): "lmtp:\(place)"
        case .discard(let text): "discard:\(text)"
        case .error(let status, let text): "error:\(status) \(text)"
        }
    }

    /// The domain or host, where it has a name.
    public var name: DomainName? {
        switch self {
        case .mailExchangers(let name, _), .host(let name, _), .lmtp(.host(let name, _)): name
        case .address, .lmtp, .discard, .error: nil
        }
    }

    /// Under which keys a table of destinations may have it, the most exact first: as written, its name, `.parent` for each
    /// parent domain.
    public var tableKeys: [String] {
        guard let name else { return [description] }
        var keys = [description, name.text]
        var domain = name.parent
        while let parent = domain, !parent.isRoot {
            keys.append("." + parent.text)
            domain = parent.parent
        }
        return keys
    }

    private static func port(_ text: Substring) -> (value: Int?, ())? {
        if text.isEmpty { return (nil, ()) }
        guard text.first == ":", let number = UInt16(text.dropFirst()), number > 0 else { return nil }
        return (Int(number), ())
    }
}
