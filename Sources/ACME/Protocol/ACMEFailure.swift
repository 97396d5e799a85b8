/// Why there is no certificate.
public struct ACMEFailure: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Kind: String, Sendable, Hashable, Codable {
        /// The authority cannot be reached, or its answer breaks off.
        case unreachable
        /// The authority asks for patience (RFC 8555 §6.6).
        case rateLimited
        /// A challenge was not answered as the authority saw it.
        case challenge
        /// The authority refuses the names, the account or the request.
        case refused
        /// An answer that no RFC foresees.
        case `protocol`
        /// Something of this machine: a key, a file, a port.
        case local
        /// It took too long.
        case timedOut
    }

    public let kind: Kind
    public let text: String
    /// Seconds that the authority asks to be left alone.
    public let retryAfter: Int?

    public init(_ kind: Kind, _ text: String, retryAfter: Int? = nil) {
        self.kind = kind
        self.text = text
        self.retryAfter = retryAfter
    }

    public var description: String { text + (retryAfter.map { " (not again for \($0) s)" } ?? "") }
}
