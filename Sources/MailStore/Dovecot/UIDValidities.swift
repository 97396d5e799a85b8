#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Gives each new mailbox of an account a UIDVALIDITY that none before it had, also when one is deleted and made again
/// within a second (RFC 3501 §2.3.1.1). The highest given is the hex suffix of the empty file
/// `dovecot-uidvalidity.<hex>`, which is renamed from one to the next: Dovecot's own way.
struct UIDValidities: Sendable {
    /// The account's Maildir.
    let folder: String

    func next() throws(StoreError) -> UInt32 {
        let prefix = "dovecot-uidvalidity."
        for _ in 0..<100 {
            let given = try Files.names(in: folder).filter { $0.hasPrefix(prefix) }.compactMap { UInt32($0.dropFirst(prefix.count), radix: 16) }
            let now = UInt32(truncatingIfNeeded: time(nil))
            guard let highest = given.max() else {
                if try claim(now, from: nil) { return now }
                continue
            }
            let value = highest >= now ? highest + 1 : now
            if try claim(value, from: highest) { return value }
        }
        throw .lockTimeout(path: folder + "/dovecot-uidvalidity")
    }

    private func path(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return folder + "/dovecot-uidvalidity." + String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// Whether this caller, and no other, moved the counter.
    private func claim(_ value: UInt32, from old: UInt32?) throws(StoreError) -> Bool {
        do throws(StoreError) {
            if let old { try Files.rename(path(old), to: path(value)) } else { close(try Files.open(path(value), O_WRONLY | O_CREAT | O_EXCL)) }
        } catch .system(_, _, let code) where code == ENOENT || code == EEXIST { return false }
        // Dovecot keeps the same number as text beside it.
        let digits = String(path(value).suffix(8))
        try Files.replace(folder + "/dovecot-uidvalidity", with: Array(digits.utf8))
        return true
    }
}
