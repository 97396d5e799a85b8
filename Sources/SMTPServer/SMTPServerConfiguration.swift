import InternetMessage
import NetworkAddress

/// Where and how to listen for SMTP.
public struct SMTPServerConfiguration: Sendable {
    /// One port with its rules.
    public struct Listener: Sendable, Hashable {
        public enum Kind: String, Sendable, Hashable {
            /// Mail from other servers (port 25).
            case smtp
            /// Our users, STARTTLS and AUTH demanded (port 587, RFC 6409).
            case submission
            /// Our users, TLS from the first octet (port 465, RFC 8314).
            case submissions
        }
        public var kind: Kind
        /// nil: every address, IPv4 and IPv6.
        public var host: IPAddress?
        /// 0: any free port.
        public var port: Int

        public init(_ kind: Kind, host: IPAddress?, port: Int) {
            self.kind = kind
            self.host = host
            self.port = port
        }
    }

    public var listeners: [Listener]
    public var hostname: String
    public var messageSizeLimit = 10_240_000
    public var recipientLimit = 1000
    /// Clients that may send elsewhere without a log-in.
    public var ownNetworks: [IPNetwork] = []
    /// Characters that separate an address from its tag.
    public var recipientDelimiter = "+"
    /// How long a client may keep silent.
    public var timeout: Duration = .seconds(300)
    /// Connections at once, in all and from one address; 0: no limit.
    public var connectionLimit = 1000
    public var clientConnectionLimit = 50
    /// Where bodies go that are larger than ``memoryLimit`` octets.
    public var spoolFolder: String
    public var memoryLimit = 512 << 10
    /// Whether Received names the account that logged in.
    public var showsAuthenticatedUser = false

    public init(listeners: [Listener], hostname: String, spoolFolder: String) {
        self.listeners = listeners
        self.hostname = hostname
        self.spoolFolder = spoolFolder
    }
}

/// Says whose an address is.
public protocol RecipientDirectory: Sendable {
    func standing(of address: EmailAddress) async -> RecipientStanding
}

public enum RecipientStanding: Sendable, Hashable {
    /// Delivered here.
    case local
    /// Another domain's: only for those who may relay.
    case relay
    /// In a domain of ours, but nobody's.
    case unknown
    /// Cannot be told now; why, for the log.
    case unavailable(String)
}
