import NetworkAddress

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
