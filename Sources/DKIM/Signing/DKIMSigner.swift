import Foundation
import InternetMessage

/// Signs messages (RFC 6376, RFC 8463): relaxed/relaxed, whole body, identity fields over-signed.
///
/// The body is hashed once for all keys and never copied. Hashing runs on the caller's thread, and blocks for a body in a file.
public struct DKIMSigner: Sendable {
    public enum Failure: Error, Sendable, Hashable, CustomStringConvertible {
        /// There must be exactly one From to stand for (RFC 6376 §5.4, RFC 5322 §3.6).
        case fromFields(Int)

        public var description: String {
            switch self {
            case .fromFields(0): "the message has no From field, which every signature must cover (RFC 6376 §5.4)"
            case .fromFields(let count): "the message has \(count) From fields; sign none of them (RFC 5322 §3.6)"
            }
        }
    }

    public let fields: SignedFields
    /// Seconds until x=; nil for signatures without one.
    public let lifetime: Int?

    public init(fields: SignedFields = .standard, lifetime: Int? = nil) {
        self.fields = fields
        self.lifetime = lifetime
    }

    /// One DKIM-Signature field a key, in the keys' order, to be put above the others in the header. None for no keys.
    /// - Throws: ``Failure``, ``CryptoFailure``, or `SpoolFile.Failure` when the body cannot be read.
    public func sign(_ message: Message, with keys: [SigningKey], at date: Date) throws -> [HeaderField] {
        guard !keys.isEmpty else { return [] }
        let fromFields = message.header.count(of: "From")
        guard fromFields == 1 else { throw Failure.fromFields(fromFields) }
        let bodyHash = try Self.bodyHash(message.body)
        let (names, selected) = fields.selection(in: message.header)
        var shared = try SHA256Digest()
        for field in selected { shared.update(RelaxedHeader.canonicalize(field) + [13, 10]) }
        let time = Int(date.timeIntervalSince1970)
        return try keys.compactMap { key in
            let unsigned = SignatureField(key, names: names, bodyHash: bodyHash, signedAt: time, expiresAt: lifetime.map { time + $0 })
            var digest = try SHA256Digest(copying: shared)
            // §3.7: the field itself comes last, with an empty b= and without its CRLF.
            if let field = HeaderField(bytes: unsigned.text.utf8) { digest.update(RelaxedHeader.canonicalize(field)) }
            let signature = try key.privateKey.sign(digest: try digest.finish())
            return HeaderField(bytes: unsigned.signed(with: signature).utf8)
        }
    }

    static func bodyHash(_ body: MessageBody) throws -> [UInt8] {
        var canonical = try RelaxedBody()
        try body.forEachChunk { canonical.append($0) }
        return try canonical.finish()
    }
}
