import InternetMessage
import NetworkAddress

/// What an attempt at one destination ended with, in the order of the recipients asked for.
public struct DeliveryReport: Sendable {
    public let results: [RecipientResult]

    public init(results: [RecipientResult]) { self.results = results }
}

/// One recipient's result.
public struct RecipientResult: Sendable, Hashable {
    public enum Kind: Sendable, Hashable { case delivered, temporary, permanent }
    /// On what the result rests: the administrator looks elsewhere for each.
    public enum Cause: String, Sendable, Hashable {
        /// The server's own word.
        case reply
        /// No connection, or it broke.
        case connection
        /// STARTTLS, the handshake or the certificate failed what was demanded.
        case tls
        case dns
        /// The message does not fit the server, or our settings say so.
        case here
    }
    public let kind: Kind
    public let cause: Cause
    /// RFC 3463's code; from the reply if it had one.
    public let status: String
    /// For people and logs: the server's reply or our finding.
    public let text: String
    /// The server's reply, nil when the finding is ours.
    public let reply: SMTPReply?
    /// The server that spoke, or was tried last; nil when there was none.
    public let server: ServerFacts?
    /// The server took over the duty to notify (RFC 3461 §5.2.2); only of what it accepted.
    public let serverNotifies: Bool

    public init(_ kind: Kind, status: String, text: String, reply: SMTPReply? = nil, server: ServerFacts? = nil, serverNotifies: Bool = false,
                cause: Cause? = nil) {
        self.kind = kind
        self.cause = cause ?? (reply == nil ? .here : .reply)
        self.status = status
        self.text = text
        self.reply = reply
        self.server = server
        self.serverNotifies = serverNotifies
    }
}

/// Which server it was and how it was reached.
public struct ServerFacts: Sendable, Hashable, CustomStringConvertible {
    /// The MX or host name; an address literal or a socket's path when there is no name.
    public let name: String
    /// nil for a socket of this machine.
    public let address: IPAddress?
    public let port: Int
    /// `TLSv1.3 with cipher …`, nil in clear.
    public var tls: String?

    public init(name: String, address: IPAddress?, port: Int, tls: String? = nil) {
        self.name = name
        self.address = address
        self.port = port
        self.tls = tls
    }

    public var description: String { address.map { "\(name)[\($0)]:\(port)" } ?? name }
}
