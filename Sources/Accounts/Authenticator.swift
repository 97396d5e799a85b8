import NetworkAddress
import SASL

public enum AuthenticationOutcome: Sendable, Hashable {
    case success(Account)
    /// Unknown user or wrong password: nobody learns which.
    case failure
    /// It could not be found out now; the text is for the log and for a temporary reply.
    case unavailable(String)
}

/// Who checks passwords. Servers know only this.
public protocol Authenticator: Sendable {
    /// - Parameter client: who asks, so that guessing can be slowed; nil for a local socket.
    func authenticate(user: String, password: String, client: IPAddress?) async -> AuthenticationOutcome
}

/// What a server needs to know for a SCRAM log-in.
public enum SCRAMLookup: Sendable, Hashable {
    /// The keys to challenge with; no account means that nothing will fit them.
    case keys(SCRAMKeys, Account?)
    case unavailable(String)
}

/// Who keeps SCRAM keys.
public protocol SCRAMAuthenticator: Authenticator {
    /// Whether SCRAM may be offered: a client that sees it takes it and does not try another mechanism after it, so it is
    /// offered only while every account has keys. Does not block.
    var offersSCRAM: Bool { get }
    /// - Parameter client: as in ``Authenticator/authenticate(user:password:client:)``; who has failed before waits.
    func scramKeys(of user: String, client: IPAddress?) async -> SCRAMLookup
    /// An exchange has its end. Does not block.
    /// - Parameter provenKey: ``SCRAMExchange/provenKey``; nil for a proof that did not fit: a guess that counts like a
    ///   wrong password.
    func scramEnded(user: String, client: IPAddress?, provenKey: [UInt8]?)
}

extension SCRAMAuthenticator {
    public var offersSCRAM: Bool { true }
}
