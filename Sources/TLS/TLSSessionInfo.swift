import COpenSSL

/// What a handshake agreed on.
public struct TLSSessionInfo: Sendable, Hashable {
    /// `TLSv1.3`
    public let version: String
    /// OpenSSL's name: `TLS_AES_256_GCM_SHA384`
    public let cipher: String
    /// Secret bits of the cipher.
    public let bits: Int
    /// On a server, the name the client asked for (SNI); on a client, the name it asked for.
    public let serverName: String?
    /// Whether the peer showed a certificate and it was verified; always false where no verification was asked for.
    public let peerVerified: Bool
    /// The protocol agreed on by ALPN (RFC 7301), if any.
    public let alpn: String?

    public init(version: String, cipher: String, bits: Int, serverName: String? = nil, peerVerified: Bool = false, alpn: String? = nil) {
        self.version = version
        self.cipher = cipher
        self.bits = bits
        self.serverName = serverName
        self.peerVerified = peerVerified
        self.alpn = alpn
    }

    /// Reads the facts of a finished handshake.
    init(_ ssl: OpaquePointer) {
        let current = SSL_get_current_cipher(ssl)
        var secretBits: Int32 = 0
        if let current { secretBits = SSL_CIPHER_get_bits(current, nil) }
        var alpnStart: UnsafePointer<UInt8>?
        var alpnCount: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &alpnStart, &alpnCount)
        self.init(
            version: String(cString: SSL_get_version(ssl)),
            cipher: current.flatMap { SSL_CIPHER_get_name($0) }.map { String(cString: $0) } ?? "none",
            bits: Int(secretBits),
            serverName: SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name).map { String(cString: $0) },
            peerVerified: SSL_get_verify_mode(ssl) != 0 && SSL_get0_peer_certificate(ssl) != nil && SSL_get_verify_result(ssl) == Int(X509_V_OK),
            alpn: alpnStart.map { String(decoding: UnsafeBufferPointer(start: $0, count: Int(alpnCount)), as: UTF8.self) })
    }
}

/// Fired through the pipeline (`userInboundEventTriggered`) when a handshake has ended well.
public struct TLSHandshakeCompleted: Sendable {
    public let info: TLSSessionInfo
    /// On a server: what identifies this connection to a log-in, by the name of the binding type (RFC 5929, RFC 9266).
    public let channelBindings: [String: [UInt8]]

    public init(info: TLSSessionInfo, channelBindings: [String: [UInt8]] = [:]) {
        self.info = info
        self.channelBindings = channelBindings
    }
}
