import InternetMessage
import NetworkAddress

/// One entry of `transport`: how a domain's mail leaves (Postfix's transport(5)).
public enum Transport: Sendable, Hashable {
    /// `smtp:`, by the recipient domain's own MX, though a relay host is set.
    case own
    case hop(NextHop)

    /// `smtp:[host]:port`, `smtp:`, `lmtp:unix:/path`, `lmtp:host:port`, `discard:` and `error:text`; nil for anything else.
    public init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let rest = text[text.index(after: colon)...]
        switch text[..<colon] {
        case "smtp", "relay":
            if rest.isEmpty { self = .own; return }
            guard let hop = NextHop(rest) else { return nil }
            self = .hop(hop)
        case "lmtp":
            guard let place = LMTPPlace(rest) else { return nil }
            self = .hop(.lmtp(place))
        case "discard": self = .hop(.discard(String(rest)))
        case "error": self = .hop(Self.error(rest))
        default: return nil
        }
    }

    /// `error:5.1.1 text` or `error:text`, whose code is then Postfix's 5.0.0.
    private static func error(_ text: Substring) -> NextHop {
        let word = text.prefix { $0 != " " }
        let numbers = word.split(separator: ".", omittingEmptySubsequences: false)
        let fallback = "mail for this address is not accepted"
        guard numbers.count == 3, numbers[0] == "5", numbers.allSatisfy({ (1...3).contains($0.utf8.count) && $0.utf8.allSatisfy { (48...57).contains($0) } }) else {
            return .error(status: "5.0.0", text: text.isEmpty ? fallback : String(text))
        }
        let rest = text.dropFirst(word.count).drop { $0 == " " }
        return .error(status: String(word), text: rest.isEmpty ? fallback : String(rest))
    }

    /// As the table has it.
    public var description: String {
        switch self {
        case .own: "smtp:"
        case .hop(let hop):
            switch hop {
            case .lmtp, .discard, .error: hop.description
            case .mailExchangers, .host, .address: "smtp:\(hop)"
            }
        }
    }
}

/// Transports by recipient domain: the domain itself, then `.parent` for what lies below one, then `*`.
public struct TransportTable: Sendable, Hashable {
    public var entries: [String: Transport]

    public init(_ entries: [String: Transport] = [:]) { self.entries = entries }

    func transport(for domain: EmailAddress.Domain) -> Transport? {
        guard !entries.isEmpty else { return nil }
        if case .name(let name) = domain {
            if let exact = entries[name.text] { return exact }
            var parent = name.parent
            while let above = parent, !above.isRoot {
                if let found = entries["." + above.text] { return found }
                parent = above.parent
            }
        }
        return entries["*"]
    }
}

/// Where an LMTP server listens.
public enum LMTPPlace: Sendable, Hashable, CustomStringConvertible {
    case unix(String)
    case host(DomainName, port: Int)
    case address(IPAddress, port: Int)

    /// LMTP has no port of its own; 24 is registered for private mail systems and Postfix's default.
    static let port = 24

    /// `unix:/path`, `host:port`, `inet:host:port` and any of these with the host in brackets.
    public init?(_ text: some StringProtocol) {
        var text = Substring(text)
        if text.hasPrefix("unix:") {
            let path = text.dropFirst(5)
            // sun_path holds 108 octets, the final zero among them.
            guard path.hasPrefix("/"), path.utf8.count < 108, !path.utf8.contains(0) else { return nil }
            self = .unix(String(path))
            return
        }
        if text.hasPrefix("inet:") { text = text.dropFirst(5) }
        switch NextHop(text) {
        case .mailExchangers(let name, let port), .host(let name, let port): self = .host(name, port: port ?? Self.port)
        case .address(let address, let port): self = .address(address, port: port ?? Self.port)
        default: return nil
        }
    }

    public var description: String {
        switch self {
        case .unix(let path): "unix:\(path)"
        case .host(let name, let port): "\(name):\(port)"
        case .address(let address, let port): NextHop.address(address, port: port).description
        }
    }
}
