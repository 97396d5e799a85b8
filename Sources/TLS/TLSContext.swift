import COpenSSL
import Foundation

/// Certificate, key and rules that many connections share: TLS 1.2 or newer, Mozilla's 'intermediate' ciphers.
///
/// Immutable once made; a reload makes another.
public final class TLSContext: Sendable {
    /// Which certificates a client believes.
    public enum Verification: Sendable, Hashable {
        /// None: opportunistic encryption against listeners-in only (RFC 7435).
        case none
        /// A chain to the system's certificate authorities, or to those of a PEM file, for the name asked for.
        case full(caFile: String?)
    }

    /// Sendable by proof: an `SSL_CTX` is only read after `init`, and OpenSSL counts its references atomically.
    private struct Handle: @unchecked Sendable { let pointer: OpaquePointer }

    private let handle: Handle
    let isServer: Bool
    /// Remarks worth a log line: a certificate that has expired.
    public let warnings: [String]

    var pointer: OpaquePointer { handle.pointer }

    private static let ciphers = """
        ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:\
        ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384
        """

    private init(_ handle: Handle, isServer: Bool, warnings: [String] = []) {
        self.handle = handle
        self.isServer = isServer
        self.warnings = warnings
    }

    deinit { SSL_CTX_free(handle.pointer) }

    /// Reads a certificate chain (leaf first) and its key, both PEM. Blocks.
    /// - Throws: ``TLSError/file(path:problem:)``.
    public static func server(certificateChainFile: String, privateKeyFile: String) throws -> TLSContext {
        try requireReadable(certificateChainFile, what: "certificate")
        try requireReadable(privateKeyFile, what: "private key")
        try requireSecret(privateKeyFile)
        let context = try make(TLS_server_method())
        guard SSL_CTX_use_certificate_chain_file(context.pointer, certificateChainFile) == 1 else {
            throw failed(context, certificateChainFile, "is not a PEM certificate chain: \(TLSError.reason())")
        }
        guard SSL_CTX_use_PrivateKey_file(context.pointer, privateKeyFile, SSL_FILETYPE_PEM) == 1 else {
            let reason = TLSError.reason()
            throw failed(context, privateKeyFile, reason.contains("mismatch")
                ? "does not belong to the certificate in \(certificateChainFile)" : "is not a PEM private key without a passphrase: \(reason)")
        }
        guard SSL_CTX_check_private_key(context.pointer) == 1 else {
            throw failed(context, privateKeyFile, "does not belong to the certificate in \(certificateChainFile)")
        }
        return TLSContext(context, isServer: true, warnings: expiry(context, certificateChainFile))
    }

    /// - Throws: ``TLSError`` when the authorities cannot be read.
    public static func client(verification: Verification) throws -> TLSContext {
        let context = try make(TLS_client_method())
        guard case .full(let caFile) = verification else { return TLSContext(context, isServer: false) }
        SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER, nil)
        let loaded = caFile.map { SSL_CTX_load_verify_locations(context.pointer, $0, nil) } ?? SSL_CTX_set_default_verify_paths(context.pointer)
        guard loaded == 1 else {
            throw failed(context, caFile ?? "the system's certificate authorities", "cannot be read: \(TLSError.reason())")
        }
        return TLSContext(context, isServer: false)
    }

    private static func make(_ method: OpaquePointer?) throws -> Handle {
        guard let context = SSL_CTX_new(method) else { throw TLSError.library(TLSError.reason()) }
        guard postern_ssl_ctx_defaults(context) == 1, SSL_CTX_set_cipher_list(context, ciphers) == 1 else {
            SSL_CTX_free(context)
            throw TLSError.library(TLSError.reason())
        }
        return Handle(pointer: context)
    }

    private static func failed(_ context: Handle, _ path: String, _ problem: String) -> TLSError {
        SSL_CTX_free(context.pointer)
        return .file(path: path, problem: problem)
    }

    private static func requireReadable(_ path: String, what: String) throws {
        guard !path.isEmpty else { throw TLSError.file(path: "smtpd_tls_cert_file", problem: "the \(what) file is not set") }
        guard access(path, F_OK) == 0 else { throw TLSError.file(path: path, problem: "there is no such \(what) file") }
        guard access(path, R_OK) == 0 else { throw TLSError.file(path: path, problem: "the \(what) cannot be read by this user") }
    }

    private static func requireSecret(_ path: String) throws {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & 0o007 == 0 else {
            throw TLSError.file(path: path, problem: "the private key can be read by everybody; protect it: chmod 600 \(path)")
        }
    }

    private static func expiry(_ context: Handle, _ path: String) -> [String] {
        guard let certificate = SSL_CTX_get0_certificate(context.pointer), let end = X509_get0_notAfter(certificate) else { return [] }
        return X509_cmp_current_time(end) < 0 ? ["\(path): the certificate has expired; clients will refuse it"] : []
    }
}
