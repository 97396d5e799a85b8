import COpenSSL

/// Whether a chain as a server shows it leads to an authority that is trusted.
public enum ChainVerification {
    /// - Parameters:
    ///   - chain: the server's own certificate first.
    ///   - now: seconds since 1970; nil leaves dates out of account.
    /// - Returns: why nobody need believe it, as OpenSSL says it; nil when it is well.
    /// - Throws: ``TLSError`` when the authorities cannot be read. Blocks.
    public static func problem(of chain: [InspectedCertificate], trust: TLSTrust = .system, now: Int64? = nil) throws(TLSError) -> String? {
        guard let leaf = chain.first else { return "there is no certificate" }
        let handle = try ContextHandle(isServer: false, minimumVersion: .v1_2)
        try handle.setTrust(trust)
        guard let context = X509_STORE_CTX_new(), let others = postern_X509_stack_new() else { throw .configuration("out of memory") }
        defer {
            X509_STORE_CTX_free(context)
            for index in 0..<postern_X509_stack_count(others) { X509_free(postern_X509_stack_at(others, index)) }
            postern_X509_stack_free(others)
            OpenSSLErrors.clear()
        }
        for one in chain.dropFirst() {
            _ = one.withCertificate { certificate in
                if X509_up_ref(certificate) == 1 { _ = postern_X509_stack_push(others, certificate) }
            }
        }
        return leaf.withCertificate { certificate in
            guard X509_STORE_CTX_init(context, SSL_CTX_get_cert_store(handle.pointer), certificate, others) == 1 else { return "it cannot be verified" }
            if let now {
                X509_STORE_CTX_set_time(context, 0, time_t(now))
            } else {
                X509_STORE_CTX_set_flags(context, UInt(X509_V_FLAG_NO_CHECK_TIME))
            }
            if X509_verify_cert(context) == 1 { return nil }
            return String(cString: X509_verify_cert_error_string(Int(X509_STORE_CTX_get_error(context))))
        } ?? "it cannot be read"
    }
}
