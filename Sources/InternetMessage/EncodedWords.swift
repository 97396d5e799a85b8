/// RFC 2047: non-ASCII text in header fields.
public enum EncodedWords {
    /// Decodes a field's value: encoded words become text, blanks between two of them vanish (§6.2), folding is undone,
    /// everything else is taken for UTF-8. Words that are malformed stay as they are.
    ///
    /// Neighbouring words of one charset are joined before decoding, since mailers split characters across words.
    public static func decode(_ value: some Collection<UInt8>) -> String {
        let bytes = value.filter { $0 != 13 && $0 != 10 }
        guard bytes.contains(61) else { return String(decoding: bytes, as: UTF8.self) }
        var output = Output()
        var position = 0, plainStart = 0
        while position + 1 < bytes.count {
            guard bytes[position] == 61, bytes[position + 1] == 63, let word = word(bytes, at: position) else {
                position += 1
                continue
            }
            output.plain(bytes[plainStart..<position], before: true)
            output.encoded(word.content, charset: word.charset)
            position = word.end
            plainStart = position
        }
        output.plain(bytes[plainStart...], before: false)
        return output.finish()
    }

    /// US-ASCII text stays as it is; any other becomes encoded words of UTF-8, each at most 75 octets long and with whole
    /// characters (§2, §5 (3)), folded one a line. For unstructured fields.
    public static func encode(_ text: String) -> String {
        guard !text.utf8.allSatisfy({ $0 < 0x80 }) else { return text }
        var words: [[UInt8]] = [[]]
        for scalar in text.unicodeScalars {
            let octets = Array(String(scalar).utf8)
            // 45 octets are 60 of base64; 12 stand around them.
            if let last = words.last, last.count + octets.count > 45 { words.append([]) }
            words[words.count - 1] += octets
        }
        return words.map { "=?utf-8?B?\(Base64.encode($0))?=" }.joined(separator: "\r\n ")
    }

    private struct Output {
        var text = ""
        var pending: [UInt8] = []
        var charset: String?

        /// - Parameter before: whether an encoded word follows; blanks alone between two words are dropped.
        mutating func plain(_ bytes: ArraySlice<UInt8>, before: Bool) {
            if bytes.isEmpty || (before && charset != nil && bytes.allSatisfy(FieldScanner.isBlank)) { return }
            flush()
            text += String(decoding: bytes, as: UTF8.self)
        }

        mutating func encoded(_ bytes: [UInt8], charset name: String) {
            if charset != name { flush() }
            charset = name
            pending += bytes
        }

        mutating func flush() {
            if let charset { text += Charset.decode(pending, charset: charset) }
            pending = []
            charset = nil
        }

        mutating func finish() -> String {
            flush()
            return text
        }
    }

    /// `"=?" charset "?" encoding "?" encoded-text "?="`. RFC 2047 §2 allows 75 octets; longer ones exist and are read to 1,000.
    private static func word(_ bytes: [UInt8], at start: Int) -> (charset: String, content: [UInt8], end: Int)? {
        let limit = min(bytes.count, start + 1000)
        guard let charsetEnd = bytes[(start + 2)..<max(limit, start + 2)].firstIndex(of: 63), charsetEnd > start + 2, charsetEnd + 2 < limit,
            bytes[charsetEnd + 2] == 63 else { return nil }
        let textStart = charsetEnd + 3
        var end = textStart
        while end + 1 < limit, !(bytes[end] == 63 && bytes[end + 1] == 61) {
            guard bytes[end] != 63 else { return nil }
            end += 1
        }
        guard end + 1 < limit else { return nil }
        // RFC 2231 §5: a language may follow the charset.
        let charset = String(decoding: bytes[(start + 2)..<charsetEnd].prefix { $0 != 42 }, as: UTF8.self).lowercased()
        switch bytes[charsetEnd + 1] | 0x20 {
        case 98: return (charset, Base64.decode(bytes[textStart..<end]), end + 2)
        case 113: return (charset, MIMETransferEncoding.decodeQ(bytes[textStart..<end]), end + 2)
        default: return nil
        }
    }
}
