import InternetMessage
import NetworkAddress

/// Where mail for a destination goes first.
public enum NextHop: Sendable, Hashable, CustomStringConvertible {
    /// The MX hosts of a domain, on a port.
    case mailExchangers(of: DomainName, port: Int?)
    /// A host by name, its MX records not asked for: Postfix's `[host]:port`.
    case host(DomainName, port: Int?)
    case address(IPAddress, port: Int?)

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
        }
    }

    private static func port(_ text: Substring) -> (value: Int?, ())? {
        if text.isEmpty { return (nil, ()) }
        guard text.first == ":", let number = UInt16(text.dropFirst()), number > 0 else { return nil }
        return (Int(number), ())
    }
}
