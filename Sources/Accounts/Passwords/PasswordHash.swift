import CCrypt
import Foundation
import SASL

/// Password hashes in crypt(5) form, made with yescrypt, Debian's default. Hashing takes tens of milliseconds and memory on purpose.
enum PasswordHash {
    /// crypt(3) takes 512 octets with the NUL; every mail protocol's log-in fits.
    static let longestPassword = 500

    /// - Parameter cost: yescrypt's cost, 1 to 11; 0 is the library's default.
    /// - Throws: ``AccountError/hashingFailed``, ``AccountError/invalidPassword(_:)``.
    static func make(_ password: String, cost: UInt) throws(AccountError) -> String {
        let prepared = try prepare(password)
        var setting = [CChar](repeating: 0, count: Int(CRYPT_GENSALT_OUTPUT_SIZE))
        guard postern_crypt_gensalt("$y$", cost, &setting) == 0, let hash = crypt(prepared, setting: setting) else { throw .hashingFailed }
        return hash
    }

    /// Recomputes the hash with its own setting. The time does not depend on where the hashes differ.
    static func matches(_ password: String, hash: String) -> Bool {
        guard let prepared = try? prepare(password) else { return false }
        return matchesOctets(prepared, hash: hash)
    }

    /// The same with the octets as they were typed, for hashes that others made.
    static func matchesOctets(_ password: String, hash: String) -> Bool {
        guard !password.isEmpty, password.utf8.count <= longestPassword, !password.utf8.contains(0),
            let computed = crypt(password, setting: Array(hash.utf8CString)) else { return false }
        return SCRAMKeys.areEqual(Array(computed.utf8), Array(hash.utf8))
    }

    /// OpaqueString (RFC 8265 §4.2.2): other spaces become U+0020, NFC; empty strings and control characters are refused.
    static func prepare(_ password: String) throws(AccountError) -> String {
        let spaced = String(String.UnicodeScalarView(password.unicodeScalars.map { $0.properties.generalCategory == .spaceSeparator ? " " : $0 }))
        let normal = spaced.precomposedStringWithCanonicalMapping
        guard !normal.isEmpty else { throw .invalidPassword("it is empty") }
        guard normal.utf8.count <= longestPassword else { throw .invalidPassword("it is longer than \(longestPassword) octets") }
        guard !normal.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            throw .invalidPassword("it has a control character")
        }
        return normal
    }

    private static func crypt(_ password: String, setting: [CChar]) -> String? {
        var out = [CChar](repeating: 0, count: Int(CRYPT_OUTPUT_SIZE))
        guard postern_crypt(password, setting, &out) == 0 else { return nil }
        return String(decoding: out.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
