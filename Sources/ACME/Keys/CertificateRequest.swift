import COpenSSL

/// A new P-256 key and the request for its certificate (PKCS #10, RFC 2986).
public struct CertificateRequest: Sendable {
    /// PKCS #8 in PEM form.
    public let privateKeyPEM: String
    public let der: [UInt8]

    /// - Parameter names: host names, A-labels; all in the subjectAltName (RFC 8555 §7.4), the subject stays empty.
    /// - Throws: ``ACMEKeyError``.
    public init(names: [String]) throws(ACMEKeyError) {
        // Commas and colons would be syntax of the extension's text.
        guard !names.isEmpty, names.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(Self.isHostOctet) }) else {
            throw ACMEKeyError("no certificate can be asked for '\(names.joined(separator: ", "))'")
        }
        ERR_clear_error()
        guard let key = postern_EVP_P256_generate() else { throw ACMEKeyError("no key can be made") }
        defer { EVP_PKEY_free(key) }
        var octets: UnsafeMutablePointer<UInt8>?
        let count = postern_request_der(key, names.map { "DNS:\($0)" }.joined(separator: ","), &octets)
        guard count > 0, let octets else { throw ACMEKeyError("the request for a certificate cannot be made") }
        defer { postern_evp_free(octets) }
        der = Array(UnsafeBufferPointer(start: octets, count: Int(count)))
        privateKeyPEM = try OpenSSLText.pem(ofKey: key)
    }

    private static func isHostOctet(_ octet: UInt8) -> Bool {
        (97...122).contains(octet) || (48...57).contains(octet) || octet == 45 || octet == 46 || octet == 42
    }
}
