import COpenSSL

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension TLSContext {
    /// A context for accepting connections. Reads files; blocks.
    /// - Parameters:
    ///   - certificateChain: PEM file, the server's own certificate first, then its issuers.
    ///   - privateKey: PEM file with the unencrypted key; nobody but its owner and group may read it.
    ///   - chooser: which context serves the name a client asks for (SNI); nil, or a nil answer, means this one.
    /// - Throws: ``TLSError/file(path:problem:)``, ``TLSError/keyDoesNotMatch(key:certificate:)``, ``TLSError/configuration(_:)``.
    public static func server(
        certificateChain: String, privateKey: String, minimumVersion: TLSVersion = .v1_2,
        chooser: (@Sendable (String) -> TLSContext?)? = nil
    ) throws(TLSError) -> TLSContext {
        try PEMFile.check(certificateChain, isSecret: false)
        try PEMFile.check(privateKey, isSecret: true)
        let handle = try ContextHandle(isServer: true, minimumVersion: minimumVersion)
        try handle.setCiphers(Intermediate.ciphers)
        _ = postern_SSL_CTX_set_groups(handle.pointer, Intermediate.groups)
        postern_SSL_CTX_dh_auto(handle.pointer)
        SSL_CTX_set_num_tickets(handle.pointer, 1)
        _ = SSL_CTX_set_session_id_context(handle.pointer, Array("postern".utf8), 7)
        try handle.load(certificateChain: certificateChain, privateKey: privateKey)
        let box = chooser.map(ContextChooser.init)
        if let box { box.install(in: handle.pointer) }
        let validity = handle.certificateValidity()
        return TLSContext(handle: handle, isServer: true, warnings: validity.warnings(certificateChain), expiry: validity.notAfter, chooser: box)
    }
}

extension ContextHandle {
    func load(certificateChain: String, privateKey: String) throws(TLSError) {
        OpenSSLErrors.clear()
        guard SSL_CTX_use_certificate_chain_file(pointer, certificateChain) == 1 else {
            throw .file(path: certificateChain, problem: "holds no certificate in PEM form that can be used (\(OpenSSLErrors.take()))")
        }
        OpenSSLErrors.clear()
        if SSL_CTX_use_PrivateKey_file(pointer, privateKey, SSL_FILETYPE_PEM) != 1 {
            let reason = OpenSSLErrors.take()
            if reason.contains("mismatch") { throw .keyDoesNotMatch(key: privateKey, certificate: certificateChain) }
            throw .file(path: privateKey, problem: "holds no private key in unencrypted PEM form (\(reason))")
        }
        guard SSL_CTX_check_private_key(pointer) == 1 else {
            throw .keyDoesNotMatch(key: privateKey, certificate: certificateChain)
        }
    }

    func certificateValidity() -> CertificateValidity {
        guard let certificate = SSL_CTX_get0_certificate(pointer) else { return CertificateValidity(notBefore: nil, notAfter: nil) }
        return CertificateValidity(notBefore: Self.seconds(X509_get0_notBefore(certificate)), notAfter: Self.seconds(X509_get0_notAfter(certificate)))
    }

    private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
        var parts = tm()
        guard let time, ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
        return Int64(timegm(&parts))
    }
}

/// From when to when a certificate holds, in seconds since 1970.
struct CertificateValidity {
    let notBefore: Int64?
    let notAfter: Int64?

    func warnings(_ path: String, now: Int64 = Int64(time(nil))) -> [String] {
        if let notAfter, notAfter < now { return ["\(path): the certificate expired \((now - notAfter) / 86400) days ago; renew it"] }
        if let notBefore, notBefore > now { return ["\(path): the certificate is not valid yet; check the machine's clock"] }
        return []
    }
}

/// Checks on a file before OpenSSL sees it, whose own errors do not tell a missing file from an unreadable one.
enum PEMFile {
    static func check(_ path: String, isSecret: Bool) throws(TLSError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .file(path: path, problem: problem(errno)) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .file(path: path, problem: problem(errno)) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .file(path: path, problem: "is not a file") }
        if isSecret, status.st_mode & 0o007 != 0 {
            throw .file(path: path, problem: "the private key can be read by every user of this machine; run: chmod o-rwx \(path)")
        }
    }

    private static func problem(_ code: Int32) -> String {
        switch code {
        case ENOENT: "there is no such file"
        case EACCES: "this user may not read it (or enter a folder on the way)"
        default: String(cString: strerror(code))
        }
    }
}

/// Answers OpenSSL's server name callback. The ``TLSContext`` that owns it outlives its connections' handshakes,
/// since each ``TLSHandler`` holds its context.
final class ContextChooser: Sendable {
    let choose: @Sendable (String) -> TLSContext?

    init(_ choose: @escaping @Sendable (String) -> TLSContext?) { self.choose = choose }

    func install(in context: OpaquePointer) {
        postern_SSL_CTX_set_servername(context, { ssl, _, argument in
            guard let ssl, let argument, let name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else { return SSL_TLSEXT_ERR_NOACK }
            let chooser = Unmanaged<ContextChooser>.fromOpaque(argument).takeUnretainedValue()
            guard let chosen = chooser.choose(String(cString: name).lowercased()), chosen.isServer else { return SSL_TLSEXT_ERR_NOACK }
            _ = SSL_set_SSL_CTX(ssl, chosen.handle.pointer)
            return SSL_TLSEXT_ERR_OK
        }, Unmanaged.passUnretained(self).toOpaque())
    }
}
