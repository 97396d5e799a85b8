import COpenSSL

/// A running SHA-256.
struct SHA256Digest: ~Copyable {
    private let context: OpaquePointer

    init() throws(CryptoFailure) {
        guard let context = EVP_MD_CTX_new() else { throw .last("EVP_MD_CTX_new") }
        guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            EVP_MD_CTX_free(context)
            throw .last("EVP_DigestInit_ex")
        }
        self.context = context
    }

    /// A second digest that has seen the same octets.
    init(copying other: borrowing SHA256Digest) throws(CryptoFailure) {
        guard let context = EVP_MD_CTX_new() else { throw .last("EVP_MD_CTX_new") }
        guard EVP_MD_CTX_copy_ex(context, other.context) == 1 else {
            EVP_MD_CTX_free(context)
            throw .last("EVP_MD_CTX_copy_ex")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    mutating func update(_ bytes: UnsafeRawBufferPointer) { _ = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) }
    mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { _ = EVP_DigestUpdate(context, $0.baseAddress, $0.count) } }

    /// The 32 octets. Call once.
    mutating func finish() throws(CryptoFailure) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: 32)
        guard EVP_DigestFinal_ex(context, &out, nil) == 1 else { throw .last("EVP_DigestFinal_ex") }
        return out
    }
}
