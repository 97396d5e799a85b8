#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What can go wrong in the store. The text says what to do; it never holds message content.
public enum StoreError: Error, Hashable, CustomStringConvertible {
    /// An account or folder name that cannot be a safe file name.
    case invalidName(String, reason: String)
    case noSuchMailbox(String)
    case alreadyExists(String)
    /// Another program held `dovecot-uidlist.lock` past the deadline.
    case lockTimeout(path: String)
    /// A system call failed: which, on what, and errno.
    case system(call: String, path: String, code: Int32)
    /// The message was expunged meanwhile.
    case noSuchMessage(uid: UInt32)
    /// Maildir has room for 26 keywords in a folder (`a` to `z` in the file name).
    case tooManyKeywords
    case invalidKeyword(String)
    case uidsExhausted
    /// The account has no room for more (`mailbox_size_limit`).
    case overQuota(isTemporary: Bool)

    public var description: String {
        switch self {
        case .invalidName(let name, let reason): "the name '\(name)' cannot be used: \(reason)"
        case .noSuchMailbox(let name): "there is no mailbox '\(name)'"
        case .alreadyExists(let name): "the mailbox '\(name)' exists already"
        case .lockTimeout(let path): "\(path) is held by another program; if none is running, remove it"
        case .system(let call, let path, let code): "\(call) \(path): \(String(cString: strerror(code)))"
        case .noSuchMessage(let uid): "message UID \(uid) is gone"
        case .tooManyKeywords: "the folder has 26 keywords already, which is all that Maildir can hold"
        case .invalidKeyword(let word): "'\(word)' cannot be a keyword"
        case .overQuota: "the mailbox is full"
        case .uidsExhausted: "the folder has used up its 32-bit UIDs; create a new folder and move the mail there"
        }
    }

    /// Whether the disk or quota is full: SMTP's 452, IMAP's OVERQUOTA.
    public var isOutOfSpace: Bool {
        switch self {
        case .overQuota: true
        case .system(_, _, let code): code == ENOSPC || code == EDQUOT
        default: false
        }
    }

    /// Whether the name itself is at fault, so that trying again cannot help.
    public var isPermanent: Bool {
        switch self {
        case .overQuota(let isTemporary): !isTemporary
        case .invalidName, .invalidKeyword, .tooManyKeywords, .uidsExhausted: true
        default: false
        }
    }

    var isMissingFile: Bool { if case .system(_, _, ENOENT) = self { true } else { false } }
}
