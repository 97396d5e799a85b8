/// Base64 (RFC 4648 §4) over octets, strict: padding demanded, nothing outside the alphabet.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: some Collection<UInt8>) -> String {
        var out: [UInt8] = []
        out.reserveCapacity((bytes.count + 2) / 3 * 4)
        var group: UInt32 = 0
        var held = 0
        for byte in bytes {
            group = group << 8 | UInt32(byte)
            held += 1
            guard held == 3 else { continue }
            for shift in [18, 12, 6, 0] { out.append(alphabet[Int(group >> UInt32(shift) & 63)]) }
            (group, held) = (0, 0)
        }
        if held == 1 { out += [alphabet[Int(group >> 2 & 63)], alphabet[Int(group << 4 & 63)], 61, 61] }
        if held == 2 { out += [alphabet[Int(group >> 10 & 63)], alphabet[Int(group >> 4 & 63)], alphabet[Int(group << 2 & 63)], 61] }
        return String(decoding: out, as: UTF8.self)
    }

    /// Nil unless the whole text is base64; white space must be gone already.
    static func decode(_ text: String) -> [UInt8]? {
        let input = Array(text.utf8)
        guard input.count % 4 == 0 else { return nil }
        let padding = input.reversed().prefix(2).prefix { $0 == 61 }.count
        var out: [UInt8] = []
        out.reserveCapacity(input.count / 4 * 3)
        var group: UInt32 = 0
        for (index, byte) in input.enumerated() {
            let isPadding = index >= input.count - padding
            guard let value = isPadding ? 0 : value(of: byte) else { return nil }
            group = group << 6 | value
            if index % 4 == 3 {
                out += [UInt8(truncatingIfNeeded: group >> 16), UInt8(truncatingIfNeeded: group >> 8), UInt8(truncatingIfNeeded: group)]
                group = 0
            }
        }
        return Array(out.dropLast(padding))
    }

    private static func value(of byte: UInt8) -> UInt32? {
        switch byte {
        case 65...90: UInt32(byte - 65)
        case 97...122: UInt32(byte - 71)
        case 48...57: UInt32(byte + 4)
        case 43: 62
        case 47: 63
        default: nil
        }
    }
}
