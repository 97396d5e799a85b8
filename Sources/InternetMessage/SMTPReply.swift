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
        let clean = lines.map { line in
            String(String.UnicodeScalarView(line.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? "?" : $0 }.prefix(480)))
        }
        self.lines = clean.isEmpty ? [""] : clean
    }

    public var isPositive: Bool { code < 400 }
    public var isTransient: Bool { (400..<500).contains(code) }
    public var isPermanent: Bool { code >= 500 }
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
