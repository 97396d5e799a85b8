import NetworkAddress

/// A TXT record as a zone file writes it (RFC 1035 §5.1).
public enum ZoneLine {
    /// In character-strings of at most 255 octets (RFC 1035 §3.3), which DKIM joins without separators (RFC 6376 §3.6.2.2).
    public static func txt(_ text: String, at name: DomainName, timeToLive: Int = 3600) -> String {
        "\(name.presentation) \(timeToLive) IN TXT \(strings(text).map { "\"\($0)\"" }.joined(separator: " "))"
    }

    static func strings(_ text: String) -> [String] {
        var rest = Array(text.utf8)[...]
        var out: [String] = []
        repeat {
            let piece = rest.prefix(255)
            out.append(escaped(piece))
            rest = rest.dropFirst(piece.count)
        } while !rest.isEmpty
        return out
    }

    /// A quote or backslash inside a string is escaped (RFC 1035 §5.1). Neither occurs in a key record.
    private static func escaped(_ bytes: ArraySlice<UInt8>) -> String {
        bytes.reduce(into: "") { text, byte in
            if byte == 34 || byte == 92 { text += "\\" }
            text.unicodeScalars.append(Unicode.Scalar(byte))
        }
    }
}
