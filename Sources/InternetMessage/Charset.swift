#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Character sets of mail text, decoded with the C library's iconv.
public enum Charset {
    /// What mail uses. A list, since iconv knows many more that no mail needs and that only widen what an attacker reaches.
    private static let families = [
        "iso-8859-", "iso8859-", "windows-", "cp125", "cp437", "cp85", "cp86", "cp87", "cp932", "cp936", "cp949", "cp950", "koi8-", "gb", "big5", "euc-",
        "shift_jis", "shift-jis", "sjis", "iso-2022-jp", "iso-2022-kr", "ks_c_5601", "utf-16", "utf-32", "utf-7", "tis-620", "viscii", "macintosh",
        "latin", "l1", "ibm",
    ]

    public static func isKnown(_ name: String) -> Bool {
        if isUTF8(name) { return true }
        guard let descriptor = open(name) else { return false }
        iconv_close(descriptor)
        return true
    }

    /// nil when the charset is unknown or the octets are not valid in it.
    public static func decodeStrictly(_ bytes: some Collection<UInt8>, charset: String) -> String? {
        if isASCII(charset) { return bytes.allSatisfy { $0 < 0x80 } ? String(decoding: bytes, as: UTF8.self) : nil }
        if isUTF8(charset) { return String(validating: bytes, as: UTF8.self) }
        return convert(Array(bytes), from: charset, strictly: true)
    }

    /// Octets that are not valid become U+FFFD; an unknown charset is taken for UTF-8.
    public static func decode(_ bytes: some Collection<UInt8>, charset: String) -> String {
        if isUTF8(charset) { return String(decoding: bytes, as: UTF8.self) }
        return convert(Array(bytes), from: charset, strictly: false) ?? String(decoding: bytes, as: UTF8.self)
    }

    private static func isASCII(_ name: String) -> Bool { ["us-ascii", "ascii"].contains(name.lowercased()) }
    private static func isUTF8(_ name: String) -> Bool { isASCII(name) || ["utf-8", "utf8"].contains(name.lowercased()) }

    private static func open(_ name: String) -> iconv_t? {
        let name = name.lowercased()
        // A slash would carry options such as //TRANSLIT.
        guard name.utf8.count <= 40, families.contains(where: name.hasPrefix),
            name.utf8.allSatisfy({ (97...122).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 95 }) else { return nil }
        guard let descriptor = iconv_open("UTF-8", name), Int(bitPattern: descriptor) != -1 else { return nil }
        return descriptor
    }

    private static func convert(_ bytes: [UInt8], from charset: String, strictly: Bool) -> String? {
        guard let descriptor = open(charset) else { return nil }
        defer { iconv_close(descriptor) }
        var input = bytes.map { CChar(bitPattern: $0) }
        var out: [UInt8] = []
        var chunk = [CChar](repeating: 0, count: 4096)
        let complete = input.withUnsafeMutableBufferPointer { source -> Bool in
            var next = source.baseAddress, left = source.count
            while left > 0 {
                var stop: Int32 = 0
                let written = chunk.withUnsafeMutableBufferPointer { target -> Int in
                    var to = target.baseAddress, room = target.count
                    // Input is left over only when it stopped at an error, which errno names.
                    _ = iconv(descriptor, &next, &left, &to, &room)
                    stop = left > 0 ? errno : 0
                    return target.count - room
                }
                out += chunk[..<written].map { UInt8(bitPattern: $0) }
                guard left > 0, stop != E2BIG || written == 0 else { continue }
                if strictly { return false }
                out += [0xef, 0xbf, 0xbd]
                next = next?.advanced(by: 1)
                left -= 1
            }
            // Some charsets hold back a character that might combine with the next.
            var room = chunk.count
            let written = chunk.withUnsafeMutableBufferPointer { target -> Int in
                var to = target.baseAddress
                _ = iconv(descriptor, nil, nil, &to, &room)
                return target.count - room
            }
            out += chunk[..<written].map { UInt8(bitPattern: $0) }
            return true
        }
        return complete ? String(decoding: out, as: UTF8.self) : nil
    }
}
