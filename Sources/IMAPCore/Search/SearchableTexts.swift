import InternetMessage

/// The texts of a message in which searches look, one after another, folded as ``FoldedText`` does: charsets and
/// encodings undone. Reading a message and filling an index go through them alike, so that both find the same.
public enum SearchableTexts {
    /// Decoded text is handed out in windows of about this many octets, cut at line ends, so that a huge part does not
    /// need several times its size in memory. What spans the cut of two windows is not found.
    static let window = 1 << 20

    /// A whole field, its name included.
    public static func wholeField(_ field: HeaderField) -> [UInt8] { FoldedText(EncodedWords.decode(field.bytes)).utf8 }

    /// A field's value. An encoded word right behind the colon makes it another text than the end of ``wholeField(_:)``.
    public static func value(of field: HeaderField) -> [UInt8] { FoldedText(EncodedWords.decode(field.rawValue)).utf8 }

    private static let addressFields: Set<String> = ["from", "sender", "reply-to", "to", "cc", "bcc"]

    /// A field's addresses as ENVELOPE has them, where comments or blanks inside make the value another text: FROM, TO, CC and
    /// BCC look in the envelope (RFC 3501 §6.4.4). Empty where the value shows them as they are.
    public static func addresses(of field: HeaderField) -> [UInt8] {
        let value = field.rawValue
        guard addressFields.contains(field.name.lowercased()), value.contains(64), value.contains(where: { $0 == 40 || $0 == 32 || $0 == 9 }) else { return [] }
        let mailboxes = AddressList.parse(value).entries.flatMap { entry in
            switch entry {
            case .mailbox(let mailbox): [mailbox]
            case .group(_, let members): members
            }
        }
        let text = mailboxes.map { "\($0.localPart)@\($0.domain)" }
        let shown = String(decoding: value, as: UTF8.self)
        return text.allSatisfy { shown.contains($0) } ? [] : FoldedText(text.joined(separator: "\n")).utf8
    }

    /// The text parts of a message, and the header fields of messages that it encloses, until the test is true.
    /// - Returns: whether it was.
    public static func anyInBody(_ message: UnsafeRawBufferPointer, _ structure: MIMEPart, _ test: ([UInt8]) -> Bool) -> Bool {
        if let inner = structure.enclosedMessage {
            let header = MessageHeader.parse(Array(message[inner.headerRange])[...]).header
            return header.fields.contains { test(wholeField($0)) } || anyInBody(message, inner, test)
        }
        if case .multipart(let parts) = structure.content { return parts.contains { anyInBody(message, $0, test) } }
        guard structure.fields.isText || structure.fields.isMultipart else { return false }
        let body = message[structure.bodyRange]
        let charset = structure.fields.charset
        if structure.fields.encoding == .identity { return anyWindow(body, charset, test) }
        guard let decoded = structure.fields.encoding.decode(body) else { return false }
        return anyWindow(decoded[...], charset, test)
    }

    private static func anyWindow<Bytes: RandomAccessCollection<UInt8>>(_ bytes: Bytes, _ charset: String, _ test: ([UInt8]) -> Bool) -> Bool
    where Bytes.SubSequence == Bytes, Bytes.Index == Int {
        var rest = bytes
        while !rest.isEmpty {
            var end = min(rest.startIndex + window, rest.endIndex)
            if end < rest.endIndex, let feed = rest[..<end].lastIndex(of: 10) { end = feed + 1 }
            if test(FoldedText(Charset.decode(rest[..<end], charset: charset)).utf8) { return true }
            rest = rest[end...]
        }
        return false
    }
}
