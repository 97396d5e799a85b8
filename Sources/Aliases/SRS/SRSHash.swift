import COpenSSL
import InternetMessage

/// The first four characters of base64 of HMAC-SHA-1 over the parts in lower case, which is what libsrs2 and postsrsd make:
/// an installation that comes from there keeps its secret, and what is under way stays good.
enum SRSHash {
    static let length = 4

    static func text(_ secret: [UInt8], _ parts: [String]) -> String {
        let message = Array(parts.map { $0.lowercased() }.joined().utf8)
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard HMAC(EVP_sha1(), secret, Int32(secret.count), message, message.count, &digest, &count) != nil else { return "" }
        return String(Base64.encode(digest.prefix(Int(count))).prefix(length))
    }

    /// Without regard to case, since servers on the way may have folded it, and in constant time.
    static func isEqual(_ good: String, _ given: String) -> Bool {
        let (good, given) = (Array(good.lowercased().utf8), Array(given.lowercased().utf8))
        guard good.count == length, given.count == length else { return false }
        return zip(good, given).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
