/// Message identifiers as threading compares them (RFC 5256 §3): what is between `<` and `>`, quoting taken away.
enum MessageIDs {
    /// So many ancestors are believed at most; the nearest count.
    static let limit = 1000

    static func parse(_ field: some Collection<UInt8>) -> [String] {
        var found: [String] = []
        var inside: [UInt8]?
        var isQuoted = false, isEscaped = false
        for byte in field {
            guard var text = inside else {
                if byte == 60 { inside = [] }
                continue
            }
            if isEscaped {
                text.append(byte)
                isEscaped = false
            } else if isQuoted, byte == 92 {
                isEscaped = true
            } else if byte == 34 {
                isQuoted.toggle()
            } else if byte == 62, !isQuoted {
                if text.contains(64) { found.append(String(decoding: text, as: UTF8.self)) }
                inside = nil
                continue
            } else if byte == 60, !isQuoted {
                text = []
            } else if isQuoted || (byte != 32 && byte != 9 && byte != 13 && byte != 10) {
                text.append(byte)
            }
            inside = text
        }
        return found.suffix(limit)
    }
}
