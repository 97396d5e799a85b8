/// Texts with `{name}` in them. They are read from the source once more, since an escaped brace (`\{`) is text.
extension RuleChecker {
    /// - Parameter toSender: whether the text is a reply; then it must not tell what is private.
    func template(_ literal: LiteralSyntax, toSender: Bool = false) throws -> TextTemplate {
        var parts: [TextTemplate.Part] = [], text: [UInt8] = []
        var index = literal.range.lowerBound + 1
        let end = literal.range.upperBound - 1
        while index < end {
            let byte = source.bytes[index]
            if byte == UInt8(ascii: "\\"), index + 1 < end {
                text.append(source.bytes[index + 1] == UInt8(ascii: "t") ? 9 : source.bytes[index + 1])
                index += 2
            } else if byte == UInt8(ascii: "{") {
                guard let close = source.bytes[index..<end].firstIndex(of: UInt8(ascii: "}")) else {
                    throw Mistake(index..<end, "a '{' without its '}'", fix: "write \\{ for the mark itself")
                }
                if !text.isEmpty { parts.append(.text(String(decoding: text, as: UTF8.self))) }
                text = []
                parts.append(.value(try hole((index + 1)..<close, toSender: toSender)))
                index = close + 1
            } else {
                text.append(byte)
                index += 1
            }
        }
        if !text.isEmpty { parts.append(.text(String(decoding: text, as: UTF8.self))) }
        return TextTemplate(parts: parts)
    }

    /// `{from.domain}` or `{header[Subject]}`.
    private func hole(_ range: Range<Int>, toSender: Bool) throws -> Subject {
        let name = source.text(range)
        if name.hasPrefix("header["), name.hasSuffix("]") {
            return try header(name.dropFirst(7).dropLast().filter { $0 != "\\" && $0 != "\"" }, range)
        }
        let (subject, _) = try fact(name, range)
        if toSender, case .fact(let fact) = subject, fact.isPrivate {
            throw Mistake(range, "\(name) in a reply would tell the sender what the tag ledger knows", fix: "leave it out; the trace shows it to you")
        }
        return subject
    }
}
