/// How control of a name is shown.
public enum ChallengeKind: String, CaseIterable, Sendable, Codable {
    /// A file by HTTP on port 80 (RFC 8555 §8.3).
    case http01 = "http-01"
    /// A certificate by TLS on port 443 (RFC 8737).
    case tlsALPN01 = "tls-alpn-01"
}

/// What is to be shown while the authority looks.
public struct ACMEChallenge: Sendable, Hashable {
    public let kind: ChallengeKind
    /// The name that is looked at.
    public let name: String
    /// What the path ends in, with http-01.
    public let token: String
    /// The file's text; its digest stands in the certificate with tls-alpn-01 (RFC 8555 §8.1).
    public let keyAuthorization: String

    /// SHA-256 of the key authorisation.
    public var digest: [UInt8] { Digest.sha256(Array(keyAuthorization.utf8)) }
}

/// A request to the authority.
public struct ACMERequest: Sendable, Hashable {
    public enum Method: String, Sendable { case get = "GET", head = "HEAD", post = "POST" }
    public let method: Method
    public let url: String
    /// JSON (`application/jose+json`); empty unless it is a POST.
    public let body: String
    /// Whether a certificate is expected, not JSON.
    public var wantsCertificate = false
}

/// The authority's answer.
public struct ACMEAnswer: Sendable, Hashable {
    public let status: Int
    /// By name in lower case.
    public let headers: [String: String]
    public let body: [UInt8]

    public init(status: Int, headers: [String: String] = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// What the session wants done next.
public enum ACMEAction: Sendable, Hashable {
    case send(ACMERequest)
    /// Show this, then go on.
    case present(ACMEChallenge)
    /// Go on after so many seconds.
    case wait(Int)
    /// The end: the chain in PEM form, the server's own certificate first.
    case finished(chainPEM: String)
    case failed(ACMEFailure)
}

/// What came of it.
public enum ACMEEvent: Sendable, Hashable {
    case start
    case answer(ACMEAnswer)
    case presented
    case waited
    /// The authority could not be reached, or the challenge not be shown.
    case failed(ACMEFailure)
}
