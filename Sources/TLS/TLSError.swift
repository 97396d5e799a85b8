import COpenSSL

/// What can go wrong with TLS. Each text says what happened and, where there is something to do, what to do.
public enum TLSError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A certificate, key or CA file that cannot be used: its path, and why.
    case file(path: String, problem: String)
    /// The private key and the certificate do not belong together.
    case keyDoesNotMatch(key: String, certificate: String)
    /// OpenSSL refused a setting.
    case configuration(String)
    /// The peer sent something that is no TLS; its first octets as text.
    case notTLS(received: String)
    case handshakeFailed(String)
    /// The peer's certificate was not believed: OpenSSL's reason.
    case untrusted(String)
    case handshakeTimeout
    /// The connection ended without close_notify: data may be missing at its end (RFC 8446 §6.1).
    case truncated
    /// A record was damaged or out of place after the handshake.
    case broken(String)
    /// More was written before the end of the handshake than is kept waiting.
    case tooMuchBeforeHandshake(limit: Int)
    /// None of the TLSA records can be used (RFC 7672 §2.1.1).
    case noUsableTLSA

    public var description: String {
        switch self {
        case .file(let path, let problem): "\(path): \(problem)"
        case .keyDoesNotMatch(let key, let certificate):
            "the private key \(key) does not belong to the certificate \(certificate): name the pair that was issued together, and the server's own certificate first in its file"
        case .configuration(let text): "TLS settings: \(text)"
        case .notTLS(let received): "the peer does not speak TLS here: it sent \(received.debugDescription)"
        case .handshakeFailed(let text): "TLS handshake failed: \(text)"
        case .untrusted(let text): "the peer's certificate is not trusted: \(text)"
        case .handshakeTimeout: "the TLS handshake did not finish in time"
        case .truncated: "the connection ended in the middle of TLS, without close_notify"
        case .broken(let text): "TLS connection broken: \(text)"
        case .tooMuchBeforeHandshake(let limit): "more than \(limit) octets were written before the TLS handshake ended"
        case .noUsableTLSA: "none of the TLSA records is usable"
        }
    }
}

/// What is wrong with a certificate that was not believed, as far as reports tell it apart (RFC 8460 §4.3.2).
public enum CertificateFault: Sendable, Hashable {
    /// It is for other names.
    case hostMismatch
    case expired
    /// None of the TLSA records matches (RFC 7672 §2.2).
    case noTLSAMatch
    /// Its issuer is not trusted, or whatever else.
    case untrusted
}

extension TLSError {
    /// nil for what is no verdict on a certificate.
    public var certificateFault: CertificateFault? {
        guard case .untrusted(let reason) = self else { return nil }
        func isReason(_ codes: Int32...) -> Bool { codes.contains { reason == String(cString: X509_verify_cert_error_string(Int($0))) } }
        if isReason(X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH) { return .hostMismatch }
        if isReason(X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_CERT_NOT_YET_VALID) { return .expired }
        return isReason(X509_V_ERR_DANE_NO_MATCH) ? .noTLSAMatch : .untrusted
    }
}
