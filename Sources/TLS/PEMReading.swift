import COpenSSL

/// OpenSSL's PEM readers over text.
enum PEMReading {
    /// - Returns: an X509 that the caller frees; nil, with OpenSSL's reasons queued, when the text holds none.
    static func certificate(_ pem: String) -> OpaquePointer? { with(pem) { PEM_read_bio_X509($0, nil, nil, nil) } }

    /// - Returns: an EVP_PKEY that the caller frees.
    static func privateKey(_ pem: String) -> OpaquePointer? { with(pem) { postern_read_private_key($0) } }

    /// The BIO reads the octets where they are: they stay until it is done.
    private static func with(_ text: String, _ read: (OpaquePointer) -> OpaquePointer?) -> OpaquePointer? {
        var text = text
        return text.withUTF8 { octets in
            guard let bio = BIO_new_mem_buf(octets.baseAddress, Int32(clamping: octets.count)) else { return nil }
            defer { BIO_free(bio) }
            return read(bio)
        }
    }
}
