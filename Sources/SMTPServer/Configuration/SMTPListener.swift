import LocalSocket
import SMTPCore

/// One place to accept connections at, and what is demanded there.
public struct SMTPListener: Sendable, Hashable {
    /// `smtp`, `submission`, `submissions`: for logs, filters and policy.
    public var name: String
    /// An address or a host name of this machine; `::` is all addresses, IPv4's among them.
    public var host: String
    /// 0 lets the system choose.
    public var port: Int
    /// TLS from the first octet on (RFC 8314 §3.3).
    public var implicitTLS: Bool
    /// No mail on clear text.
    public var requiresTLS: Bool
    public var offersAuthentication: Bool
    public var requiresAuthentication: Bool
    public var speaks = ServerProtocol.smtp
    /// Listen on this socket in place of ``host`` and ``port``.
    public var unixSocket: UnixSocket?

    public init(name: String, host: String, port: Int, implicitTLS: Bool = false, requiresTLS: Bool = false,
                offersAuthentication: Bool = false, requiresAuthentication: Bool = false) {
        self.name = name
        self.host = host
        self.port = port
        self.implicitTLS = implicitTLS
        self.requiresTLS = requiresTLS
        self.offersAuthentication = offersAuthentication
        self.requiresAuthentication = requiresAuthentication
    }

    /// Mail from other servers (RFC 5321): no authentication, TLS when the client wants it.
    public static func smtp(host: String = "::", port: Int = 25) -> SMTPListener { SMTPListener(name: "smtp", host: host, port: port) }

    /// Mail from own users, STARTTLS and AUTH demanded (RFC 6409).
    public static func submission(host: String = "::", port: Int = 587) -> SMTPListener {
        SMTPListener(name: "submission", host: host, port: port, requiresTLS: true, offersAuthentication: true, requiresAuthentication: true)
    }

    /// The same over implicit TLS (RFC 8314).
    public static func submissions(host: String = "::", port: Int = 465) -> SMTPListener {
        SMTPListener(name: "submissions", host: host, port: port, implicitTLS: true, requiresTLS: true, offersAuthentication: true,
                     requiresAuthentication: true)
    }

    /// Final delivery for another MTA (RFC 2033): own recipients only, nobody logs in.
    public static func lmtp(host: String, port: Int) -> SMTPListener {
        var out = SMTPListener(name: "lmtp", host: host, port: port)
        out.speaks = .lmtp
        return out
    }

    public static func lmtp(_ socket: UnixSocket) -> SMTPListener {
        var out = lmtp(host: socket.path, port: 0)
        out.unixSocket = socket
        return out
    }
}
