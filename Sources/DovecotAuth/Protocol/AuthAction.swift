import NetworkAddress
import SASL

/// What the shell around an ``AuthServerMachine`` has to do, in order.
public enum AuthAction: Sendable, Hashable {
    /// One line, its LF not yet there.
    case send(String)
    /// Find this out, then call ``AuthServerMachine/answer(_:_:)`` with the same number.
    case ask(UInt32, AuthQuestion)
    /// A SCRAM exchange has its end, with the key that the proof fitted; nil: with a guess that counts.
    case noteProof(user: String, client: IPAddress?, provenKey: [UInt8]?)
    /// For the log: a log-in failed for good.
    case logFailure(AuthFailure)
    /// Close; why, for the log.
    case close(String)
}

public enum AuthQuestion: Sendable, Hashable {
    case password(Credentials, client: IPAddress?)
    case scramKeys(user: String, client: IPAddress?)
}

public enum AuthAnswer: Sendable, Hashable {
    /// Right; the account's name.
    case accepted(String)
    case refused
    /// The keys to challenge with; nobody's when there is no name.
    case keys(SCRAMKeys, account: String?)
    /// It cannot be found out now.
    case unavailable(String)
}

/// What the log says of a failed log-in.
public struct AuthFailure: Sendable, Hashable {
    public let client: String?
    public let service: String
    public let mechanism: String
    public let reason: String
}
