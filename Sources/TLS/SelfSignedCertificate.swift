import COpenSSL
import Foundation

/// A certificate until a real one exists: ECDSA P-256, for the demo and for tests.
public enum SelfSignedCertificate {
    /// - Parameters:
    ///   - names: host names, the first also the common name.
    ///   - days: validity from now (and an hour back, for clocks that are behind).
    /// - Throws: ``TLSError/library(_:)``.
    public static func generate(names: [String], days: Int) throws -> (certificatePEM: String, privateKeyPEM: String) {
        guard let key = postern_p256_key() else { throw TLSError.library(TLSError.reason()) }
        defer { EVP_PKEY_free(key) }
        let alternatives = names.map { "DNS:" + $0.filter { $0 != "," && $0 != "\n" } }.joined(separator: ",")
        let serial = Int.random(in: 1...Int(Int32.max))
        guard let certificate = postern_self_signed(key, String((names.first ?? "localhost").prefix(64)), alternatives, days, serial)
        else { throw TLSError.library(TLSError.reason()) }
        defer { X509_free(certificate) }
        return (try pem { PEM_write_bio_X509($0, certificate) }, try pem { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) })
    }

    private static func pem(_ write: (OpaquePointer) -> Int32) throws -> String {
        guard let bio = BIO_new(BIO_s_mem()) else { throw TLSError.library(TLSError.reason()) }
        defer { BIO_free(bio) }
        var data: UnsafeMutablePointer<CChar>?
        guard write(bio) == 1, case let length = postern_bio_data(bio, &data), length > 0, let data else { throw TLSError.library(TLSError.reason()) }
        return String(decoding: UnsafeRawBufferPointer(start: data, count: length), as: UTF8.self)
    }
}
