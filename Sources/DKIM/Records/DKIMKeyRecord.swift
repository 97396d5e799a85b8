import InternetMessage

/// A DKIM key record: the TXT text at `selector._domainkey.domain` (RFC 6376 §3.6.1, RFC 8463 §4).
public struct DKIMKeyRecord: Sendable, Hashable {
    public enum KeyType: String, Sendable, Hashable {
        case rsa
        case ed25519
    }

    /// Why a text is no key record that can be used.
    public enum Failure: Error, Sendable, Hashable, CustomStringConvertible {
        case malformed(String)
        case version(String)
        case unknownKeyType(String)
        case missingKey
        case malformedKey(String)

        public var description: String {
            switch self {
            case .malformed(let why): "key record: \(why)"
            case .version(let text): "key record: v=\(text) is not DKIM1, or v= is not the first tag (RFC 6376 §3.6.1)"
            case .unknownKeyType(let text): "key record: unknown key type k=\(text) (RFC 6376 §3.6.1)"
            case .missingKey: "key record: p= is missing (RFC 6376 §3.6.1)"
            case .malformedKey(let why): "key record: p= is \(why) (RFC 6376 §3.6.1, RFC 8463 §4)"
            }
        }
    }

    /// k=; `rsa` when absent.
    public let keyType: KeyType
    /// p= decoded: a SubjectPublicKeyInfo for RSA (a bare RSAPublicKey is wrapped), 32 octets for Ed25519; empty when the key is revoked.
    public let publicKey: [UInt8]
    /// Bits of the RSA modulus; 256 for Ed25519; 0 when revoked.
    public let keyBits: Int
    /// h=: hash algorithms that the key may be used with; nil means all.
    public let hashes: [String]?
    /// s=: service types; `*` when absent.
    public let services: [String]
    /// t=: flags, as `y` (testing) and `s` (i= must not be a subdomain).
    public let flags: [String]
    /// n=: notes for people, as written.
    public let notes: String?

    /// p= is empty: the key was withdrawn.
    public var isRevoked: Bool { publicKey.isEmpty }
    /// t=y: the domain is testing; failures must not be held against it.
    public var isTesting: Bool { flags.contains("y") }
    /// t=s: i= must be in d= itself.
    public var forbidsSubdomains: Bool { flags.contains("s") }
    /// Whether s= lets the key sign mail.
    public var isForEmail: Bool { services.contains { $0 == "*" || $0.lowercased() == "email" } }
    /// Whether h= allows SHA-256.
    public var allowsSHA256: Bool { hashes?.contains { $0.lowercased() == "sha256" } ?? true }

    /// Parses a record's joined text.
    public init(parsing text: some Collection<UInt8>) throws(Failure) {
        let tags: TagList
        do { tags = try TagList(parsing: text) } catch { throw .malformed(error.description) }
        // §3.6.1: v= is optional but, if there, comes first and is exactly DKIM1.
        if let version = tags["v"], version != "DKIM1" || tags.tags.first?.name != "v" { throw .version(version) }
        let typeText = tags["k"] ?? "rsa"
        guard let type = KeyType(rawValue: typeText.lowercased()) else { throw .unknownKeyType(typeText) }
        guard let encoded = tags.compact("p") else { throw .missingKey }
        (publicKey, keyBits) = try Self.key(encoded, type)
        keyType = type
        hashes = tags.items("h")
        services = tags.items("s") ?? ["*"]
        flags = tags.items("t") ?? []
        notes = tags["n"]
    }

    private static func key(_ encoded: String, _ type: KeyType) throws(Failure) -> (key: [UInt8], bits: Int) {
        if encoded.isEmpty { return ([], 0) }
        guard let octets = Base64.decodeStrictly(encoded.utf8), !octets.isEmpty else { throw .malformedKey("not base64") }
        switch type {
        case .rsa:
            guard let info = RSAPublicKeyInfo(der: octets) else { throw .malformedKey("not an RSA public key") }
            return (info.subjectPublicKeyInfo, info.modulusBits)
        case .ed25519:
            guard octets.count == 32 else { throw .malformedKey("\(octets.count) octets where Ed25519 has 32") }
            return (octets, 256)
        }
    }
}
