/// Base64 (RFC 4648 §4), strictly as SASL wants it and leniently as MIME wants it (RFC 2045 §6.8).
public enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// Each octet's six bits; 0xff outside the alphabet.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xff, count: 256)
        for (number, octet) in alphabet.enumerated() { values[Int(octet)] = UInt8(number) }
        return values
    }()

    public static func encode(_ bytes: some Collection<UInt8>) -> String {
        contiguous(bytes) { input in
            String(unsafeUninitializedCapacity: (input.count + 2) / 3 * 4) { encode(input, into: $0) }
        }
    }

    /// nil for anything outside the alphabet, a wrong length, or padding in the wrong place.
    public static func decodeStrictly(_ text: some Collection<UInt8>) -> [UInt8]? {
        contiguous(text) { input in
            guard input.count % 4 == 0 else { return nil }
            let padding = input.reversed().prefix { $0 == 61 }.count
            guard padding <= 2 else { return nil }
            return decode(UnsafeBufferPointer(rebasing: input.dropLast(padding)), skippingOthers: false)
        }
    }

    /// Skips octets outside the alphabet, ends at the first padding.
    public static func decode(_ text: some Collection<UInt8>) -> [UInt8] {
        contiguous(text) { input in
            let end = input.firstIndex(of: 61) ?? input.endIndex
            return decode(UnsafeBufferPointer(rebasing: input[..<end]), skippingOthers: true) ?? []
        }
    }

    /// The octets in one piece, copied only where they are not: one loop for all collections, specialised once.
    private static func contiguous<Result>(_ bytes: some Collection<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        bytes.withContiguousStorageIfAvailable(body) ?? Array(bytes).withUnsafeBufferPointer(body)
    }

    private static func encode(_ input: UnsafeBufferPointer<UInt8>, into out: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var used = 0, bits = 0, count = 0
        alphabet.withUnsafeBufferPointer { alphabet in
            for byte in input {
                bits = (bits << 8 | Int(byte)) & 0xffff
                count += 8
                while count >= 6 {
                    count -= 6
                    out[used] = alphabet[bits >> count & 63]
                    used += 1
                }
            }
            guard count > 0 else { return }
            out[used] = alphabet[bits << (6 - count) & 63]
            used += 1
        }
        while used % 4 != 0 {
            out[used] = 61
            used += 1
        }
        return used
    }

    /// - Returns: nil at an octet outside the alphabet, unless they are skipped.
    private static func decode(_ input: UnsafeBufferPointer<UInt8>, skippingOthers: Bool) -> [UInt8]? {
        var isClean = true
        let out = [UInt8](unsafeUninitializedCapacity: input.count / 4 * 3 + 3) { out, used in
            values.withUnsafeBufferPointer { values in
                var bits = 0, count = 0
                for byte in input {
                    let value = values[Int(byte)]
                    if value == 0xff {
                        isClean = false
                        if skippingOthers { continue } else { return }
                    }
                    bits = (bits << 6 | Int(value)) & 0xffff
                    count += 6
                    guard count >= 8 else { continue }
                    count -= 8
                    out[used] = UInt8(truncatingIfNeeded: bits >> count)
                    used += 1
                }
            }
        }
        return isClean || skippingOthers ? out : nil
    }
}
