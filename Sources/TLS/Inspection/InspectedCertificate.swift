import COpenSSL

/// A certificate that is looked into rather than used: what it says, and what it can be compared with.
public struct InspectedCertificate: Sendable, Hashable {
    public let facts: CertificateFacts
    /// The common name where there is one, else the whole name.
    public let subject: String
    public let issuer: String
    /// Seconds since 1970.
    public let notBefore: Int64
    public let notAfter: Int64
    /// SHA-256 of the SubjectPublicKeyInfo: a TLSA record's `x 1 1` (RFC 6698 §2.1).
    public let keyDigest: [UInt8]
    let der: [UInt8]

    /// Host names and addresses of the subjectAltName.
    public var names: [String] { facts.names }
    /// Issued under its own name.
    public var isSelfIssued: Bool { facts.isSelfSigned }

    /// Reads every certificate of a PEM file, in its order. Blocks.
    /// - Throws: ``TLSError/file(path:problem:)``.
    public static func chain(pemFile path: String) throws(TLSError) -> [InspectedCertificate] {
        try PEMFile.check(path, isSecret: false)
        OpenSSLErrors.clear()
        guard let bio = BIO_new_file(path, "r") else { throw .file(path: path, problem: OpenSSLErrors.take()) }
        defer { BIO_free(bio) }
        var out: [InspectedCertificate] = []
        while out.count < 16, let certificate = PEM_read_bio_X509(bio, nil, nil, nil) {
            defer { X509_free(certificate) }
            guard let facts = InspectedCertificate(certificate) else { throw .file(path: path, problem: "holds a certificate that cannot be read") }
            out.append(facts)
        }
        OpenSSLErrors.clear()
        guard !out.isEmpty else { throw .file(path: path, problem: "holds no certificate in PEM form") }
        return out
    }

    init?(_ certificate: OpaquePointer) {
        facts = CertificateFacts(certificate)
        guard let subjectName = X509_get_subject_name(certificate), let issuerName = X509_get_issuer_name(certificate), let notBefore = facts.notBefore, let notAfter = facts.notAfter else { return nil }
        subject = Self.text(subjectName)
        issuer = Self.text(issuerName)
        (self.notBefore, self.notAfter) = (notBefore, notAfter)
        keyDigest = Self.digest { Self.publicKey(certificate, $0) }
        der = Self.encoded { i2d_X509(certificate, $0) }
        if der.isEmpty { return nil }
    }

    /// Whether the certificate is for the host or address (RFC 6125): a wildcard stands for one label.
    public func bears(_ host: String) -> Bool {
        withCertificate { certificate in
            if IPName.isName(host) { return X509_check_host(certificate, host, host.utf8.count, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS), nil) == 1 }
            return X509_check_ip_asc(certificate, host, 0) == 1
        } ?? false
    }

    /// Whether the other one's key signed this one.
    public func isSigned(by issuer: InspectedCertificate) -> Bool {
        withCertificate { own in
            issuer.withCertificate { other in
                defer { OpenSSLErrors.clear() }
                guard X509_check_issued(other, own) == X509_V_OK, let key = X509_get0_pubkey(other) else { return false }
                return X509_verify(own, key) == 1
            } ?? false
        } ?? false
    }

    func withCertificate<Value>(_ body: (OpaquePointer) -> Value) -> Value? {
        der.withUnsafeBufferPointer { bytes in
            var start = bytes.baseAddress
            guard let certificate = d2i_X509(nil, &start, bytes.count) else { return nil }
            defer { X509_free(certificate) }
            return body(certificate)
        }
    }

    // MARK: Reading

    private static func text(_ name: OpaquePointer) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        let count = X509_NAME_get_text_by_NID(name, NID_commonName, &buffer, Int32(buffer.count))
        if count > 0 { return printable(buffer.prefix(Int(count)).map { UInt8(bitPattern: $0) }) }
        guard let line = X509_NAME_oneline(name, nil, 0) else { return "" }
        defer { postern_x509_free(line) }
        return printable(Array(String(cString: line).utf8))
    }

    private static func printable(_ bytes: [UInt8]) -> String { String(decoding: bytes.prefix(250).map { $0 < 32 || $0 == 127 ? 63 : $0 }, as: UTF8.self) }

    private static func digest(_ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32) -> [UInt8] {
        let bytes = encoded(encode)
        var out = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        guard !bytes.isEmpty, EVP_Digest(bytes, bytes.count, &out, &count, EVP_sha256(), nil) == 1 else { return [] }
        return out
    }

    private static func encoded(_ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32) -> [UInt8] {
        var start: UnsafeMutablePointer<UInt8>?
        let count = encode(&start)
        guard count > 0, let start else { return [] }
        defer { postern_x509_free(start) }
        return Array(UnsafeBufferPointer(start: start, count: Int(count)))
    }

    private static func publicKey(_ certificate: OpaquePointer, _ out: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32 {
        guard let key = X509_get_X509_PUBKEY(certificate) else { return 0 }
        return i2d_X509_PUBKEY(key, out)
    }
}
