import NetworkAddress

/// What a server wrote about its client in a Received field (RFC 5321 §4.4), where its layout is one of those known:
/// Postfix's, which is ours too, and Exim's.
public struct ReceivedHop: Sendable, Hashable {
    /// What the client called itself.
    public let helo: String
    /// The name the server verified; nil when it found none.
    public let clientName: String?
    public let clientAddress: IPAddress
    /// nil when the session was in the clear, or the field does not say.
    public let tls: TLS?

    public struct TLS: Sendable, Hashable {
        /// `TLSv1.3`
        public let version: String
        public let cipher: String
        /// 0 when the field does not say.
        public let bits: Int
    }

    /// - Parameter field: a Received field; nil comes of every other layout, so that nothing is guessed.
    public init?(_ field: HeaderField) {
        guard field.rawValue.count <= 4096, let clauses = ReceivedClauses(field.value) else { return nil }
        guard let client = PostfixClient(clauses)?.client ?? EximClient(clauses)?.client else { return nil }
        (helo, clientName, clientAddress) = (client.helo, client.name, client.address)
        tls = clauses.comments.lazy.compactMap(PostfixClient.tls).first ?? EximClient.tls(clauses)
    }

    /// The id that the server gave the message; nil when the field names none.
    public static func id(of field: HeaderField) -> String? {
        guard field.rawValue.count <= 4096, let clauses = ReceivedClauses(field.value) else { return nil }
        return clauses.value(after: "id")
    }
}

/// The words and comments before the date, in order.
struct ReceivedClauses {
    enum Token: Hashable {
        case word(String)
        /// Without its outer parentheses.
        case comment(String)
    }

    let tokens: [Token]

    var comments: [String] { tokens.compactMap { if case .comment(let text) = $0 { text } else { nil } } }

    /// Nil for unbalanced parentheses or a field without a date.
    init?(_ value: String) {
        var tokens: [Token] = [], current = "", depth = 0, ended = false
        func flush() { if !current.isEmpty { tokens.append(.word(current)); current = "" } }
        for character in value {
            switch character {
            case "(":
                if depth == 0 { flush() } else { current.append(character) }
                depth += 1
            case ")":
                depth -= 1
                guard depth >= 0 else { return nil }
                if depth == 0 { tokens.append(.comment(current)); current = "" } else { current.append(character) }
            case ";" where depth == 0: ended = true
            case " ", "\t":
                if depth == 0 { flush() } else { current.append(character) }
            default: current.append(character)
            }
            if ended { break }
        }
        guard ended, depth == 0 else { return nil }
        flush()
        self.tokens = tokens
    }

    /// The word after a keyword of the clause grammar: `by`, `with`, `id`.
    func value(after keyword: String) -> String? {
        for (token, next) in zip(tokens, tokens.dropFirst()) {
            if case .word(let word) = token, word.lowercased() == keyword, case .word(let value) = next { return value }
        }
        return nil
    }

    /// `[192.0.2.1]`, `[IPv6:2001:db8::1]` or, as Exim has it, `[2001:db8::1]`.
    static func literal(_ text: Substring) -> IPAddress? {
        guard text.hasPrefix("["), text.hasSuffix("]") else { return nil }
        let inner = text.dropFirst().dropLast()
        return IPAddress(inner.lowercased().hasPrefix("ipv6:") ? inner.dropFirst(5) : inner)?.unmapped
    }
}

struct ReceivedClient {
    let helo: String
    let name: String?
    let address: IPAddress
}

/// `from HELO (NAME [ADDRESS]) (using TLSv1.3 with cipher X (256/256 bits)) … by HOST (Postfix) with ESMTPS id …`
struct PostfixClient {
    let client: ReceivedClient

