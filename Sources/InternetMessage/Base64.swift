/// Base64 (RFC 4648 §4), strictly as SASL wants it and leniently as MIME wants it (RFC 2045 §6.8).
public enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    public static func encode(_ bytes: some Collection<UInt8>) -> String {
        var out: [UInt8] = []
        out.reserveCapacity((bytes.count + 2) / 3 * 4)
        var bits = 0, count = 0
        for byte in bytes {
            bits = (bits << 8 | Int(byte)) & 0xffff
            count += 8
            while count >= 6 {
                count -= 6
                out.append(alphabet[bits >> count & 63])
            }
        }
        if count > 0 { out.append(alphabet[bits << (6 - count) & 63]) }
        while out.count % 4 != 0 { out.append(61) }
        return String(decoding: out, as: UTF8.self)
    }

    /// nil for anything outside the alphabet, a wrong length, or padding in the wrong place.
    public static func decodeStrictly(_ text: some Collection<UInt8>) -> [UInt8]? {
        let body = text.prefix { $0 != 61 }
        let padding = text.dropFirst(body.count)
        guard text.count % 4 == 0, padding.count <= 2, padding.allSatisfy({ $0 == 61 }), body.allSatisfy({ value($0) != nil }) else { return nil }
        return decode(text)
    }

    /// Skips octets outside the alphabet, ends at the first padding.
    public static func decode(_ text: some Collection<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(text.count / 4 * 3 + 3)
        var bits = 0, count = 0
        for byte in text {
            if byte == 61 { break }
            guard let value = value(byte) else { continue }
            bits = (bits << 6 | value) & 0xffff
            count += 6
            if count >= 8 {
                count -= 8
                out.append(UInt8(truncatingIfNeeded: bits >> count))
            }
        }
        return out
    }

    private static func value(_ byte: UInt8) -> Int? {
        switch byte {
        case 65...90: Int(byte) - 65
        case 97...122: Int(byte) - 71
        case 48...57: Int(byte) + 4
        case 43: 62
        case 47: 63
        default: nil
        }
    }
}
