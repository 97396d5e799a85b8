import COpenSSL

/// libcrypto refused something. Carries its own words.
public struct CryptoFailure: Error, Sendable, Hashable, CustomStringConvertible {
    public let call: String
    public let detail: String
    public var description: String { detail.isEmpty ? "libcrypto: \(call) failed" : "libcrypto: \(call): \(detail)" }

    /// Takes this thread's last error and clears the queue.
    static func last(_ call: String) -> CryptoFailure {
        let code = ERR_peek_last_error()
        ERR_clear_error()
        guard code != 0, let words = ERR_reason_error_string(code) else { return CryptoFailure(call: call, detail: "") }
        return CryptoFailure(call: call, detail: String(cString: words))
    }
}

/// An `EVP_PKEY` that signs.
///
/// Sendable by proof: the key is complete when `init` returns and nothing here changes it; OpenSSL 3 lets threads use
/// one key at once for operations that do not change it, each with a context of its own (openssl-threads(7)).
final class PrivateKey: @unchecked Sendable {
    private let key: OpaquePointer

    /// Takes ownership.
    init(owning key: OpaquePointer) { self.key = key }
    deinit { EVP_PKEY_free(key) }

    /// Parses PKCS#8 or traditional PEM. Encrypted keys are refused: nobody is there to type a password.
    convenience init(pem: [UInt8]) throws(CryptoFailure) {
        guard pem.count < 1 << 20 else { throw CryptoFailure(call: "PEM_read_bio_PrivateKey", detail: "too large") }
        // A memory BIO reads the array in place, so both calls happen while its address holds.
        let key = pem.withUnsafeBytes { bytes -> OpaquePointer? in
            guard let bio = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count)) else { return nil }
            defer { BIO_free(bio) }
            return postern_read_private_key(bio)
        }
        guard let key else { throw .last("PEM_read_bio_PrivateKey") }
        self.init(owning: key)
    }

    var isRSA: Bool { EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA }
    var isEd25519: Bool { EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 }
    /// Bits of the RSA modulus; 253 for Ed25519.
    var bits: Int { Int(EVP_PKEY_get_bits(key)) }

    /// What p= holds, before base64: SubjectPublicKeyInfo for RSA, the raw 32 octets for Ed25519 (RFC 8463 §4.2).
    func publicOctets() throws(CryptoFailure) -> [UInt8] {
        if isEd25519 {
            var octets = [UInt8](repeating: 0, count: 32)
            var count = octets.count
            guard EVP_PKEY_get_raw_public_key(key, &octets, &count) == 1 else { throw .last("EVP_PKEY_get_raw_public_key") }
            return octets
        }
        var block: UnsafeMutablePointer<UInt8>?
        let count = i2d_PUBKEY(key, &block)
        guard count > 0, let block else { throw .last("i2d_PUBKEY") }
        defer { postern_evp_free(block) }
        return Array(UnsafeBufferPointer(start: block, count: Int(count)))
    }

    /// Signs a SHA-256 digest: RSASSA-PKCS1-v1_5 (RFC 6376 §3.3.2), or PureEdDSA over the digest as message (RFC 8463 §3).
    func sign(digest: [UInt8]) throws(CryptoFailure) -> [UInt8] {
        isEd25519 ? try signEd25519(digest) : try signRSA(digest)
    }

    private func signRSA(_ digest: [UInt8]) throws(CryptoFailure) -> [UInt8] {
        guard let context = EVP_PKEY_CTX_new(key, nil) else { throw .last("EVP_PKEY_CTX_new") }
        defer { EVP_PKEY_CTX_free(context) }
        guard EVP_PKEY_sign_init(context) == 1, EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1,
            EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 else { throw .last("EVP_PKEY_sign_init") }
        var count = Int(EVP_PKEY_get_size(key))
        var signature = [UInt8](repeating: 0, count: count)
        guard EVP_PKEY_sign(context, &signature, &count, digest, digest.count) == 1 else { throw .last("EVP_PKEY_sign") }
        return Array(signature.prefix(count))
    }

    private func signEd25519(_ digest: [UInt8]) throws(CryptoFailure) -> [UInt8] {
        guard let context = EVP_MD_CTX_new() else { throw .last("EVP_MD_CTX_new") }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestSignInit(context, nil, nil, nil, key) == 1 else { throw .last("EVP_DigestSignInit") }
        var count = 64
        var signature = [UInt8](repeating: 0, count: count)
        guard EVP_DigestSign(context, &signature, &count, digest, digest.count) == 1 else { throw .last("EVP_DigestSign") }
        return Array(signature.prefix(count))
    }

    /// The private key as unencrypted PKCS#8 PEM.
    func pem() throws(CryptoFailure) -> String {
        guard let bio = BIO_new(BIO_s_mem()) else { throw .last("BIO_new") }
        defer { BIO_free(bio) }
        guard PEM_write_bio_PrivateKey(bio, key, nil, nil, 0, nil, nil) == 1 else { throw .last("PEM_write_bio_PrivateKey") }
        var data: UnsafeMutablePointer<CChar>?
        let count = postern_bio_mem_data(bio, &data)
        guard count > 0, let data else { throw .last("BIO_get_mem_data") }
        return String(decoding: UnsafeRawBufferPointer(start: data, count: count), as: UTF8.self)
    }

    /// Blocks while it looks for primes: up to a second for RSA.
    static func generate(rsaBits: Int32?) throws(CryptoFailure) -> PrivateKey {
        let type = rsaBits == nil ? EVP_PKEY_ED25519 : EVP_PKEY_RSA
        guard let context = EVP_PKEY_CTX_new_id(type, nil) else { throw .last("EVP_PKEY_CTX_new_id") }
        defer { EVP_PKEY_CTX_free(context) }
        guard EVP_PKEY_keygen_init(context) == 1 else { throw .last("EVP_PKEY_keygen_init") }
        if let rsaBits, EVP_PKEY_CTX_set_rsa_keygen_bits(context, rsaBits) != 1 { throw .last("EVP_PKEY_CTX_set_rsa_keygen_bits") }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen(context, &key) == 1, let key else { throw .last("EVP_PKEY_keygen") }
        return PrivateKey(owning: key)
    }
}
