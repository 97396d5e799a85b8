/// Content transfer encodings (RFC 2045 §6).
public enum MIMETransferEncoding: Sendable, Hashable {
    /// 7bit, 8bit or binary.
    case identity
    case quotedPrintable, base64
    /// Its name in lower case.
    case unknown(String)

    public init(_ name: String) {
        switch name.lowercased() {
        case "", "7bit", "8bit", "binary": self = .identity
        case "quoted-printable": self = .quotedPrintable
        case "base64": self = .base64
        case let other: self = .unknown(other)
        }
    }

    /// The octets that the body stands for; nil for an unknown encoding.
    public func decode(_ body: some Collection<UInt8>) -> [UInt8]? {
        switch self {
        case .identity: Array(body)
        case .quotedPrintable: Self.decodeQuotedPrintable(body)
        case .base64: Base64.decode(body)
        case .unknown: nil
        }
    }

    /// RFC 2045 §6.7, malformed sequences left as they are, blanks before a line end dropped.
    static func decodeQuotedPrintable(_ body: some Collection<UInt8>) -> [UInt8] {
        let body = Array(body)
        var out: [UInt8] = []
        out.reserveCapacity(body.count)
        var i = 0
        while i < body.count {
            let byte = body[i]
            if byte == 61 {
                if i + 2 < body.count, let high = HexDigit.value(body[i + 1]), let low = HexDigit.value(body[i + 2]) {
                    out.append(high << 4 | low)
                    i += 3
                    continue
                }
                if let next = softBreakEnd(body, i + 1) {
                    i = next
                    continue
                }
            }
            if byte == 32 || byte == 9 {
                let run = body[i...].prefix { $0 == 32 || $0 == 9 }
                i = run.endIndex
                let atLineEnd = i == body.count || body[i] == 10 || body[i] == 13
                if !atLineEnd { out += run }
                continue
            }
            out.append(byte)
            i += 1
        }
        return out
    }

    /// Behind `=`: optional blanks and a line end, or the end of the body.
    private static func softBreakEnd(_ body: [UInt8], _ from: Int) -> Int? {
        var i = from
        while i < body.count, body[i] == 32 || body[i] == 9 { i += 1 }
        if i == body.count { return i }
        if body[i] == 10 { return i + 1 }
        return body[i] == 13 && i + 1 < body.count && body[i + 1] == 10 ? i + 2 : nil
    }

    /// RFC 2047 §4.2: `_` is a blank.
    static func decodeQ(_ text: some Collection<UInt8>) -> [UInt8] {
        let text = Array(text)
        var out: [UInt8] = []
        var i = 0
        while i < text.count {
            if text[i] == 61, i + 2 < text.count, let high = HexDigit.value(text[i + 1]), let low = HexDigit.value(text[i + 2]) {
                out.append(high << 4 | low)
                i += 3
            } else {
                out.append(text[i] == 95 ? 32 : text[i])
                i += 1
            }
        }
        return out
    }
}
