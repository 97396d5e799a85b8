import COpenSSL

/// Objects of OpenSSL from text and to text.
enum OpenSSLText {
    /// The BIO reads the octets where they are: they stay until it is done.
    static func read(_ text: String, _ read: (OpaquePointer) -> OpaquePointer?) -> OpaquePointer? {
        var text = text
        return text.withUTF8 { octets in
            guard let bio = BIO_new_mem_buf(octets.baseAddress, Int32(clamping: octets.count)) else { return nil }
            defer { BIO_free(bio) }
            ERR_clear_error()
            return read(bio)
        }
    }

    /// PKCS #8, not encrypted.
    static func pem(ofKey key: OpaquePointer) throws(ACMEKeyError) -> String {
        guard let bio = BIO_new(BIO_s_mem()) else { throw ACMEKeyError("out of memory") }
        defer { BIO_free(bio) }
        guard PEM_write_bio_PKCS8PrivateKey(bio, key, nil, nil, 0, nil, nil) == 1 else { throw ACMEKeyError("a key cannot be written as text") }
        var start: UnsafePointer<CChar>?
        let count = postern_BIO_contents(bio, &start)
        guard let start else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }
}
