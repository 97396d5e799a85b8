/// A password of one device, beside the account's own: it can be taken back alone, and its use is seen.
public struct AppPassword: Sendable, Hashable {
    /// The first group of the password, which stands in clear: it finds the hash and is no secret.
    public let id: String
    public let account: String
    /// What its owner calls it: `phone`.
    public let name: String
    /// Seconds since 1970.
    public let created: Int
    /// Seconds since 1970, to the minute; nil: never.
    public var lastUsed: Int?
    /// The address it was used from.
    public var lastClient: String?
    /// Seconds since 1970; nil while it holds.
    public var revoked: Int?

    public init(id: String, account: String, name: String, created: Int, lastUsed: Int? = nil, lastClient: String? = nil, revoked: Int? = nil) {
        self.id = id
        self.account = account
        self.name = name
        self.created = created
        self.lastUsed = lastUsed
        self.lastClient = lastClient
        self.revoked = revoked
    }

    /// Of one account.
    public static let limit = 100
    /// How long a revoked one is remembered, so that the log can name the device that still tries.
    static let mourning = 90 * 86_400
    /// Between two notes of its use: each is a write that waits for the disk.
    static let noteInterval = 60

    /// - Throws: ``AccountError/invalidDevice(_:)``.
    static func checked(_ name: String) throws(AccountError) -> String {
        let isPlain = name.unicodeScalars.allSatisfy { ![.control, .format, .lineSeparator, .paragraphSeparator].contains($0.properties.generalCategory) }
        guard !name.isEmpty, name.utf8.count <= 64, isPlain, name.first != " ", name.last != " " else { throw .invalidDevice(String(name.prefix(64))) }
        return name
    }
}

/// The text of an app password: five groups of four characters, `k3fp-9xqa-…`, each of 32 (5 bits) that are not taken for
/// one another. The first group finds it, the other 80 bits are the secret.
struct AppPasswordText: Sendable, Hashable {
    /// As it is shown, and as SCRAM keys are made of it.
    let text: String
    var id: String { String(text.prefix(4)) }

    /// 24 letters, without `l` and `o`, and 8 digits, without 0 and 1.
    private static let alphabet = Array("abcdefghijkmnpqrstuvwxyz23456789")

    /// Makes a new one, whose id nobody has.
    init(avoiding taken: Set<String> = []) {
        var text = ""
        repeat {
            var generator = SystemRandomNumberGenerator()
            let letters = (0..<20).map { _ in Self.alphabet[Int(generator.next(upperBound: UInt(Self.alphabet.count)))] }
            text = stride(from: 0, to: 20, by: 4).map { String(letters[$0..<$0 + 4]) }.joined(separator: "-")
        } while taken.contains(String(text.prefix(4)))
        self.text = text
    }

    /// What a person typed: case, spaces and hyphens do not matter. nil for what cannot be one.
    init?(typed: String) {
        guard typed.utf8.count <= 64 else { return nil }
        let letters = typed.lowercased().filter { $0 != "-" && $0 != " " }
        guard letters.count == 20, letters.allSatisfy({ Self.alphabet.contains($0) }) else { return nil }
        let all = Array(letters)
        text = stride(from: 0, to: 20, by: 4).map { String(all[$0..<$0 + 4]) }.joined(separator: "-")
    }
}
