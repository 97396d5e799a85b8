import Foundation
import NetworkAddress

/// How the milter listener behaves.
public struct MilterServerConfiguration: Sendable {
    /// Where to listen, in libmilter's syntax (`inet:12301@localhost`, `inet6:12301@::1`, `unix:/run/postern/milter`)
    /// or as Postfix's main.cf writes it (`inet:localhost:12301`).
    public var socket: String
    /// Permission bits of a UNIX socket; who connects needs the right to write (unix(7)).
    public var socketMode: mode_t = 0o660
    /// The group a UNIX socket is given to; nil leaves ours.
    public var socketGroup: gid_t?
    /// Clients whose mail is our own.
    public var ownNetworks: [IPNetwork]
    /// Values of `{daemon_name}` that an MTA gives to mail from its own users. Each is reported to the filters as
    /// `ORIGINATING`, so that rules know one word. The name alone never makes a client ours: see ``ClientFacts``.
    public var originatingDaemonNames: Set<String>
    /// Octets of header and body that a message may have; more is refused with 552.
    public var messageSizeLimit: Int
    /// Octets of body kept in memory; a larger body goes to the spool folder.
    public var memoryLimit: Int
    /// Existing folder for large bodies.
    public var spoolFolder: String
    /// How long the filters may think at each stage before the message's end. Postfix gives up after its
    /// `milter_command_timeout`, 30 s.
    public var commandTimeout: Duration
    /// How long they may think at end of message. Postfix gives up after its `milter_content_timeout`, 300 s.
    public var contentTimeout: Duration
    /// How often the MTA is told, at end of message, that we are still at it.
    public var progressInterval: Duration
    /// How long libmilter waits for the MTA's next command, in seconds.
    public var connectionTimeout: Int

    public init(socket: String = "inet:localhost:12301", ownNetworks: [IPNetwork] = [],
                originatingDaemonNames: Set<String> = ["ORIGINATING"], messageSizeLimit: Int = 64 << 20,
                memoryLimit: Int = 256 << 10, spoolFolder: String = "/tmp", commandTimeout: Duration = .seconds(25),
                contentTimeout: Duration = .seconds(270), progressInterval: Duration = .seconds(10),
                connectionTimeout: Int = 7210) {
        self.socket = socket
        self.ownNetworks = ownNetworks
        self.originatingDaemonNames = originatingDaemonNames
        self.messageSizeLimit = messageSizeLimit
        self.memoryLimit = memoryLimit
        self.spoolFolder = spoolFolder
        self.commandTimeout = commandTimeout
        self.contentTimeout = contentTimeout
        self.progressInterval = progressInterval
        self.connectionTimeout = connectionTimeout
    }
}

extension MilterServerConfiguration {
    /// Whether ``socket`` could be read: the address itself is tried at ``MilterServer/bind()`` only.
    public static func canListen(on socket: String) -> Bool { (try? MilterSocket(socket)) != nil }

    public var isUnixSocket: Bool { if case .unix? = try? MilterSocket(socket) { true } else { false } }
}

/// Why the milter listener did not start. Each text says what to do.
public enum MilterServerError: Error, Equatable, CustomStringConvertible {
    /// The specification cannot be read.
    case badSocket(String, reason: String)
    /// The address cannot be bound.
    case cannotListen(String, reason: String)
    /// libmilter serves once in the life of a process.
    case alreadyStarted
    /// libmilter refused the registration.
    case registrationFailed

    public var description: String {
        switch self {
        case .badSocket(let spec, let reason):
            "milter socket '\(spec)': \(reason); write inet:PORT@HOST, inet:HOST:PORT, inet6:PORT@HOST or unix:/absolute/path"
        case .cannotListen(let spec, let reason): "milter socket '\(spec)': cannot listen: \(reason)"
        case .alreadyStarted: "the milter listener was already started in this process; restart the process to start it again"
        case .registrationFailed: "libmilter refused the filter's registration; check that libmilter1.0.1 is installed"
        }
    }
}
