import COpenSSL

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
        try server([try ServerChain.read(certificate: certificateChain, key: privateKey)], minimumVersion: minimumVersion, chooser: chooser)
    }

    /// A context for accepting connections.
    /// - Parameters:
    ///   - chains: one, or one for each kind of key (RSA, ECDSA).
    ///   - protocols: those of ALPN (RFC 7301) that are spoken here, and nothing else is; empty: ALPN is not answered.
    ///   - protocolChooser: asked first, with the server name and the protocols of a client that offers any.
    ///   - chooser: which context serves the name a client asks for (SNI); nil, or a nil answer, means this one.
    /// - Throws: ``TLSError/file(path:problem:)``, ``TLSError/keyDoesNotMatch(key:certificate:)``, ``TLSError/configuration(_:)``.
    public static func server(
        _ chains: [ServerChain], minimumVersion: TLSVersion = .v1_2, protocols: [String] = [],
        protocolChooser: (@Sendable (String, [String]) -> TLSContext?)? = nil, chooser: (@Sendable (String) -> TLSContext?)? = nil
    ) throws(TLSError) -> TLSContext {
        guard let first = chains.first else { throw .configuration("a server needs a certificate") }
        let handle = try ContextHandle(isServer: true, minimumVersion: minimumVersion)
        try handle.setCiphers(Intermediate.ciphers)
        _ = postern_SSL_CTX_set_groups(handle.pointer, Intermediate.groups)
        postern_SSL_CTX_dh_auto(handle.pointer)
        SSL_CTX_set_num_tickets(handle.pointer, 1)
        _ = SSL_CTX_set_session_id_context(handle.pointer, Array("postern".utf8), 7)
        var facts: [CertificateFacts] = []
        for chain in chains { facts.append(try handle.load(chain)) }
        ContextChooser(byName: chooser, byProtocol: protocolChooser, protocols: protocols).install(in: handle.pointer)
        return TLSContext(handle: handle, isServer: true, warnings: zip(facts, chains).flatMap { $0.warnings($1.certificatePath) },
                          certificate: CertificateFacts(pem: first.certificates.first ?? ""))
    }
}

extension ContextHandle {
    func load(_ chain: ServerChain) throws(TLSError) -> CertificateFacts {
        OpenSSLErrors.clear()
        let leaf = chain.certificates.first.flatMap { PEMReading.certificate($0) }
        defer { X509_free(leaf) }
        guard let leaf, SSL_CTX_use_certificate(pointer, leaf) == 1 else {
            throw .file(path: chain.certificatePath, problem: "holds no certificate in PEM form that can be used (\(OpenSSLErrors.take()))")
        }
        let facts = CertificateFacts(leaf)
        try useKey(of: chain)
        _ = postern_SSL_CTX_clear_chain_certs(pointer)
        for text in chain.certificates.dropFirst() {
            OpenSSLErrors.clear()
            guard let issuer = PEMReading.certificate(text) else {
                throw .file(path: chain.certificatePath, problem: "an issuer's certificate in it cannot be read (\(OpenSSLErrors.take()))")
            }
            defer { X509_free(issuer) }
            guard postern_SSL_CTX_add1_chain_cert(pointer, issuer) == 1 else { throw .configuration(OpenSSLErrors.take()) }
        }
        return facts
    }

    private func useKey(of chain: ServerChain) throws(TLSError) {
        OpenSSLErrors.clear()
        guard let key = PEMReading.privateKey(chain.privateKey) else {
            throw .file(path: chain.keyPath, problem: "holds no private key in unencrypted PEM form (\(OpenSSLErrors.take()))")
        }
        defer { EVP_PKEY_free(key) }
        guard SSL_CTX_use_PrivateKey(pointer, key) == 1, SSL_CTX_check_private_key(pointer) == 1 else {
            throw .keyDoesNotMatch(key: chain.keyPath, certificate: chain.certificatePath)
        }
    }
}
