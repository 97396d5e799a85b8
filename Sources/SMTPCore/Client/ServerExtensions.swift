import InternetMessage

/// What a server offered in its EHLO reply (RFC 5321 §4.1.1.1).
public struct ServerExtensions: Sendable, Hashable {
    /// The name the server gave itself, the first word of its first line; empty when there is none.
    public let serverName: String
    /// Keyword in upper case → its parameters as written.
    public let keywords: [String: [String]]

    /// What HELO leaves: no extension.
    public static func none(serverName: String = "") -> ServerExtensions { ServerExtensions(serverName: serverName, keywords: [:]) }

    init(serverName: String, keywords: [String: [String]]) {
        self.serverName = serverName
        self.keywords = keywords
    }

    public init(ehloReply reply: SMTPReply) {
        var keywords: [String: [String]] = [:]
        for line in reply.lines.dropFirst() {
            var words = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
            guard !words.isEmpty else { continue }
            // `AUTH=PLAIN LOGIN`, as servers before RFC 2554 wrote it.
            if words[0].uppercased().hasPrefix("AUTH=") { words = ["AUTH", String(words[0].dropFirst(5))] + words[1...] }
            keywords[words[0].uppercased(), default: []] += words[1...]
        }
        self.init(serverName: reply.lines[0].split(separator: " ").first.map(String.init) ?? "", keywords: keywords)
    }

    public func offers(_ keyword: String) -> Bool { keywords[keyword] != nil }

    public var pipelining: Bool { offers("PIPELINING") }
    public var startTLS: Bool { offers("STARTTLS") }
    public var eightBitMIME: Bool { offers("8BITMIME") }
    public var smtpUTF8: Bool { offers("SMTPUTF8") }
    public var dsn: Bool { offers("DSN") }
    public var chunking: Bool { offers("CHUNKING") }
    public var requireTLS: Bool { offers("REQUIRETLS") }

    /// Whether SIZE is offered, and its limit in octets; nil when none is stated (RFC 1870 §3: 0 or no number).
    public var sizeLimit: Int? { keywords["SIZE"]?.first.flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil } }
    public var size: Bool { offers("SIZE") }

    /// SASL mechanisms in upper case.
    public var authentication: Set<String> { Set((keywords["AUTH"] ?? []).map { $0.uppercased() }) }
}
