import COpenSSL

/// The functions of RFC 5802 §2.2 with SHA-256. Each returns nil only when OpenSSL fails.
enum SCRAMDigest {
    static let length = 32

    /// Hi(): PBKDF2 with HMAC and one block of output.
    static func saltedPassword(_ password: [UInt8], salt: [UInt8], iterations: Int) -> [UInt8]? {
        var out = [UInt8](repeating: 0, count: length)
        guard let count = Int32(exactly: iterations), count > 0 else { return nil }
        let done = password.withUnsafeBufferPointer { password in
            password.withMemoryRebound(to: CChar.self) {
                PKCS5_PBKDF2_HMAC($0.baseAddress, Int32($0.count), salt, Int32(salt.count), count, EVP_sha256(), Int32(length), &out)
            }
        }
        return done == 1 ? out : nil
    }

    static func hmac(_ key: [UInt8], _ data: [UInt8]) -> [UInt8]? {
        var out = [UInt8](repeating: 0, count: length)
        var count = 0
        guard EVP_Q_mac(nil, "HMAC", nil, "SHA256", nil, key, key.count, data, data.count, &out, out.count, &count) != nil, count == length else { return nil }
        return out
    }

    static func hash(_ data: [UInt8]) -> [UInt8]? {
        var out = [UInt8](repeating: 0, count: length)
        var count = 0
        guard EVP_Q_digest(nil, "SHA256", nil, data, data.count, &out, &count) == 1, count == length else { return nil }
        return out
    }

    /// Takes the same time wherever they differ.
    static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
