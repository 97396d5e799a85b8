import IMAPCore
import MailStore

extension StoreError {
    /// The store's errors as answers (RFC 5530).
    /// - Parameter creating: whether the client could make the folder that is missing (APPEND, COPY, MOVE; RFC 3501 §7.1 TRYCREATE).
    func condition(creating: Bool = false) -> Condition {
        if case .system = self, isOutOfSpace { return .no("there is no space left", code: .overQuota) }
        switch self {
        case .noSuchMailbox: return .no("there is no such mailbox", code: creating ? .tryCreate : .nonExistent)
        case .alreadyExists: return .no("the mailbox exists already", code: .alreadyExists)
        case .invalidName, .invalidKeyword: return .no(description, code: .cannot)
        case .tooManyKeywords: return .no(description, code: .limit)
        case .noSuchMessage: return .no("a message is gone", code: .expungeIssued)
        case .lockTimeout: return .no("another program holds the mailbox; try again", code: .inUse)
        case .overQuota: return .no(description, code: .overQuota)
        case .uidsExhausted: return .no(description, code: .limit)
        case .system: return .no("the mailbox cannot be read or written now", code: .unavailable)
        }
    }

    /// Whether an administrator should read of it.
    var deservesLog: Bool {
        switch self {
        case .system, .lockTimeout, .uidsExhausted: true
        default: false
        }
    }
}
