import NIOCore

/// How one IMAP listener behaves.
public struct IMAPServerConfiguration: Sendable {
    /// An address or name to listen on.
    public var host: String
    /// 0 takes a free port.
    public var port: Int
    /// TLS from the first octet (port 993, RFC 8314 §3.2), rather than STARTTLS.
    public var implicitTLS: Bool
    /// Whether clients on the same machine may log in without TLS.
    public var allowPlaintextLoginOnLoopback: Bool
    /// Between the levels of folder names, as clients see them: `/` or `.`.
    public var hierarchySeparator: Character = "/"
    /// What the greeting calls the server.
    public var serverName: String
    /// RFC 3501 §5.4: not less than 30 minutes.
    public var idleTimeout: TimeAmount
    /// A connection that has not logged in by then is closed.
    public var logInTimeout: TimeAmount
    /// A client that does not read what it asked for is cut off after this time.
    public var writeTimeout: TimeAmount
    /// How often IDLE looks for what other programs changed; this process's own deliveries are told at once.
    public var pollInterval: TimeAmount
    /// How often a client hears that a long search is still at work (RFC 9585).
    public var progressInterval: Duration
    /// Seconds after which a context asks again how old messages are (RFC 5267 with OLDER and YOUNGER, RFC 5032).
    public var contextInterval: Int64 = 60
    /// Header fields and contents that one change may make a context read. Where it would be more, the context ends.
    public var contextReadLimit = 5_000
    public var maximumConnections: Int
    public var maximumConnectionsPerClient: Int
    /// Octets of a message that APPEND takes.
    public var maximumMessageSize: Int
    public var maximumFailedLogIns: Int

    public init(
        host: String, port: Int, implicitTLS: Bool = false, allowPlaintextLoginOnLoopback: Bool = false, serverName: String = "localhost",
        idleTimeout: TimeAmount = .minutes(30), logInTimeout: TimeAmount = .minutes(1), writeTimeout: TimeAmount = .minutes(2),
        pollInterval: TimeAmount = .seconds(10), progressInterval: Duration = .seconds(10), maximumConnections: Int = 1000, maximumConnectionsPerClient: Int = 50,
        maximumMessageSize: Int = 50 << 20, maximumFailedLogIns: Int = 3
    ) {
        self.host = host
        self.port = port
        self.implicitTLS = implicitTLS
        self.allowPlaintextLoginOnLoopback = allowPlaintextLoginOnLoopback
        self.serverName = serverName
        self.idleTimeout = idleTimeout
        self.logInTimeout = logInTimeout
        self.writeTimeout = writeTimeout
        self.pollInterval = pollInterval
        self.progressInterval = progressInterval
        self.maximumConnections = maximumConnections
        self.maximumConnectionsPerClient = maximumConnectionsPerClient
        self.maximumMessageSize = maximumMessageSize
        self.maximumFailedLogIns = maximumFailedLogIns
    }
}
