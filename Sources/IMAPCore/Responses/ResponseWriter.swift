/// Collects octets for the wire and picks for each string the form that the grammar allows (RFC 3501 §4.3, §9).
public struct ResponseWriter: Sendable {
    /// What was written and not yet taken.
    public private(set) var bytes: [UInt8] = []
    /// Whether the client enabled UTF-8 (RFC 9051 §6.3.1): mailbox names unencoded, quoted strings may hold UTF-8.
    public var utf8: Bool

    public init(utf8: Bool = false) { self.utf8 = utf8 }

    /// Hands over what was written, so that a long answer can be sent in pieces.
    public mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    public mutating func raw(_ text: String) { bytes += text.utf8 }

    /// Octets as they are, for example inside a literal whose size was announced.
    public mutating func raw(_ octets: some Collection<UInt8>) { bytes += octets }

    /// A number in decimal, without making a string of it: a folder's worth of FETCH answers is mostly numbers.
    public mutating func number(_ value: UInt64) {
        guard value >= 10 else { return bytes.append(48 + UInt8(value)) }
        var rest = value, start = bytes.count
        while rest > 0 {
            bytes.append(48 + UInt8(rest % 10))
            rest /= 10
        }
        var end = bytes.count - 1
        while start < end {
            bytes.swapAt(start, end)
            start += 1
            end -= 1
        }
    }

    /// `string`: quoted where quoting can carry it, else a literal. NUL can stand in neither and is left out.
    public mutating func string(_ value: [UInt8]) {
        let value = value.contains(0) ? value.filter { $0 != 0 } : value
        guard canQuote(value) else {
            literalHeader(value.count)
            bytes += value
            return
        }
        bytes.append(34)
        for byte in value {
            if byte == 34 || byte == 92 { bytes.append(92) }
            bytes.append(byte)
        }
        bytes.append(34)
    }

    public mutating func nstring(_ value: [UInt8]?) {
        if let value { string(value) } else { raw("NIL") }
    }

    /// `astring`: a bare atom where the value is one and cannot be taken for NIL.
    public mutating func astring(_ value: [UInt8]) {
        let isBare = !value.isEmpty && value.allSatisfy { Grammar.isAtom($0) || $0 == 93 } && !ASCII.equal(String(decoding: value, as: UTF8.self), "NIL")
        if isBare { bytes += value } else { string(value) }
    }

    public mutating func mailbox(_ name: MailboxName) { astring(name.wire(utf8: utf8)) }

    /// `{n}` CRLF; exactly n octets must follow.
    public mutating func literalHeader(_ size: Int) { raw("{\(size)}\r\n") }

    /// RFC 3516: `~{n}` CRLF, whose octets may contain NUL.
    public mutating func literal8Header(_ size: Int) { raw("~{\(size)}\r\n") }

    mutating func condition(_ tag: String, _ condition: Condition) {
        raw(tag + " " + condition.status.rawValue + " ")
        if let code = condition.code { raw("[" + Self.line(code.text) + "] ") }
        raw(condition.text.isEmpty ? "." : Self.line(condition.text))
    }

    /// A long quoted string is legal, but clients have fixed buffers for lines; RFC 2683 §3.2.1.5.
    private func canQuote(_ value: [UInt8]) -> Bool {
        guard value.count <= 1000 else { return false }
        var hasHigh = false
        for byte in value {
            if byte == 13 || byte == 10 { return false }
            if byte >= 0x80 { hasHigh = true }
        }
        return !hasHigh || (utf8 && String(validating: value, as: UTF8.self) != nil)
    }

    /// One line's text: a control octet would end the response, so it becomes a blank.
    static func line(_ text: String) -> String {
        text.utf8.contains { $0 < 32 || $0 == 127 } ? String(decoding: text.utf8.map { $0 < 32 || $0 == 127 ? 32 : $0 }, as: UTF8.self) : text
    }
}
