import COpenSSL

/// Makes a certificate that vouches for itself: what a new server encrypts with until it has one from an authority,
/// and what opportunistic TLS between mail servers accepts.
public enum SelfSignedCertificate {
    /// A P-256 key and a certificate for it.
    /// - Parameters:
    ///   - names: host names (A-labels) and addresses for the subjectAltName; the first is the common name too.
    ///   - days: how long it holds from now on.
    /// - Returns: both in PEM form, the key in PKCS #8.
    /// - Throws: ``TLSError/configuration(_:)`` for names that no certificate can bear.
    public static func generate(names: [String], days: Int) throws(TLSError) -> (certificatePEM: String, privateKeyPEM: String) {
        try generate(names: names, days: days, acmeIdentifier: nil)
    }

    /// The certificate that answers a tls-alpn-01 challenge (RFC 8737 §3): the name alone, and the digest of the key
    /// authorisation in a critical extension.
    /// - Parameter digest: 32 octets, SHA-256.
    /// - Throws: ``TLSError/configuration(_:)``.
    public static func challenge(name: String, digest: [UInt8]) throws(TLSError) -> (certificatePEM: String, privateKeyPEM: String) {
        guard digest.count == 32 else { throw .configuration("the digest of a key authorisation has 32 octets") }
        return try generate(names: [name], days: 7, acmeIdentifier: digest)
    }

    private static func generate(names: [String], days: Int, acmeIdentifier: [UInt8]?) throws(TLSError) -> (certificatePEM: String, privateKeyPEM: String) {
        guard let first = names.first else { throw .configuration("a certificate needs at least one name") }
        for name in names where !isSafe(name) { throw .configuration("'\(name)' cannot stand in a certificate") }
        OpenSSLErrors.clear()
        guard let key = postern_EVP_P256_generate() else { throw .configuration(OpenSSLErrors.take()) }
        defer { EVP_PKEY_free(key) }
        guard let certificate = X509_new() else { throw .configuration("out of memory") }
        defer { X509_free(certificate) }
        let filled = setFacts(of: certificate, commonName: first, days: days)
            && add(NID_subject_alt_name, names.map { IPName.isName($0) ? "DNS:\($0)" : "IP:\($0)" }.joined(separator: ","), to: certificate)
            && add(NID_basic_constraints, "critical,CA:FALSE", to: certificate)
            && add(NID_ext_key_usage, "serverAuth", to: certificate)
            && (acmeIdentifier.map { addIdentifier($0, to: certificate) } ?? true)
            && X509_set_pubkey(certificate, key) == 1 && X509_sign(certificate, key, EVP_sha256()) > 0
        guard filled else { throw .configuration("certificate: \(OpenSSLErrors.take())") }
        return (
            try pem { PEM_write_bio_X509($0, certificate) },
            try pem { PEM_write_bio_PKCS8PrivateKey($0, key, nil, nil, 0, nil, nil) }
        )
    }

    private static func setFacts(of certificate: OpaquePointer, commonName: String, days: Int) -> Bool {
        guard X509_set_version(certificate, 2) == 1, setSerial(certificate),
            X509_gmtime_adj(X509_getm_notBefore(certificate), -300) != nil,
            X509_time_adj_ex(X509_getm_notAfter(certificate), Int32(clamping: days), 0, nil) != nil,
            let name = X509_get_subject_name(certificate) else { return false }
        // A common name ends at 64 octets (RFC 5280, ub-common-name); the subjectAltName is what counts.
        let text = Array(commonName.utf8.prefix(64))
        return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, text, Int32(text.count), -1, 0) == 1
            && X509_set_issuer_name(certificate, name) == 1
    }

    /// 127 random bits (RFC 5280 §4.1.2.2: positive, at most 20 octets).
    private static func setSerial(_ certificate: OpaquePointer) -> Bool {
        guard let number = BN_new() else { return false }
        defer { BN_free(number) }
        return BN_rand(number, 127, 0, 0) == 1 && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nil
    }

    private static func add(_ identifier: Int32, _ value: String, to certificate: OpaquePointer) -> Bool {
        guard let piece = X509V3_EXT_conf_nid(nil, nil, identifier, value) else { return false }
        defer { X509_EXTENSION_free(piece) }
        return X509_add_ext(certificate, piece, -1) == 1
    }

    /// id-pe-acmeIdentifier, critical, a DER octet string (RFC 8737 §3).
    private static func addIdentifier(_ digest: [UInt8], to certificate: OpaquePointer) -> Bool {
        guard let object = OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1), let value = ASN1_OCTET_STRING_new() else { return false }
        defer {
            ASN1_OBJECT_free(object)
            ASN1_OCTET_STRING_free(value)
        }
        let encoded: [UInt8] = [4, UInt8(clamping: digest.count)] + digest
        guard ASN1_OCTET_STRING_set(value, encoded, Int32(encoded.count)) == 1, let piece = X509_EXTENSION_create_by_OBJ(nil, object, 1, value) else { return false }
        defer { X509_EXTENSION_free(piece) }
        return X509_add_ext(certificate, piece, -1) == 1
    }

    /// Commas and colons would be syntax of the extension's text.
    private static func isSafe(_ name: String) -> Bool {
        guard !name.isEmpty, name.utf8.count <= 253 else { return false }
        let isAddress = !IPName.isName(name)
        return name.utf8.allSatisfy { byte in
            (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte) || byte == 45 || byte == 46 || byte == 42
                || (isAddress && byte == 58)
        }
    }

    private static func pem(_ write: (OpaquePointer) -> Int32) throws(TLSError) -> String {
        guard let bio = BIO_new(BIO_s_mem()) else { throw .configuration("out of memory") }
        defer { BIO_free(bio) }
        guard write(bio) == 1 else { throw .configuration(OpenSSLErrors.take()) }
        var start: UnsafePointer<CChar>?
        let count = postern_BIO_contents(bio, &start)
        guard let start else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }
}
