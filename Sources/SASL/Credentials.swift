/// What a client logged in with (RFC 4616, or the LOGIN mechanism that every client has).
public struct Credentials: Sendable, Hashable {
    public let mechanism: String
    public let user: String
    public let password: String

    public init(mechanism: String, user: String, password: String) {
        self.mechanism = mechanism
        self.user = user
        self.password = password
    }
}
