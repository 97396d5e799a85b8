import COpenSSL
import InternetMessage

/// Makes and checks tags such as `shop-k7f3q2`. The check part is a truncated HMAC-SHA256 over base and label, so every
/// node with the key tells a real tag from a guess without asking a database.
///
/// Letters and digits alternate in it (without i, l, o, 0 and 1, which are misread), so that no ordinary word such as
/// `news-weekly` looks minted. That gives 184³, about 6.2 million, check parts: each guess costs a RCPT and, being
/// wrong, is refused.
struct TagMint: Sendable {
    /// Octets a key must have at least.
    static let keyLength = 16
    static let checkLength = 6
    static let labelLimit = 30

    enum Finding: Equatable { case notMinted, genuine, wrong }

    private let key: [UInt8]

    /// - Throws: ``TagLedgerError/shortKey(_:)``.
    init(key: [UInt8]) throws(TagLedgerError) {
        guard key.count >= Self.keyLength else { throw .shortKey(key.count) }
        self.key = key
    }

    /// `label-check`, for a valid label.
    /// - Throws: ``TagLedgerError/badLabel(_:)`` or ``TagLedgerError/addressTooLong(_:)``.
    func mint(_ label: String, base: EmailAddress) throws(TagLedgerError) -> TagAddress {
        let label = label.lowercased()
        guard (1...Self.labelLimit).contains(label.utf8.count), !label.hasPrefix("-"), label.utf8.allSatisfy(Self.isLabelOctet),
            let check = check(label, base)
        else { throw .badLabel(label) }
        let detail = label + "-" + String(decoding: check, as: UTF8.self)
        // One octet for the delimiter.
        guard base.localPart.utf8.count + 1 + detail.utf8.count <= 64 else { throw .addressTooLong(base.localPart) }
        return TagAddress(base: base, detail: detail)
    }

    func examine(_ tag: TagAddress) -> Finding {
        let octets = Array(tag.detail.utf8)
        let given = Array(octets.suffix(Self.checkLength))
        guard octets.count > Self.checkLength + 1, octets[octets.count - Self.checkLength - 1] == UInt8(ascii: "-"), Self.hasShape(given)
        else { return .notMinted }
        let label = String(decoding: octets.dropLast(Self.checkLength + 1), as: UTF8.self)
        guard let wanted = check(label, tag.base) else { return .wrong }
        // Constant time: how long a wrong guess takes must not tell how right it was.
        return CRYPTO_memcmp(given, wanted, Self.checkLength) == 0 ? .genuine : .wrong
    }

    private static let letters = Array("abcdefghjkmnpqrstuvwxyz".utf8)
    private static let digits = Array("23456789".utf8)

    private static func hasShape(_ octets: [UInt8]) -> Bool {
        octets.enumerated().allSatisfy { ($0 % 2 == 0 ? letters : digits).contains($1) }
    }

    private static func isLabelOctet(_ octet: UInt8) -> Bool {
        (97...122).contains(octet) || (48...57).contains(octet) || octet == UInt8(ascii: "-")
    }

    /// nil only when OpenSSL has no HMAC, which its default provider always has.
    private func check(_ label: String, _ base: EmailAddress) -> [UInt8]? {
        let message = Array("postern tag 1\0\(base.folded)\0\(label)".utf8)
        var digest = [UInt8](repeating: 0, count: 32), length = 0
        guard EVP_Q_mac(nil, "HMAC", nil, "SHA256", nil, key, key.count, message, message.count, &digest, digest.count, &length) != nil, length == 32
        else { return nil }
        var value = digest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        var out: [UInt8] = []
        for place in 0..<Self.checkLength {
            let alphabet = place % 2 == 0 ? Self.letters : Self.digits
            out.append(alphabet[Int(value % UInt64(alphabet.count))])
            value /= UInt64(alphabet.count)
        }
        return out
    }
}
