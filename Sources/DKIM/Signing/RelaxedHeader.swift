import InternetMessage

/// The relaxed header canonicalization (RFC 6376 §3.4.2).
enum RelaxedHeader {
    /// `name:value` in lower case and with single blanks, without the final CRLF.
    static func canonicalize(_ field: HeaderField) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(field.bytes.count)
        for byte in field.name.utf8 { out.append((65...90).contains(byte) ? byte | 0x20 : byte) }
        out.append(UInt8(ascii: ":"))
        append(value: field.rawValue, to: &out)
        return out
    }

    /// Unfolds, turns each run of blanks into one, drops blanks at both ends.
    static func append(value: ArraySlice<UInt8>, to out: inout [UInt8]) {
        let start = out.count
        var blank = false
        var i = value.startIndex
        while i < value.endIndex {
            let byte = value[i]
            if byte == 13, i + 1 < value.endIndex, value[i + 1] == 10 {
                i += 2
                continue
            }
            i += 1
            if byte == 32 || byte == 9 {
                blank = true
                continue
            }
            if blank, out.count > start { out.append(32) }
            blank = false
            out.append(byte)
        }
    }
}
