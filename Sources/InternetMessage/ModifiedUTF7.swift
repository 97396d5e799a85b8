/// IMAP's modified UTF-7 for mailbox names (RFC 3501 §5.1.3), which Maildir++ uses for folders too: printable US-ASCII stands for
/// itself, `&` is `&-`, and everything else is UTF-16 in base64 with `,` for `/`, between `&` and `-`.
public enum ModifiedUTF7 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,".utf8)

    public static func encode(_ text: String) -> String {
        var out: [UInt8] = []
        var pending: [UInt16] = []
        for scalar in text.unicodeScalars {
            if (0x20...0x7e).contains(scalar.value) {
                flush(&pending, into: &out)
                out.append(UInt8(scalar.value))
                if scalar == "&" { out.append(45) }
            } else {
                pending += Array(String(scalar).utf16)
            }
        }
        flush(&pending, into: &out)
        return String(decoding: out, as: UTF8.self)
    }

    private static func flush(_ units: inout [UInt16], into out: inout [UInt8]) {
        guard !units.isEmpty else { return }
        out.append(38)
        var bits: UInt32 = 0, count: UInt32 = 0
        for unit in units {
            bits = bits << 16 | UInt32(unit)
            count += 16
            while count >= 6 {
                count -= 6
                out.append(alphabet[Int(bits >> count & 63)])
            }
            bits &= (1 << count) - 1
        }
        if count > 0 { out.append(alphabet[Int(bits << (6 - count) & 63)]) }
        out.append(45)
        units = []
    }

    /// - Returns: nil for what RFC 3501 forbids: octets outside printable US-ASCII, an unfinished shift, stray bits,
    ///   an unpaired surrogate, base64 of what must stand for itself, or a shift right behind another.
    public static func decode(_ text: some Sequence<UInt8>) -> String? {
        var out = ""
        var rest = Array(text)[...]
        var isAfterShift = false
        while let byte = rest.popFirst() {
            guard (0x20...0x7e).contains(byte) else { return nil }
            guard byte == 38 else {
                isAfterShift = false
                out.unicodeScalars.append(Unicode.Scalar(byte))
                continue
            }
            guard let end = rest.firstIndex(of: 45) else { return nil }
            let shifted = rest[..<end]
            rest = rest[(end + 1)...]
            if shifted.isEmpty { out.append("&") } else {
                // "&U,BTFw-&ZeVnLIqe-" is not permitted because it contains a superfluous shift.
                guard !isAfterShift, let piece = decodeShift(shifted) else { return nil }
                out += piece
            }
            isAfterShift = !shifted.isEmpty
        }
        return out
    }

    private static func decodeShift(_ shifted: ArraySlice<UInt8>) -> String? {
        var units: [UInt16] = []
        var bits: UInt32 = 0, count: UInt32 = 0
        for byte in shifted {
            guard let value = alphabet.firstIndex(of: byte) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 16 {
                count -= 16
                units.append(UInt16(truncatingIfNeeded: bits >> count))
                bits &= (1 << count) - 1
            }
        }
        guard count < 6, bits == 0, let text = String(validating: units, as: UTF16.self) else { return nil }
        return text.unicodeScalars.contains { (0x20...0x7e).contains($0.value) } ? nil : text
    }
}
