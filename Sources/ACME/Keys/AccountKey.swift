import COpenSSL

/// The key of an account with a certificate authority: P-256, signing by ES256 (RFC 7518 §3.4).
///
/// Sendable by proof: the key is set once, and afterwards only read by OpenSSL functions that are documented as safe
/// from many threads (`EVP_PKEY_get_*`, `EVP_DigestSignInit`, which takes a reference).
public final class AccountKey: @unchecked Sendable {
    private let key: OpaquePointer
    /// The point's coordinates, 32 octets each.
    private let x: [UInt8]
    private let y: [UInt8]

    /// A new key.
    /// - Throws: ``ACMEKeyError``.
    public convenience init() throws(ACMEKeyError) {
        guard let key = postern_EVP_P256_generate() else { throw ACMEKeyError("no key can be made") }
        try self.init(key)
    }

    /// - Parameter pem: PKCS #8, as ``pem`` makes it.
    /// - Throws: ``ACMEKeyError`` when it is no P-256 key.
    public convenience init(pem: String) throws(ACMEKeyError) {
        guard let key = OpenSSLText.read(pem, postern_read_private_key) else { throw ACMEKeyError("the account key is no private key in PEM form") }
        try self.init(key)
    }

    private init(_ key: OpaquePointer) throws(ACMEKeyError) {
        self.key = key
        guard EVP_PKEY_get_base_id(key) == EVP_PKEY_EC, EVP_PKEY_get_bits(key) == 256, let point = Self.point(key) else {
            EVP_PKEY_free(key)
            throw ACMEKeyError("the account key is no P-256 key")
        }
        (x, y) = (Array(point[1..<33]), Array(point[33..<65]))
    }

    deinit { EVP_PKEY_free(key) }

    /// PKCS #8.
    public func pem() throws(ACMEKeyError) -> String { try OpenSSLText.pem(ofKey: key) }

    /// The public key (RFC 7517), with its members in the order that the thumbprint wants (RFC 7638 §3.2).
    var jwk: String { #"{"crv":"P-256","kty":"EC","x":"\#(Base64URL.encode(x))","y":"\#(Base64URL.encode(y))"}"# }

    /// RFC 7638, as a key authorisation has it (RFC 8555 §8.1).
    public var thumbprint: String { Base64URL.encode(Digest.sha256(Array(jwk.utf8))) }

    /// ES256: r and s of 32 octets each (RFC 7518 §3.4).
    func sign(_ octets: [UInt8]) throws(ACMEKeyError) -> [UInt8] {
        guard let context = EVP_MD_CTX_new() else { throw ACMEKeyError("out of memory") }
        defer { EVP_MD_CTX_free(context) }
        var count = 0
        guard EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key) == 1, EVP_DigestSign(context, nil, &count, octets, octets.count) == 1 else {
            throw ACMEKeyError("the account key cannot sign")
        }
        var der = [UInt8](repeating: 0, count: count)
        guard EVP_DigestSign(context, &der, &count, octets, octets.count) == 1 else { throw ACMEKeyError("the account key cannot sign") }
        var raw = [UInt8](repeating: 0, count: 64)
        guard postern_ECDSA_raw(der, count, &raw) == 1 else { throw ACMEKeyError("the account key's signature cannot be read") }
        return raw
    }

    private static func point(_ key: OpaquePointer) -> [UInt8]? {
        var octets = [UInt8](repeating: 0, count: 65)
        var count = 0
        guard EVP_PKEY_get_octet_string_param(key, "encoded-pub-key", &octets, octets.count, &count) == 1, count == 65, octets[0] == 4 else { return nil }
        return octets
    }
}

/// Why a key or a request for a certificate cannot be made.
public struct ACMEKeyError: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}

enum Digest {
    static func sha256(_ octets: [UInt8]) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: 32)
        EVP_Digest(octets, octets.count, &out, nil, EVP_sha256(), nil)
        return out
    }
}
