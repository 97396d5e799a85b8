/// Where Postfix connects to.
public enum Endpoint: Sendable, Hashable, CustomStringConvertible {
    case inet(host: String, port: Int)
    /// A path as the machine sees it, from its root.
    case unix(String)

    /// Reads a milter's or a log-in server's address: `inet:host:port`, `inet:[host]:port`, `unix:path`, `path`.
    /// - Parameter root: what a relative path begins at; for a chrooted client every path does.
    public init?(_ text: String, queue root: String, isChrooted: Bool) {
        if text.hasPrefix("inet:") || text.hasPrefix("inet6:") {
            let rest = text.drop { $0 != ":" }.dropFirst()
            guard let colon = rest.lastIndex(of: ":"), let port = Int(rest[rest.index(after: colon)...]) else { return nil }
            self = .inet(host: rest[..<colon].trimming("[]"), port: port)
            return
        }
        let path = text.hasPrefix("unix:") ? String(text.dropFirst(5)) : text
        guard !path.isEmpty, !path.contains(":") else { return nil }
        self = .unix(path.hasPrefix("/") && !isChrooted ? path : root + (path.hasPrefix("/") ? "" : "/") + path)
    }

    public var description: String {
        switch self {
        case .inet(let host, let port): "\(host.contains(":") ? "[\(host)]" : host) port \(port)"
        case .unix(let path): path
        }
    }

    /// The same place, whatever this machine is called in it.
    public func isSame(as other: Endpoint) -> Bool {
        switch (self, other) {
        case (.unix(let a), .unix(let b)): return a == b
        case (.inet(let a, let port), .inet(let b, let other)):
            let own: Set<String> = ["localhost", "127.0.0.1", "::1", "*", "0.0.0.0", "::", ""]
            return port == other && (a == b || own.contains(a) && own.contains(b))
        default: return false
        }
    }
}

/// One entry of `smtpd_milters`: `inet:localhost:12301`, or `{ inet:localhost:12301, default_action=accept }`.
public struct MilterEntry: Sendable, Hashable {
    public let address: String
    public var options: [String: String] = [:]

    public static func list(_ text: String) -> [MilterEntry] {
        var out: [MilterEntry] = [], rest = text[...]
        while let first = rest.first {
            if " \t,".contains(first) {
                rest = rest.dropFirst()
            } else if first == "{", let end = rest.firstIndex(of: "}") {
                out.append(braced(rest[rest.index(after: rest.startIndex)..<end]))
                rest = rest[rest.index(after: end)...]
            } else {
                let word = rest.prefix { !" \t,".contains($0) }
                out.append(MilterEntry(address: String(word)))
                rest = rest.dropFirst(word.count)
            }
        }
        return out
    }

    private static func braced(_ text: Substring) -> MilterEntry {
        let words = text.split(whereSeparator: { " \t,".contains($0) })
        var options: [String: String] = [:]
        for word in words.dropFirst() {
            if let equals = word.firstIndex(of: "=") { options[String(word[..<equals])] = String(word[word.index(after: equals)...]) }
        }
        return MilterEntry(address: words.first.map(String.init) ?? "", options: options)
    }
}
