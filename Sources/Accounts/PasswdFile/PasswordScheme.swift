import COpenSSL
import Foundation
import InternetMessage
import SASL

/// A password as it is kept: our own yescrypt hash, or one of the schemes that Dovecot's `{SCHEME}` prefix names
/// (doc.dovecot.org/2.3, "Password Schemes").
enum PasswordScheme: Sendable, Hashable {
    /// crypt(5): yescrypt, SHA-512, bcrypt and whatever else libcrypt knows.
    case crypt(String)
    case plain(String)
    /// A digest over the password and then the salt, which is empty for the schemes without one.
    case digest(algorithm: String, hash: [UInt8], salt: [UInt8])
    case scram(SCRAMKeys)
    /// Nothing fits.
    case locked

    /// Whether a check takes as long as one with our own hashes, so that time tells nothing of who exists.
    var isSlow: Bool {
        switch self {
        case .crypt, .scram: true
        case .plain, .digest, .locked: false
        }
    }

    /// Takes the same time wherever they differ. Blocks.
    func matches(_ password: String) -> Bool {
        if fits(password) { return true }
        // Ours were made of the prepared form (RFC 8265), others' of the octets that were typed.
        guard let prepared = try? PasswordHash.prepare(password), !prepared.utf8.elementsEqual(password.utf8) else { return false }
        return fits(prepared)
    }

    private func fits(_ password: String) -> Bool {
        switch self {
        case .crypt(let hash): return PasswordHash.matchesOctets(password, hash: hash)
        case .plain(let text): return SCRAMKeys.areEqual(Self.sha256(Array(password.utf8)), Self.sha256(Array(text.utf8)))
        case .digest(let algorithm, let hash, let salt):
            return Self.digest(algorithm, Array(password.utf8) + salt).map { SCRAMKeys.areEqual($0, hash) } ?? false
        case .scram(let keys):
            return SCRAMKeys.derive(from: password, salt: keys.salt, iterations: keys.iterations).map { SCRAMKeys.areEqual($0.storedKey, keys.storedKey) } ?? false
        case .locked: return false
        }
    }

    private static func sha256(_ data: [UInt8]) -> [UInt8] { digest("SHA256", data) ?? [] }

    static func digest(_ algorithm: String, _ data: [UInt8]) -> [UInt8]? {
        var out = [UInt8](repeating: 0, count: 64)
        var count = 0
        guard EVP_Q_digest(nil, algorithm, nil, data, data.count, &out, &count) == 1 else { return nil }
        return Array(out.prefix(count))
    }
}
