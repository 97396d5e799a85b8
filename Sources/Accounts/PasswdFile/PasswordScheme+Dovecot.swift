import CCrypt
import InternetMessage
import SASL

/// Reading `{SCHEME}hash`, `{SCHEME.b64}hash` and `{SCHEME.hex}hash`.
extension PasswordScheme {
    /// Why a password field is none, in words for an administrator. Never holds the field.
    struct Fault: Error { let text: String }

    static let supported = "PLAIN, CRYPT, SHA256-CRYPT, SHA512-CRYPT, BLF-CRYPT, MD5-CRYPT, DES-CRYPT, SHA, SHA256, SHA512, SSHA, SSHA256, SSHA512, SCRAM-SHA-256"

    /// - Parameter field: the second field of a passwd-file; without a prefix it is `{CRYPT}`, Dovecot's default there.
    /// - Throws: ``Fault``.
    init(dovecot field: String) throws(Fault) {
        guard !field.isEmpty else {
            self = .locked
            return
        }
        guard field.hasPrefix("{"), let close = field.firstIndex(of: "}") else {
            self = try Self.crypt(field, named: "CRYPT")
            return
        }
        let words = field[field.index(after: field.startIndex)..<close].uppercased().split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        let value = String(field[field.index(after: close)...])
        guard words.count <= 2, let name = words.first, !value.isEmpty else { throw Fault(text: "the password has no {SCHEME} that can be read") }
        self = try Self.read(name, value, encoding: words.count == 2 ? words[1] : nil)
    }

    private static func read(_ name: String, _ value: String, encoding: String?) throws(Fault) -> PasswordScheme {
        switch name {
        case "PLAIN", "CLEAR", "CLEARTEXT": return .plain(try text(value, encoding))
        case "CRYPT", "SHA256-CRYPT", "SHA512-CRYPT", "BLF-CRYPT", "MD5-CRYPT", "DES-CRYPT": return try crypt(try text(value, encoding), named: name)
        case "SCRAM-SHA-256": return .scram(try scram(value))
        default: break
        }
        guard let (algorithm, length, isSalted) = digests[name] else { throw Fault(text: "{\(name.prefix(32))} is not a scheme that is read here; there are \(supported)") }
        let octets = try octets(value, encoding)
        guard isSalted ? octets.count > length : octets.count == length else {
            throw Fault(text: "{\(name)} is \(isSalted ? "more than " : "")\(length) octets, and here are \(octets.count)")
        }
        return .digest(algorithm: algorithm, hash: Array(octets[..<length]), salt: Array(octets[length...]))
    }

    private static let digests: [String: (algorithm: String, length: Int, isSalted: Bool)] = [
        "SHA": ("SHA1", 20, false), "SHA1": ("SHA1", 20, false), "SHA256": ("SHA256", 32, false), "SHA512": ("SHA512", 64, false),
        "SSHA": ("SHA1", 20, true), "SSHA256": ("SHA256", 32, true), "SSHA512": ("SHA512", 64, true),
    ]

    /// What each crypt scheme's hash begins with; DES has no prefix, and CRYPT may be any.
    private static let prefixes = ["SHA256-CRYPT": ["$5$"], "SHA512-CRYPT": ["$6$"], "BLF-CRYPT": ["$2y$", "$2a$", "$2b$"], "MD5-CRYPT": ["$1$"]]

    private static func crypt(_ hash: String, named name: String) throws(Fault) -> PasswordScheme {
        // As in shadow(5): no password fits what begins so.
        if hash.hasPrefix("!") || hash.hasPrefix("*") { return .locked }
        if let wanted = prefixes[name], !wanted.contains(where: { hash.hasPrefix($0) }) {
            throw Fault(text: "{\(name)} begins with \(wanted.joined(separator: " or ")), and this does not")
        }
        guard hash.utf8.count < 384, !hash.utf8.contains(0), postern_crypt_is_known(hash) == 1 else { throw Fault(text: "libcrypt does not know a hash of this form") }
        guard !isTooDear(hash) else { throw Fault(text: "one check of this hash would take longer than ten seconds: hash the password anew with fewer rounds") }
        return .crypt(hash)
    }

    /// Rounds that would let every log-in keep a processor busy for long: bcrypt's exponent, SHA-2's `rounds=`.
    private static func isTooDear(_ hash: String) -> Bool {
        let parts = hash.split(separator: "$")
        guard parts.count > 1 else { return false }
        if hash.hasPrefix("$2") { return Int(parts[1]).map { $0 > 17 } ?? false }
        return parts[1].hasPrefix("rounds=") && (Int(parts[1].dropFirst(7)).map { $0 > 10_000_000 } ?? true)
    }

    /// Dovecot's form: `iterations,salt,StoredKey,ServerKey`, the last three in base64.
    private static func scram(_ value: String) throws(Fault) -> SCRAMKeys {
        let parts = value.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, let keys = SCRAMKeys("SCRAM-SHA-256$\(parts[0]):\(parts[1])$\(parts[2]):\(parts[3])") else {
            throw Fault(text: "{SCRAM-SHA-256} is iterations,salt,StoredKey,ServerKey")
        }
        guard (4096...SCRAMClient.iterationLimit).contains(keys.iterations) else {
            throw Fault(text: "{SCRAM-SHA-256} has 4096 (RFC 7677) to \(SCRAMClient.iterationLimit) iterations")
        }
        return keys
    }

    /// What is text already, unless an encoding is named.
    private static func text(_ value: String, _ encoding: String?) throws(Fault) -> String {
        guard encoding != nil else { return value }
        guard let text = String(validating: try octets(value, encoding), as: UTF8.self), !text.utf8.contains(0) else { throw Fault(text: "the password is not text") }
        return text
    }

    private static func octets(_ value: String, _ encoding: String?) throws(Fault) -> [UInt8] {
        switch encoding {
        case nil, "B64", "BASE64":
            guard let octets = Base64.decodeStrictly(Array(value.utf8)) else { throw Fault(text: "the hash is not base64") }
            return octets
        case "HEX":
            let digits = value.utf8.map { Character(UnicodeScalar($0)).hexDigitValue }
            guard digits.count % 2 == 0, !digits.contains(nil) else { throw Fault(text: "the hash is not hexadecimal") }
            return stride(from: 0, to: digits.count, by: 2).map { UInt8((digits[$0] ?? 0) << 4 | (digits[$0 + 1] ?? 0)) }
        default: throw Fault(text: "the encoding after the dot is b64 or hex")
        }
    }
}
