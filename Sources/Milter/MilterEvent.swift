import InternetMessage
import NetworkAddress

/// The stages of a mail transaction in which a filter can speak, in protocol order. `accept`, `reject` and the
/// modifications mean the same at each as libmilter documents them.
public enum MilterStage: Int, Sendable, Hashable, CaseIterable, Comparable {
    /// At no fixed place: a command that the server does not know.
    case unknownCommand = -1
    case connect, helo, mail, rcpt, data, header, endOfHeaders, body, endOfMessage

    public static func < (a: MilterStage, b: MilterStage) -> Bool { a.rawValue < b.rawValue }
}

/// What a filter says at a stage.
public enum FilterAnswer: Sendable, Hashable {
    /// Go on.
    case `continue`
    /// This filter has seen enough: it is asked nothing more about this message (at `connect`/`helo`: this connection).
    /// Other filters in the chain still run.
    case accept
    /// Refuse permanently. At `rcpt`, this recipient only.
    case reject(SMTPReply)
    /// Refuse for now. At `rcpt`, this recipient only.
    case tempfail(SMTPReply)
    /// Tell the client the message was taken, and throw it away.
    case discard

    public static let reject = FilterAnswer.reject(SMTPReply(550, "5.7.1", "Command rejected"))
    public static let tempfail = FilterAnswer.tempfail(SMTPReply(451, "4.7.1", "Service unavailable - try again later"))

    /// With the message's id at the end of a refusal's text.
    public func naming(_ id: String) -> FilterAnswer {
        switch self {
        case .reject(let reply): .reject(reply.naming(id))
        case .tempfail(let reply): .tempfail(reply.naming(id))
        case .continue, .accept, .discard: self
        }
    }

    public var isNegative: Bool {
        switch self {
        case .reject, .tempfail, .discard: true
        case .continue, .accept: false
        }
    }
}

/// Facts about the client's connection, complete before the first event.
public struct ConnectionFacts: Sendable {
    /// nil for a UNIX-domain client or mail made locally.
    public var clientAddress: IPAddress?
    public var clientPort: UInt16?
    /// The verified reverse name (a PTR whose forward look-up leads back), or nil.
    public var clientName: String?
    /// The address and port the client reached.
    public var localAddress: IPAddress?
    public var localPort: UInt16?
    /// Which listener took it: `smtp`, `submission`, `submissions`, `milter`, `lmtp`, `local`.
    public var listener: String
    /// Postfix's `{daemon_name}`; `ORIGINATING` marks mail from our own users.
    public var daemonName: String
    /// Whether the client's address lies in the configured own networks.
    public var isOwnNetwork: Bool
    public var tls: TLSFacts?
    /// The authenticated account, `{auth_authen}`; nil when nobody logged in.
    public var authenticatedUser: String?
    /// The SASL mechanism, `{auth_type}`.
    public var authenticationMechanism: String?

    public init(clientAddress: IPAddress? = nil, clientPort: UInt16? = nil, clientName: String? = nil,
                localAddress: IPAddress? = nil, localPort: UInt16? = nil, listener: String, daemonName: String = "",
                isOwnNetwork: Bool = false, tls: TLSFacts? = nil, authenticatedUser: String? = nil,
                authenticationMechanism: String? = nil) {
        self.clientAddress = clientAddress
        self.clientPort = clientPort
        self.clientName = clientName
        self.localAddress = localAddress
        self.localPort = localPort
        self.listener = listener
        self.daemonName = daemonName
        self.isOwnNetwork = isOwnNetwork
        self.tls = tls
        self.authenticatedUser = authenticatedUser
        self.authenticationMechanism = authenticationMechanism
    }

    /// Whether this is our own mail going out, as an administrator of Postfix expects it to be told: somebody logged
    /// in, the daemon is named ORIGINATING and the client is one of ours, or the client is in the own networks.
    public var isOriginating: Bool { authenticatedUser != nil || isOwnNetwork }
}

/// A TLS session as Received headers and policy speak of it.
public struct TLSFacts: Sendable, Hashable {
    /// `TLSv1.3`
    public var version: String
    /// OpenSSL's name: `TLS_AES_256_GCM_SHA384`
    public var cipher: String
    public var cipherBits: Int
    /// The name the client asked for by SNI, if any.
    public var serverName: String?

    public init(version: String, cipher: String, cipherBits: Int, serverName: String? = nil) {
        self.version = version
        self.cipher = cipher
        self.cipherBits = cipherBits
        self.serverName = serverName
    }
}

/// One RCPT of a transaction.
public struct EnvelopeRecipient: Sendable, Hashable {
    public var address: EmailAddress
    /// The address before any alias or filter changed it: what the client said.
    public let original: EmailAddress
    /// ESMTP parameters as given: `NOTIFY=SUCCESS`, `ORCPT=rfc822;…` (keyword upper-case → value).
    public var parameters: [String: String]

    public init(_ address: EmailAddress, original: EmailAddress? = nil, parameters: [String: String] = [:]) {
        self.address = address
        self.original = original ?? address
        self.parameters = parameters
    }
}

/// The reverse path and its parameters.
public struct EnvelopeSender: Sendable, Hashable {
    /// nil is the null reverse-path `<>`.
    public var address: EmailAddress?
    public var parameters: [String: String]

    public init(_ address: EmailAddress?, parameters: [String: String] = [:]) {
        self.address = address
        self.parameters = parameters
    }
}
