import COpenSSL

/// The oldest protocol version to accept (RFC 8996 deprecates what is older).
public enum TLSVersion: Sendable, Hashable {
    case v1_2, v1_3
    var code: Int32 { self == .v1_2 ? TLS1_2_VERSION : TLS1_3_VERSION }
}

/// Settings and keys for TLS connections, shared by all of them: make one for a server's certificate or for all
/// outgoing connections, make another when files change, and let the old one go; connections keep theirs.
public final class TLSContext: Sendable {
    /// What ``server(_:minimumVersion:protocols:chooser:)`` found worth saying: an expired
    /// certificate still serves, since most senders do not look.
    public let warnings: [String]
    /// The server's certificate; nil on a client.
    public let certificate: CertificateFacts?
    /// When the server's certificate expires, in seconds since 1970; nil on a client.
    public var expiry: Int64? { certificate?.notAfter }
    let handle: ContextHandle
    let isServer: Bool
    init(handle: ContextHandle, isServer: Bool, warnings: [String] = [], certificate: CertificateFacts? = nil) {
        self.handle = handle
        self.isServer = isServer
        self.warnings = warnings
        self.certificate = certificate
    }
}

/// Owns one reference to an `SSL_CTX`.
///
/// Sendable by proof: the pointer is immutable, everything is set before a ``TLSContext`` exists, and afterwards it is
/// used only by `SSL_new`, `SSL_set_SSL_CTX` and reads, which OpenSSL documents as safe from many threads.
final class ContextHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    /// A context with what servers and clients have in common.
    init(isServer: Bool, minimumVersion: TLSVersion) throws(TLSError) {
        OpenSSLErrors.clear()
        guard let pointer = SSL_CTX_new(isServer ? TLS_server_method() : TLS_client_method()) else {
            throw .configuration(OpenSSLErrors.take())
        }
        self.pointer = pointer
        postern_SSL_CTX_set_mode(pointer)
        postern_SSL_CTX_safe_options(pointer)
        // Resumption is by stateless tickets: no cache that grows.
        postern_SSL_CTX_session_cache_off(pointer)
        guard postern_SSL_CTX_set_min_proto_version(pointer, minimumVersion.code) == 1 else {
            throw .configuration("the system's OpenSSL does not allow \(minimumVersion)")
        }
        // A key with a passphrase would make OpenSSL ask on the terminal.
        SSL_CTX_set_default_passwd_cb(pointer) { _, _, _, _ in -1 }
    }

    deinit { SSL_CTX_free(pointer) }

    func setCiphers(_ list: String) throws(TLSError) {
        OpenSSLErrors.clear()
        guard SSL_CTX_set_cipher_list(pointer, list) == 1 else { throw .configuration("cipher list: \(OpenSSLErrors.take())") }
    }
}

/// Mozilla's server side TLS recommendations, the intermediate set: the ciphers of TLS 1.2 and the groups. Those of
/// TLS 1.3 are all sound and stay as OpenSSL has them.
enum Intermediate {
    static let ciphers = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305", "DHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES256-GCM-SHA384",
        "DHE-RSA-CHACHA20-POLY1305",
    ].joined(separator: ":")
    static let groups = "X25519:P-256:P-384"
}
