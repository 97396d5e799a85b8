/// One object of a PEM file (RFC 7468): what it is, and its text with both boundaries.
struct PEMBlock: Sendable, Equatable {
    /// `CERTIFICATE`, `PRIVATE KEY`, `EC PRIVATE KEY`…
    let label: String
    let text: String

    var isPrivateKey: Bool { label.hasSuffix("PRIVATE KEY") }
    var isCertificate: Bool { label == "CERTIFICATE" || label == "X509 CERTIFICATE" || label == "TRUSTED CERTIFICATE" }

    /// The objects in order; text around them is a comment (RFC 7468 §2), an object without an end is none.
    static func all(in text: String) -> [PEMBlock] {
        var blocks: [PEMBlock] = []
        var open: (label: String, lines: [Substring])?
        for line in text.split(whereSeparator: \.isNewline) {
            if let label = boundary(line, "BEGIN") {
                open = (label, [line])
            } else if let label = boundary(line, "END"), let begun = open, begun.label == label {
                blocks.append(PEMBlock(label: label, text: (begun.lines + [line]).joined(separator: "\n") + "\n"))
                open = nil
            } else {
                open?.lines.append(line)
            }
        }
        return blocks
    }

    private static func boundary(_ line: Substring, _ word: String) -> String? {
        let start = "-----\(word) "
        guard line.hasPrefix(start) else { return nil }
        let rest = line.dropFirst(start.count)
        guard let end = rest.firstRange(of: "-----") else { return nil }
        return String(rest[..<end.lowerBound])
    }
}
