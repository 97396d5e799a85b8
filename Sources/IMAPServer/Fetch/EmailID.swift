import COpenSSL
import MailStore

extension MessageFile {
    /// EMAILID (RFC 8474 §5.1): a digest of the octets that a client is given, so that copies have the same, in whatever
    /// folder and after whatever other program moved them. Reads the whole message: Blocks.
    func emailID() throws(StoreError) -> String {
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var isFine = EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1
        var reader = reader()
        while isFine, let piece = try reader.next() { isFine = EVP_DigestUpdate(context, piece, piece.count) == 1 }
        guard isFine, EVP_DigestFinal_ex(context, &digest, nil) == 1 else { throw .system(call: "digest", path: "(message)", code: 12) }
        return "M" + digest.prefix(20).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}
