import InternetMessage

/// What a server keeps of a password for SCRAM-SHA-256 (RFC 5802 §3, RFC 7677): enough to check a log-in and to prove
/// itself, not enough to log in elsewhere.
public struct SCRAMKeys: Sendable, Hashable {
    public let iterations: Int
    public let salt: [UInt8]
    /// H(ClientKey)
    public let storedKey: [UInt8]
    public let serverKey: [UInt8]

    /// What stands for one password.
    public struct Pair: Sendable, Hashable {
        public let storedKey: [UInt8]
        public let serverKey: [UInt8]

        public init(storedKey: [UInt8], serverKey: [UInt8]) {
            self.storedKey = storedKey
            self.serverKey = serverKey
        }
    }
    /// Other passwords of the same account, derived with the same salt and iterations: the challenge goes out before the
    /// client shows which one it has.
    public var others: [Pair] = []
    public var pair: Pair { Pair(storedKey: storedKey, serverKey: serverKey) }

    /// More than RFC 7677 §4's least of 4096, since these keys stand beside a hash that is much dearer to try.
    public static let defaultIterations = 100_000
    static let saltLength = 16

    public init(iterations: Int, salt: [UInt8], storedKey: [UInt8], serverKey: [UInt8]) {
        self.iterations = iterations
        self.salt = salt
        self.storedKey = storedKey
        self.serverKey = serverKey
    }

    /// Derives the keys (RFC 5802 §3). Tens of milliseconds on purpose: blocks.
    /// - Parameter password: prepared already.
    /// - Returns: nil only when the C library fails.
    public static func derive(from password: String, salt: [UInt8]? = nil, iterations: Int = defaultIterations) -> SCRAMKeys? {
        var generator = SystemRandomNumberGenerator()
        let salt = salt ?? (0..<saltLength).map { _ in UInt8.random(in: 0...255, using: &generator) }
        guard let salted = SCRAMDigest.saltedPassword(Array(password.utf8), salt: salt, iterations: iterations),
            let clientKey = SCRAMDigest.hmac(salted, Array("Client Key".utf8)), let storedKey = SCRAMDigest.hash(clientKey),
            let serverKey = SCRAMDigest.hmac(salted, Array("Server Key".utf8)) else { return nil }
        return SCRAMKeys(iterations: iterations, salt: salt, storedKey: storedKey, serverKey: serverKey)
    }

    /// Keys that nothing fits, for a user who does not exist: the same user gets the same salt each time, so that a
    /// stranger cannot tell (RFC 5802 §9's advice against telling users apart).
    /// - Parameter secret: of this process.
    public static func decoy(for user: String, secret: [UInt8], iterations: Int = defaultIterations) -> SCRAMKeys {
        let seed = SCRAMDigest.hmac(secret, Array(user.utf8)) ?? secret
        return SCRAMKeys(iterations: iterations, salt: Array(seed.prefix(saltLength)), storedKey: [], serverKey: [])
    }

    /// Takes the same time wherever they differ.
    public static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool { SCRAMDigest.areEqual(left, right) }

    // MARK: The text that is stored

    /// RFC 5803's form: `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`.
    public var text: String {
        "SCRAM-SHA-256$\(iterations):\(Base64.encode(salt))$\(Base64.encode(storedKey)):\(Base64.encode(serverKey))"
    }

    public init?(_ text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "SCRAM-SHA-256" else { return nil }
        let cost = parts[1].split(separator: ":"), keys = parts[2].split(separator: ":")
        guard cost.count == 2, keys.count == 2, let iterations = Int(cost[0]), iterations > 0, let salt = Base64.decodeStrictly(Array(cost[1].utf8)),
            let storedKey = Base64.decodeStrictly(Array(keys[0].utf8)), let serverKey = Base64.decodeStrictly(Array(keys[1].utf8)),
            storedKey.count == SCRAMDigest.length, serverKey.count == SCRAMDigest.length else { return nil }
        self.init(iterations: iterations, salt: salt, storedKey: storedKey, serverKey: serverKey)
    }
}
