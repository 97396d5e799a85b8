#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Where a folder's files are.
struct MailboxPaths: Sendable, Hashable {
    let folder: String
    var new: String { folder + "/new" }
    var cur: String { folder + "/cur" }
    var tmp: String { folder + "/tmp" }
    var uidList: String { folder + "/dovecot-uidlist" }
    var uidListLock: String { folder + "/dovecot-uidlist.lock" }
    var keywords: String { folder + "/dovecot-keywords" }
    var modSequences: String { folder + "/postern-modseq" }

    /// Whether the folder is a Maildir folder; symbolic links do not count.
    var exists: Bool { Files.isFolder(folder) && Files.isFolder(cur) }

    /// Makes the folder with `tmp`, `new` and `cur` in it, `cur` last: it marks completeness. Durable.
    func create(isInbox: Bool) throws(StoreError) {
        try Files.makeFolder(folder)
        try Files.makeFolder(tmp)
        try Files.makeFolder(new)
        try Files.makeFolder(cur)
        if !isInbox {
            // Maildir++: tells delivery agents that this is a folder of a larger Maildir.
            let marker = try Files.open(folder + "/maildirfolder", O_WRONLY | O_CREAT)
            close(marker)
        }
        try Files.syncFolder(folder)
        try Files.syncFolder(Files.parent(of: folder))
    }
}
