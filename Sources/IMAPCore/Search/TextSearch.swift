import InternetMessage

/// Looks for folded text in header fields and bodies, charsets and encodings undone.
enum TextSearch {
    /// Decoded text is compared in windows of about this many octets, cut at line ends, so that a huge part does not
    /// need several times its size in memory. A text that spans the cut of two windows is not found.
    static let window = 1 << 20

    /// In a field's value; the empty text is in every field (RFC 3501 §6.4.4, HEADER).
    static func field(_ field: HeaderField, contains text: SearchNeedle) -> Bool {
        text.isEmpty || FoldedText(EncodedWords.decode(field.rawValue)).contains(text)
    }

    /// In the whole field, its name included.
    static func wholeField(_ field: HeaderField, contains text: SearchNeedle) -> Bool {
        FoldedText(EncodedWords.decode(field.bytes)).contains(text)
    }

    /// In the text parts of a message, and in the headers of messages it encloses.
    static func body(_ message: UnsafeRawBufferPointer, contains text: SearchNeedle) -> Bool {
        if text.isEmpty { return true }
        return search(MIMEStructure.parse(message), message, text)
    }

    private static func search(_ part: MIMEPart, _ message: UnsafeRawBufferPointer, _ text: SearchNeedle) -> Bool {
        if let inner = part.enclosedMessage {
            let header = MessageHeader.parse(Array(message[inner.headerRange])[...]).header
            return header.fields.contains { wholeField($0, contains: text) } || search(inner, message, text)
        }
        if case .multipart(let parts) = part.content { return parts.contains { search($0, message, text) } }
        guard part.fields.isText || part.fields.isMultipart else { return false }
        let body = message[part.bodyRange]
        let charset = part.fields.charset
        if part.fields.encoding == .identity { return windows(body, charset: charset, contain: text) }
        guard let decoded = part.fields.encoding.decode(body) else { return false }
        return windows(decoded[...], charset: charset, contain: text)
    }

    private static func windows<Bytes: RandomAccessCollection<UInt8>>(_ bytes: Bytes, charset: String, contain text: SearchNeedle) -> Bool
    where Bytes.SubSequence == Bytes, Bytes.Index == Int {
        var rest = bytes
        while !rest.isEmpty {
            var end = min(rest.startIndex + window, rest.endIndex)
            if end < rest.endIndex, let feed = rest[..<end].lastIndex(of: 10) { end = feed + 1 }
            if FoldedText(Charset.decode(rest[..<end], charset: charset)).contains(text) { return true }
            rest = rest[end...]
        }
        return false
    }
}
