/// A stored message or part of it, as CATENATE names it (RFC 4469 §3, RFC 5092): `/mailbox;UIDVALIDITY=1/;UID=2/;SECTION=1.2`.
public struct MessageURL: Sendable, Hashable {
    /// nil: the selected one.
    public let mailbox: MailboxName?
    public let uidValidity: UInt32?
    public let uid: UInt32
    public let section: BodySection
    public let partial: Partial?

    /// nil unless the text is such a URL, without a server's name: other servers are not asked.
    public init?(_ text: String) {
        guard let mark = Self.range(of: ";UID=", in: text) else { return nil }
        var path = text[..<mark.lowerBound]
        if path.hasSuffix("/") { path = path.dropLast() }
        guard let (mailbox, validity) = Self.mailbox(path) else { return nil }
        var pieces = text[mark.upperBound...].split(separator: "/", omittingEmptySubsequences: false)[...]
        guard let number = pieces.popFirst().flatMap({ UInt32($0) }), number > 0 else { return nil }
        var section = BodySection(), partial: Partial?
        while let piece = pieces.popFirst() {
            if let value = Self.value(of: ";SECTION=", in: piece) {
                // A section's own text holds no slash but in header field names; those come percent-encoded.
                guard let parsed = Self.section(value) else { return nil }
                section = parsed
            } else if let value = Self.value(of: ";PARTIAL=", in: piece) {
                guard let parsed = Self.partial(value) else { return nil }
                partial = parsed
            } else { return nil }
        }
        self.mailbox = mailbox
        uidValidity = validity
        uid = number
        self.section = section
        self.partial = partial
    }

    /// `"/" enc-mailbox [";UIDVALIDITY=" nz-number]`, or nothing.
    private static func mailbox(_ path: Substring) -> (MailboxName?, UInt32?)? {
        if path.isEmpty { return .some((nil, nil)) }
        guard path.hasPrefix("/"), !path.hasPrefix("//") else { return nil }
        var name = path.dropFirst(), validity: UInt32?
        if let mark = range(of: ";UIDVALIDITY=", in: String(name)) {
            let text = String(name)
            guard let number = UInt32(text[mark.upperBound...]), number > 0 else { return nil }
            validity = number
            name = Substring(text[..<mark.lowerBound])
        }
        guard !name.contains(";"), let octets = unescape(name), let decoded = MailboxName(wire: octets), !decoded.text.isEmpty else { return nil }
        return (decoded, validity)
    }

    private static func section(_ text: String) -> BodySection? {
        guard let octets = unescape(text[...]), !octets.isEmpty else { return nil }
        var scanner = Scanner([91] + octets + [93])
        guard case .section(let section, nil, _)? = try? FetchParser.section(&scanner, peek: true), scanner.position == scanner.bytes.count else { return nil }
        return section
    }

    /// `number ["." nz-number]`
    private static func partial(_ text: String) -> Partial? {
        let words = text.split(separator: ".", omittingEmptySubsequences: false)
        guard words.count <= 2, let origin = words.first.flatMap({ UInt32($0) }) else { return nil }
        guard words.count == 2 else { return Partial(origin: Int(origin), count: Int(UInt32.max)) }
        guard let count = UInt32(words[1]), count > 0 else { return nil }
        return Partial(origin: Int(origin), count: Int(count))
    }

    private static func value(of key: String, in piece: Substring) -> String? {
        ASCII.equal(piece.prefix(key.count), key) ? String(piece.dropFirst(key.count)) : nil
    }

    private static func range(of key: String, in text: String) -> Range<String.Index>? {
        var at = text.startIndex
        while at < text.endIndex {
            if text[at] == ";", ASCII.equal(text[at...].prefix(key.count), key) { return at..<text.index(at, offsetBy: key.count) }
            at = text.index(after: at)
        }
        return nil
    }

    private static func unescape(_ text: Substring) -> [UInt8]? {
        var out: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == 37 else {
                out.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16), value > 0 else { return nil }
            out.append(value)
            rest = rest.dropFirst(2)
        }
        return out
    }
}
