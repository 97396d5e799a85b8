import COpenSSL

/// What a handshake agreed on.
public struct TLSSessionInfo: Sendable, Hashable {
    /// `TLSv1.3`
    public let version: String
    /// OpenSSL's name: `TLS_AES_256_GCM_SHA384`
    public let cipher: String
    public let bits: Int
    /// The name in SNI: asked for by the client.
    public let serverName: String?
    /// Whether the peer's certificate was asked for and believed.
    public let peerVerified: Bool

    public init(version: String, cipher: String, bits: Int, serverName: String? = nil, peerVerified: Bool = false) {
        self.version = version
        self.cipher = cipher
        self.bits = bits
        self.serverName = serverName
        self.peerVerified = peerVerified
    }

    init(_ ssl: OpaquePointer) {
        version = String(cString: SSL_get_version(ssl))
        let current = SSL_get_current_cipher(ssl)
        cipher = current.flatMap { SSL_CIPHER_get_name($0) }.map { String(cString: $0) } ?? "unknown"
        bits = Int(current.map { SSL_CIPHER_get_bits($0, nil) } ?? 0)
        serverName = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name).map { String(cString: $0) }
        peerVerified = SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE && SSL_get_verify_result(ssl) == Int(X509_V_OK)
    }
}

/// The user event that says the handshake is over and what follows is encrypted.
public struct TLSHandshakeCompleted: Sendable, Hashable {
    public let info: TLSSessionInfo
    public init(info: TLSSessionInfo) { self.info = info }
}
