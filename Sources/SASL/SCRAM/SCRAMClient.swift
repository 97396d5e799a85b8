import InternetMessage

/// The client's side of SCRAM-SHA-256 (RFC 5802 §5, RFC 7677) without channel binding. Messages are octets, not base64.
public struct SCRAMClient: Sendable, Hashable {
    private let password: String
    private let bare: String
    private let nonce: String
    /// server-first-message, once it has come.
    public var challenge: [UInt8] = []
    private var serverSignature: [UInt8]?

    /// Rounds of the hash that a server may ask for: no server may keep us busy for minutes.
    public static let iterationLimit = 1_000_000
    /// RFC 7677 §4.
    private static let leastIterations = 4096

    /// - Parameter nonce: printable and without comma; drawn by chance unless a test gives it.
    public init(user: String, password: String, nonce: String? = nil) {
        self.password = password
        self.nonce = nonce ?? Base64.encode((0..<18).map { _ in UInt8.random(in: 0...255) })
        bare = "n=\(user.replacing("=", with: "=3D").replacing(",", with: "=2C")),r=\(self.nonce)"
    }

    /// client-first-message; `n`: no channel binding.
    public var first: [UInt8] { Array("n,,\(bare)".utf8) }

    /// Answers the challenge: client-final-message, or nil when the challenge is none, weaker than RFC 7677 allows, or asks
    /// for too much. Tens of milliseconds and more, on purpose.
    public func proved() -> (SCRAMClient, [UInt8]?) {
        guard let text = String(validating: challenge, as: UTF8.self) else { return (self, nil) }
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[0].hasPrefix("r=\(nonce)"), parts[0].count > nonce.count + 2, parts[1].hasPrefix("s="), parts[2].hasPrefix("i="),
            let salt = Base64.decodeStrictly(Array(parts[1].dropFirst(2).utf8)), let rounds = Int(parts[2].dropFirst(2)),
            (Self.leastIterations...Self.iterationLimit).contains(rounds),
            let salted = SCRAMDigest.saltedPassword(Array(password.utf8), salt: salt, iterations: rounds) else { return (self, nil) }
        // c=biws: base64 of `n,,`.
        let withoutProof = "c=biws,\(parts[0])"
        let message = Array("\(bare),\(text),\(withoutProof)".utf8)
        guard let clientKey = SCRAMDigest.hmac(salted, Array("Client Key".utf8)), let storedKey = SCRAMDigest.hash(clientKey),
            let signature = SCRAMDigest.hmac(storedKey, message), let serverKey = SCRAMDigest.hmac(salted, Array("Server Key".utf8)),
            let theirs = SCRAMDigest.hmac(serverKey, message) else { return (self, nil) }
        var out = self
        out.serverSignature = theirs
        return (out, Array("\(withoutProof),p=\(Base64.encode(zip(clientKey, signature).map { $0 ^ $1 }))".utf8))
    }

    /// Whether server-final-message proves that the server knows the password's keys.
    public func accepts(_ final: [UInt8]) -> Bool {
        guard let serverSignature, let text = String(validating: final, as: UTF8.self), text.hasPrefix("v="),
            let given = Base64.decodeStrictly(Array(text.dropFirst(2).prefix { $0 != "," }.utf8)) else { return false }
        return SCRAMDigest.areEqual(given, serverSignature)
    }
}
