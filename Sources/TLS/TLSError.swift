import COpenSSL

/// Why TLS could not be set up or broke off, in words for an operator.
public enum TLSError: Error, Hashable, CustomStringConvertible {
    /// A certificate or key file that cannot be used: which, why, what to do.
    case file(path: String, problem: String)
    case handshake(String)
    /// The peer's octets were no TLS record: a plain-text client on a TLS port.
    case notTLS
    case timedOut
    /// The connection ended in the middle of the handshake.
    case closedDuringHandshake
    case library(String)

    public var description: String {
        switch self {
        case .file(let path, let problem): "\(path): \(problem)"
        case .handshake(let why): "TLS handshake failed: \(why)"
        case .notTLS: "the peer does not speak TLS here"
        case .timedOut: "the TLS handshake took too long"
        case .closedDuringHandshake: "the peer closed the connection during the TLS handshake"
        case .library(let why): "OpenSSL: \(why)"
        }
    }

    /// OpenSSL's newest complaint on this thread; empties its queue.
    static func reason() -> String {
        let code = ERR_peek_last_error()
        ERR_clear_error()
        guard code != 0 else { return "no reason given" }
        return ERR_reason_error_string(code).map { String(cString: $0) } ?? "error \(code)"
    }
}