    init?(_ clauses: ReceivedClauses) {
        guard clauses.tokens.count >= 4, case .word(let from) = clauses.tokens[0], from.lowercased() == "from",
            case .word(let helo) = clauses.tokens[1], case .comment(let comment) = clauses.tokens[2] else { return nil }
        let words = comment.split(whereSeparator: { $0 == " " || $0 == "\t" })
        guard words.count == 2, let address = ReceivedClauses.literal(words[1]) else { return nil }
        let name = words[0].lowercased() == "unknown" ? nil : DomainName(words[0])?.text
        client = ReceivedClient(helo: helo, name: name, address: address)
    }

    /// `using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange …`, or ours: `… (256 bits)`.
    static func tls(_ comment: String) -> ReceivedHop.TLS? {
        let words = comment.split(whereSeparator: { $0 == " " || $0 == "\t" })
        guard words.count >= 5, words[0] == "using", words[2] == "with", words[3] == "cipher", words[1].hasPrefix("TLS") || words[1].hasPrefix("SSL") else { return nil }
        let bits = words.dropFirst(5).first.map { $0.dropFirst().prefix { $0.isASCII && $0.isNumber } }
        return .init(version: String(words[1].prefix(20)), cipher: String(words[4].prefix(100)), bits: bits.flatMap { Int($0) } ?? 0)
    }
}

/// `from NAME ([ADDRESS] helo=HELO) by HOST with esmtps (TLS1.3) tls CIPHER (Exim 4.96) …`, or without a verified name
/// `from [ADDRESS] (helo=HELO)`. No helo= means that it was the name, or the literal.
struct EximClient {
    let client: ReceivedClient

    init?(_ clauses: ReceivedClauses) {
        guard clauses.tokens.count >= 3, case .word(let from) = clauses.tokens[0], from.lowercased() == "from",
            case .word(let source) = clauses.tokens[1] else { return nil }
        var words: [Substring] = []
        if case .comment(let comment) = clauses.tokens[2] { words = comment.split(whereSeparator: { $0 == " " || $0 == "\t" }) }
        let helo = words.first { $0.hasPrefix("helo=") }.map { String($0.dropFirst(5)) }
        if let address = ReceivedClauses.literal(Self.withoutPort(source[...])) {
            // A comment must be Exim's own, `by` may follow at once.
            guard words.isEmpty || words.allSatisfy(Self.isAttribute) else { return nil }
            client = ReceivedClient(helo: helo ?? "[\(address)]", name: nil, address: address)
        } else {
            guard let first = words.first, let address = ReceivedClauses.literal(Self.withoutPort(first)),
                words.dropFirst().allSatisfy(Self.isAttribute), let name = DomainName(source) else { return nil }
            client = ReceivedClient(helo: helo ?? source, name: name.text, address: address)
        }
    }

    private static func isAttribute(_ word: Substring) -> Bool { ["helo=", "ident=", "port="].contains { word.hasPrefix($0) } }

    /// `[192.0.2.1]:4711`, as with `log_selector = +incoming_port`.
    private static func withoutPort(_ text: Substring) -> Substring {
        guard text.hasPrefix("["), let close = text.lastIndex(of: "]") else { return text }
        let rest = text[text.index(after: close)...]
        return rest.isEmpty || rest.hasPrefix(":") && rest.dropFirst().allSatisfy { $0.isASCII && $0.isNumber } ? text[...close] : text
    }

    /// `with esmtps (TLS1.3) tls TLS_AES_256_GCM_SHA384`, and before 4.94 `(TLS1.3:ECDHE_X25519__RSA…:256)`.
    static func tls(_ clauses: ReceivedClauses) -> ReceivedHop.TLS? {
        guard let comment = clauses.comments.first(where: { $0.hasPrefix("TLS1") }) else { return nil }
        let parts = comment.split(separator: ":", omittingEmptySubsequences: false)
        let version = "TLSv" + parts[0].dropFirst(3).prefix(10)
        if parts.count == 3 { return .init(version: version, cipher: String(parts[1].prefix(100)), bits: Int(parts[2]) ?? 0) }
        return clauses.value(after: "tls").map { .init(version: version, cipher: String($0.prefix(100)), bits: 0) }
    }
}
