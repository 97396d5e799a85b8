import InternetMessage
import NetworkAddress

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A private key with the domain and selector that it signs for. Parsed once; copies share it.
public struct SigningKey: Sendable {
    public enum Algorithm: String, Sendable, Hashable {
        case rsaSHA256 = "rsa-sha256"
        case ed25519SHA256 = "ed25519-sha256"
    }

    public enum Kind: Sendable, Hashable {
        case rsa2048
        case rsa4096
        case ed25519
    }

    /// Why a key cannot be used, and what to do.
    public enum Failure: Error, Sendable, Hashable, CustomStringConvertible {
        case unreadable(path: String, code: Int32)
        case notAFile(path: String)
        case readableByOthers(path: String, mode: UInt32)
        case tooLarge(path: String)
        case inFile(path: String, why: String)
        case notAKey(String)
        case unsupportedType
        case tooFewBits(Int)
        case badSelector(String)

        public var description: String {
            switch self {
            case .unreadable(let path, let code): "\(path): \(String(cString: strerror(code)))"
            case .notAFile(let path): "\(path) is not a regular file"
            case .readableByOthers(let path, let mode): "\(path) has mode 0\(String(mode, radix: 8)): others could read the private key; run: chmod 600 \(path)"
            case .tooLarge(let path): "\(path) is larger than 64 KiB: not a key"
            case .inFile(let path, let why): "\(path): \(why)"
            case .notAKey(let why): "not an unencrypted private key in PEM: \(why)"
            case .unsupportedType: "DKIM signs with RSA or Ed25519 keys only (RFC 6376 §3.3, RFC 8463)"
            case .tooFewBits(let bits): "an RSA key of \(bits) bits is refused by verifiers (RFC 8301 §3.2); make one of 2048"
            case .badSelector(let text): "'\(text)' is not a selector: letters, digits and hyphens, in labels (RFC 6376 §3.1)"
            }
        }
    }

    public let domain: DomainName
    public let selector: String
    public let algorithm: Algorithm
    /// Bits of the RSA modulus; 256 for Ed25519.
    public let bits: Int
    /// The TXT record's value: `v=DKIM1; k=rsa; p=…`. Longer than 255 octets for RSA: publish it in several strings.
    public let publicRecord: String
    let privateKey: PrivateKey

    /// An RSA key below the 2048 bits that RFC 8301 §3.2 asks signers for.
    public var isWeak: Bool { algorithm == .rsaSHA256 && bits < 2048 }
    /// Where ``publicRecord`` belongs: `selector._domainkey.domain`.
    public var recordName: DomainName? { domain.prepending(selector + "._domainkey") }

    /// Reads a PEM file that nobody but its owner may read (mode 0600 or 0400). Blocks.
    /// - Throws: ``Failure``.
    public init(pemFile path: String, domain: DomainName, selector: String) throws(Failure) {
        let pem = try Self.contents(of: path)
        do { try self.init(pem: pem, domain: domain, selector: selector) } catch {
            guard case .badSelector = error else { throw .inFile(path: path, why: error.description) }
            throw error
        }
    }

    /// - Throws: ``Failure``.
    public init(pem: String, domain: DomainName, selector: String) throws(Failure) {
        try self.init(pem: Array(pem.utf8), domain: domain, selector: selector)
    }

    private init(pem: [UInt8], domain: DomainName, selector: String) throws(Failure) {
        guard let name = DomainName(selector), name.isHostName, domain.prepending(selector + "._domainkey") != nil else {
            throw .badSelector(selector)
        }
        let key: PrivateKey
        let octets: [UInt8]
        do {
            key = try PrivateKey(pem: pem)
            octets = try key.publicOctets()
        } catch { throw .notAKey(error.description) }
        guard key.isRSA || key.isEd25519 else { throw .unsupportedType }
        if key.isRSA, key.bits < 1024 { throw .tooFewBits(key.bits) }
        self.domain = domain
        self.selector = selector
        algorithm = key.isRSA ? .rsaSHA256 : .ed25519SHA256
        bits = key.isRSA ? key.bits : 256
        publicRecord = "v=DKIM1; k=\(key.isRSA ? "rsa" : "ed25519"); p=\(Base64.encode(octets))"
        privateKey = key
    }

    /// A new private key as PEM (PKCS#8, not encrypted), to be stored with mode 0600. Blocks, up to seconds for RSA.
    /// - Throws: ``CryptoFailure``.
    public static func generate(_ kind: Kind) throws(CryptoFailure) -> String {
        let bits: Int32? = switch kind {
        case .rsa2048: 2048
        case .rsa4096: 4096
        case .ed25519: nil
        }
        return try PrivateKey.generate(rsaBits: bits).pem()
    }

    private static func contents(of path: String) throws(Failure) -> [UInt8] {
        // O_NONBLOCK: a FIFO in the key's place must not hold us up.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .unreadable(path: path, code: errno) }
        defer { close(descriptor) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0 else { throw .unreadable(path: path, code: errno) }
        guard facts.st_mode & S_IFMT == S_IFREG else { throw .notAFile(path: path) }
        let mode = facts.st_mode & 0o7777
        guard mode == 0o600 || mode == 0o400 else { throw .readableByOthers(path: path, mode: mode) }
        guard facts.st_size <= 65536 else { throw .tooLarge(path: path) }
        var bytes = [UInt8](repeating: 0, count: 65536)
        let got = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        guard got >= 0 else { throw .unreadable(path: path, code: errno) }
        return Array(bytes.prefix(got))
    }
}
