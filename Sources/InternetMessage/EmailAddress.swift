import NetworkAddress

/// An addr-spec: local part and domain (RFC 5321 §4.1.2, RFC 6531 §3.3).
///
/// The local part is kept unquoted, case preserved; the domain in the form in which domains are compared, or as an
/// address literal. Compare whole addresses with `==` only where the local part's case matters; ``folded`` where not.
public struct EmailAddress: Sendable, Hashable, CustomStringConvertible {
    public enum Domain: Sendable, Hashable {
        case name(DomainName)
        case literal(IPAddress)
    }

    /// Without quotes and quoted-pairs: `"john doe"@x` has `john doe`.
    public let localPart: String
    public let domain: Domain

    public init(localPart: String, domain: DomainName) {
        self.localPart = localPart
        self.domain = .name(domain)
    }

    public init(localPart: String, domain: Domain) {
        self.localPart = localPart
        self.domain = domain
    }

    /// The domain as a name; nil for an address literal.
    public var domainName: DomainName? { if case .name(let name) = domain { name } else { nil } }

    /// `[192.0.2.1]` or the name.
    public var domainText: String {
        switch domain {
        case .name(let name): name.text
        case .literal(let address): address.family == .v4 ? "[\(address)]" : "[IPv6:\(address)]"
        }
    }

    /// The address as SMTP writes it, the local part quoted where it must be.
    public var description: String { Self.quoted(localPart) + "@" + domainText }

    /// Lower-case form for look-ups that ignore the local part's case, as mailbox providers do.
    public var folded: EmailAddress { EmailAddress(localPart: localPart.lowercased(), domain: domain) }

    /// Whether the local part needs SMTPUTF8 (RFC 6531 §3.2); the domain never does, being A-labels.
    public var needsSMTPUTF8: Bool { localPart.utf8.contains { $0 >= 0x80 } }

    /// Splits `local+detail` at the first of the delimiters (Postfix's `recipient_delimiter`: each character of the
    /// set by itself). The base is never empty: a leading delimiter belongs to the local part.
    public func splittingDetail(delimiters: String) -> (base: EmailAddress, detail: String?) {
        guard let cut = localPart.dropFirst().firstIndex(where: { delimiters.contains($0) }) else { return (self, nil) }
        let base = EmailAddress(localPart: String(localPart[..<cut]), domain: domain)
        return (base, String(localPart[localPart.index(after: cut)...]))
    }

    /// Parses a bare addr-spec: `local@domain`, with quoted local parts and address literals.
    /// - Returns: nil unless the whole text is one mailbox in RFC 5321's grammar, within the 254 octets that §4.5.3.1.3
    ///   leaves it. The 64 octets of §4.5.3.1.1 are what must be taken at least: rewritten senders of forwarded mail are longer.
    public init?(_ text: some StringProtocol) {
        var parser = PathParser(Array(text.utf8))
        guard let address = parser.mailbox(), parser.atEnd else { return nil }
        self = address
    }

    static func quoted(_ local: String) -> String {
        if PathParser.isDotAtom(local.utf8) { return local }
        // By scalars: a quote with a combining mark behind it is another Character, and would go unescaped.
        var out = "\""
        for scalar in local.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { out += "\\" }
            out.unicodeScalars.append(scalar)
        }
        return out + "\""
    }
}

/// RFC 5321 §4.1.2's mailbox and path grammar over octets, extended to UTF-8 by RFC 6531 §3.3.
public struct PathParser {
    private let bytes: [UInt8]
    public private(set) var position = 0

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public var atEnd: Bool { position == bytes.count }

    /// What MAIL and RCPT name between angle brackets.
    public enum Path: Sendable, Hashable {
        case null
        /// `<postmaster>` without a domain, which RFC 5321 §4.1.1.3 demands for RCPT.
        case postmaster
        case mailbox(EmailAddress)
    }

    /// `<...>`, with an obsolete source route skipped (RFC 5321 Appendix C). Leaves the position behind `>`.
    public mutating func path() -> Path? {
        guard take(60) else { return nil }
        if take(62) { return .null }
        if peek == 64 {
            while let byte = peek, byte != 58, byte != 62 { position += 1 }
            guard take(58) else { return nil }
        }
        let start = position
        if let address = mailbox(), take(62) { return .mailbox(address) }
        position = start
        let word = bytes[start...].prefix { $0 != 62 }
        guard String(decoding: word, as: UTF8.self).lowercased() == "postmaster" else { return nil }
        position = start + word.count
        return take(62) ? .postmaster : nil
    }

    /// `Local-part "@" ( Domain / address-literal )`.
    public mutating func mailbox() -> EmailAddress? {
        let start = position
        guard let local = localPart(), !local.isEmpty, take(64), let domain = domain(), position - start <= 254 else { return nil }
        return EmailAddress(localPart: local, domain: domain)
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    private mutating func localPart() -> String? {
        if peek == 34 { return quotedString() }
        let start = position
        while let byte = peek, Self.isAtext(byte) || byte == 46 { position += 1 }
        let word = bytes[start..<position]
        return word.isEmpty || Self.isDotAtom(word) ? String(validating: word, as: UTF8.self) : nil
    }

    private mutating func quotedString() -> String? {
        guard take(34) else { return nil }
        var out: [UInt8] = []
        while let byte = peek {
            position += 1
            if byte == 34 { return String(validating: out, as: UTF8.self) }
            if byte == 92 {
                guard let next = peek, next >= 32, next < 127 else { return nil }
                position += 1
                out.append(next)
            } else {
                guard byte >= 32, byte != 127 else { return nil }
                out.append(byte)
            }
        }
        return nil
    }

    private mutating func domain() -> EmailAddress.Domain? {
        let start = position
        if take(91) {
            let inner = bytes[position...].prefix { $0 != 93 }
            position += inner.count
            guard take(93) else { return nil }
            var text = String(decoding: inner, as: UTF8.self)
            if text.lowercased().hasPrefix("ipv6:") { text = String(text.dropFirst(5)) } else if text.contains(":") { return nil }
            return IPAddress(text).map { .literal($0) }
        }
        while let byte = peek, Self.isDomainOctet(byte) { position += 1 }
        guard let text = String(validating: bytes[start..<position], as: UTF8.self), !text.isEmpty, !text.hasSuffix("."),
            let name = DomainName(text), name.keepsHyphensInside else { return nil }
        return .name(name)
    }

    private static func isDomainOctet(_ byte: UInt8) -> Bool {
        (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte) || byte == 45 || byte == 46 || byte == 95 || byte >= 0x80
    }

    /// Dot-string (RFC 5321 §4.1.2): no dot at an end, no two together. Octets and not Characters: a combining mark behind a
    /// dot makes another Character of it and is still behind a dot for every other server.
    static func isDotAtom(_ text: some BidirectionalCollection<UInt8>) -> Bool {
        guard let first = text.first, first != 46, text.last != 46 else { return false }
        return text.allSatisfy { isAtext($0) || $0 == 46 } && !zip(text, text.dropFirst()).contains { $0 == 46 && $1 == 46 }
    }

    /// atext (RFC 5322 §3.2.3) or any octet of a UTF-8 sequence (RFC 6531 §3.3).
    static func isAtext(_ byte: UInt8) -> Bool {
        switch byte {
        case 97...122, 65...90, 48...57, 0x80...: true
        case 33, 35, 36, 37, 38, 39, 42, 43, 45, 47, 61, 63, 94, 95, 96, 123, 124, 125, 126: true
        default: false
        }
    }
}
