import COpenSSL

/// What both ends of a TLS connection can compute and nobody in between can, for SASL mechanisms that end in -PLUS.
enum ChannelBindings {
    private static let exporterLabel = Array("EXPORTER-Channel-Binding".utf8)
    private static let exporterLength = 32

    /// By registered name; empty when this connection has none.
    static func of(server ssl: OpaquePointer) -> [String: [UInt8]] {
        var out: [String: [UInt8]] = [:]
        out["tls-exporter"] = exporter(ssl)
        out["tls-unique"] = unique(ssl)
        out["tls-server-end-point"] = SSL_get_certificate(ssl).flatMap(endPoint)
        return out
    }

    /// RFC 9266 §2: 32 octets of exported keying material with an empty context. Before TLS 1.3 it is sound only with the
    /// extended master secret (§3).
    private static func exporter(_ ssl: OpaquePointer) -> [UInt8]? {
        guard SSL_version(ssl) >= TLS1_3_VERSION || postern_SSL_has_extended_master_secret(ssl) else { return nil }
        var out = [UInt8](repeating: 0, count: exporterLength)
        let done = exporterLabel.withUnsafeBufferPointer { label in
            label.withMemoryRebound(to: CChar.self) { SSL_export_keying_material(ssl, &out, exporterLength, $0.baseAddress, $0.count, [0], 0, 1) }
        }
        OpenSSLErrors.clear()
        return done == 1 ? out : nil
    }

    /// RFC 5929 §3.1: the first Finished message, up to TLS 1.2 (RFC 9266 §4 has the exporter for what is newer), and only with
    /// the extended master secret, without which it can be forged. Clients of before RFC 9266 bind to it.
    private static func unique(_ ssl: OpaquePointer) -> [UInt8]? {
        guard SSL_version(ssl) < TLS1_3_VERSION, postern_SSL_has_extended_master_secret(ssl) else { return nil }
        var out = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        // In a resumed session the server's comes first.
        let count = SSL_session_reused(ssl) == 1 ? SSL_get_finished(ssl, &out, out.count) : SSL_get_peer_finished(ssl, &out, out.count)
        return count > 0 && count <= out.count ? Array(out.prefix(count)) : nil
    }

    /// RFC 5929 §4.1: the server certificate's digest, by the hash of its signature, SHA-256 in place of MD5 and SHA-1. Not
    /// defined for a signature without a single hash (Ed25519).
    private static func endPoint(_ certificate: OpaquePointer) -> [UInt8]? {
        var digest: Int32 = 0
        guard X509_get_signature_info(certificate, &digest, nil, nil, nil) == 1, digest != NID_undef else { return nil }
        let isWeak = digest == NID_md5 || digest == NID_sha1
        guard let method = isWeak ? EVP_sha256() : OBJ_nid2sn(digest).flatMap({ EVP_get_digestbyname($0) }) else { return nil }
        var out = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE)), count: UInt32 = 0
        guard X509_digest(certificate, method, &out, &count) == 1 else { return nil }
        return Array(out.prefix(Int(count)))
    }
}
