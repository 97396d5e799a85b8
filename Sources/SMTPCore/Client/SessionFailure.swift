import InternetMessage

/// Why a session ended before its work was done.
public enum SessionFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// The server answered the greeting, EHLO or RSET with refusal.
    case refused(at: String, SMTPReply)
    /// 421 at any time (RFC 5321 §3.8).
    case shuttingDown(SMTPReply)
    case timedOut(at: String)
    case connectionLost(at: String)
    case protocolError(at: String, String)
    case tlsNotOffered
    case tlsRefused(SMTPReply)
    /// The handshake failed; OpenSSL's words.
    case tlsFailed(String)
    /// The certificate was not believed; why, in words.
    case untrusted(UntrustedCertificate, String)
    /// No AUTH mechanism of ours, or no TLS to send a password through.
    case authenticationUnavailable(String)
    case authenticationRefused(SMTPReply)
    /// The message could not be read from its source.
    case contentUnavailable(String)

    public var description: String {
        switch self {
        case .refused(let stage, let reply): "the server refused at \(stage): \(reply)"
        case .shuttingDown(let reply): "the server closes the connection: \(reply)"
        case .timedOut(let stage): "timed out while waiting for \(stage)"
        case .connectionLost(let stage): "lost connection while waiting for \(stage)"
        case .protocolError(let stage, let what): "protocol error at \(stage): \(what)"
        case .tlsNotOffered: "TLS is required, but the server does not offer STARTTLS"
        case .tlsRefused(let reply): "TLS is required, but the server refused STARTTLS: \(reply)"
        case .tlsFailed(let why): "TLS failed: \(why)"
        case .untrusted(_, let why): "TLS failed: \(why)"
        case .authenticationUnavailable(let why): "cannot log in: \(why)"
        case .authenticationRefused(let reply): "the server refused the log-in: \(reply)"
        case .contentUnavailable(let why): "the message could not be read: \(why)"
        }
    }

    /// The enhanced status code that tells this in a status notification; always temporary (RFC 3463 §3.5, §3.8).
    public var status: String {
        switch self {
        case .refused(_, let reply), .shuttingDown(let reply): reply.isTransient ? reply.enhancedCode ?? "4.3.2" : "4.3.0"
        case .timedOut, .connectionLost: "4.4.2"
        case .protocolError: "4.5.0"
        case .tlsNotOffered, .tlsRefused, .tlsFailed, .untrusted: "4.7.5"
        case .authenticationUnavailable, .authenticationRefused: "4.7.0"
        case .contentUnavailable: "4.3.0"
        }
    }

    /// The server's reply, if it was one.
    public var reply: SMTPReply? {
        switch self {
        case .refused(_, let reply), .shuttingDown(let reply), .tlsRefused(let reply), .authenticationRefused(let reply): reply
        default: nil
        }
    }

    /// Whether TLS did not come about as demanded: the administrator of one side must act, the recipient is not concerned.
    public var isTLS: Bool {
        switch self {
        case .tlsNotOffered, .tlsRefused, .tlsFailed, .untrusted: true
        default: false
        }
    }
}

/// What is wrong with a certificate, as far as reports tell it apart (RFC 8460 §4.3.2).
public enum UntrustedCertificate: Sendable, Hashable {
    case hostMismatch, expired, noTLSAMatch, untrusted
}
