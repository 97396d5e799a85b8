/// An SMTP reply: code, optional enhanced status code (RFC 3463), one or more lines of text.
public struct SMTPReply: Sendable, Hashable, CustomStringConvertible {
    public let code: Int
    /// `5.7.1`, or nil where RFC 2034 has none (greetings, EHLO, DATA's 354).
    public let enhancedCode: String?
    /// At least one line; no line contains CR, LF or NUL, and none is longer than 480 octets.
    public let lines: [String]

    /// - Parameter text: line feeds split it into lines; other control characters become `?`.
    public init(_ code: Int, _ enhancedCode: String? = nil, _ text: String) {
        self.init(code, enhancedCode, lines: text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
    }

    public init(_ code: Int, _ enhancedCode: String? = nil, lines: [String]) {
        self.code = code
        self.enhancedCode = enhancedCode
        let clean = lines.map(Self.clean)
        self.lines = clean.isEmpty ? [""] : clean
    }

    private static func clean(_ line: String) -> String {
        var out = String.UnicodeScalarView(), octets = 0
        for scalar in line.unicodeScalars {
            octets += Unicode.UTF8.width(scalar)
            guard octets <= 480 else { break }
            out.append(scalar.value < 32 || scalar.value == 127 ? "?" : scalar)
        }
        return String(out)
    }

    public var isPositive: Bool { code < 400 }
    public var isTransient: Bool { (400..<500).contains(code) }
    public var isPermanent: Bool { code >= 500 }
    /// The same reply with the message's id at its end, where it refuses: what a sender quotes to ask why.
    public func naming(_ id: String) -> SMTPReply {
        guard !isPositive, let last = lines.last, !last.contains(id), last.unicodeScalars.count + id.count < 470 else { return self }
        return SMTPReply(code, enhancedCode, lines: lines.dropLast() + ["\(last) (id \(id))"])
    }

    /// The same in US-ASCII, other characters as `?`: what a client that did not ask for SMTPUTF8 may be told (RFC 5321
    /// §4.2, RFC 6531 §3.7.4.2).
    public var inASCII: SMTPReply {
        guard !lines.allSatisfy({ $0.utf8.allSatisfy { $0 < 0x80 } }) else { return self }
        return SMTPReply(code, enhancedCode, lines: lines.map { String(String.UnicodeScalarView($0.unicodeScalars.map { $0.isASCII ? $0 : "?" })) })
    }

    public var text: String { lines.joined(separator: "\n") }

    /// The wire form: `550-5.7.1 text CRLF … 550 5.7.1 text CRLF` (RFC 5321 §4.2.1, RFC 2034 §4).
    public var wire: String {
        var out = ""
        for (index, line) in lines.enumerated() {
            out += "\(code)\(index == lines.count - 1 ? " " : "-")"
            if let enhancedCode { out += enhancedCode + " " }
            out += line + "\r\n"
        }
        return out
    }

    public var description: String { "\(code) " + (enhancedCode.map { $0 + " " } ?? "") + lines.joined(separator: " / ") }
}
