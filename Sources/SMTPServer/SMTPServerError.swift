import LocalSocket
import NIOCore

/// Why the server cannot start.
public enum SMTPServerError: Error, Sendable, Hashable, CustomStringConvertible {
    case portInUse(listener: String, host: String, port: Int)
    case notAllowed(listener: String, host: String, port: Int)
    case cannotListen(listener: String, host: String, port: Int, reason: String)
    case needsCertificate(listener: String)
    case socket(listener: String, UnixSocketError)

    public var description: String {
        switch self {
        case .portInUse(let listener, let host, let port):
            "listener '\(listener)': port \(port) on \(host) is in use by another program; 'ss -ltnp sport = :\(port)' names it"
        case .notAllowed(let listener, let host, let port):
            "listener '\(listener)': this user may not listen on port \(port) of \(host); ports below 1024 need CAP_NET_BIND_SERVICE"
        case .cannotListen(let listener, let host, let port, let reason):
            "listener '\(listener)': cannot listen on \(host) port \(port): \(reason)"
        case .needsCertificate(let listener):
            "listener '\(listener)' demands TLS, and there is no certificate"
        case .socket(let listener, let error): "listener '\(listener)': \(error)"
        }
    }

    /// From what binding a listener, of this server or of another, failed with.
    public init(_ error: any Error, _ listener: SMTPListener) {
        let code = (error as? IOError)?.errnoCode
        switch code {
        case 98: self = .portInUse(listener: listener.name, host: listener.host, port: listener.port)
        case 13: self = .notAllowed(listener: listener.name, host: listener.host, port: listener.port)
        default: self = .cannotListen(listener: listener.name, host: listener.host, port: listener.port, reason: "\(error)")
        }
    }
}
