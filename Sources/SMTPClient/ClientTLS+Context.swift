import TLS

extension ClientTLS {
    /// TLS by our own contexts.
    /// - Parameters:
    ///   - opportunistic: for `may` and `encrypt`, where the certificate is not looked at.
    ///   - verifying: for `verify` and REQUIRETLS; nil makes those fail for now.
    public init(opportunistic: TLSContext, verifying: TLSContext?) {
        self.init(
            makeHandler: { name, verify in
                // An address literal has no SNI (RFC 6066 §3); its certificate is compared with the bare address.
                let literal = name.hasPrefix("[") ? String(name.dropFirst().dropLast()).replacing("IPv6:", with: "") : nil
                guard verify else { return try TLSHandler(client: opportunistic, serverName: literal == nil ? name : nil) }
                guard let verifying else { throw TLSError.configuration("no CA certificates are set up to verify \(name)") }
                return try TLSHandler(client: verifying, serverName: literal == nil ? name : nil, verification: .full(host: literal ?? name))
            },
            handshakeCompleted: { event in
                (event as? TLSHandshakeCompleted).map { "\($0.info.version) with cipher \($0.info.cipher) (\($0.info.bits) bits)" }
            })
    }
}
