/// Whether what is published is the key that is meant.
public enum KeyRecordMatch {
    /// - Parameters:
    ///   - texts: of each TXT record at the key's name, its strings joined.
    /// - Returns: what is wrong, or nil.
    public static func problem(_ texts: [[UInt8]], _ wanted: DKIMKeyRecord) -> String? {
        guard texts.count == 1, let text = texts.first else {
            return "\(texts.count) TXT records where one must stand (RFC 6376 §3.6.2.2)"
        }
        let record: DKIMKeyRecord
        do { record = try DKIMKeyRecord(parsing: text) } catch { return "\(error)" }
        if record.isRevoked { return "the key is revoked: p= is empty (RFC 6376 §3.6.1)" }
        guard record.keyType == wanted.keyType else { return "k=\(record.keyType.rawValue) where \(wanted.keyType.rawValue) is meant" }
        guard record.publicKey == wanted.publicKey else { return "another key stands there" }
        if !record.allowsSHA256 { return "h= forbids SHA-256 (RFC 6376 §3.6.1)" }
        if !record.isForEmail { return "s= forbids e-mail (RFC 6376 §3.6.1)" }
        return nil
    }
}
