/// One message as a snapshot knows it. Nothing here needs a look at its file.
public struct StoredMessage: Sendable, Hashable {
    public let uid: UInt32
    public internal(set) var flags: MessageFlags
    /// Still in `new`: no session has claimed it, so it is `\Recent` for whoever looks (RFC 3501 §2.3.2).
    public internal(set) var isNew: Bool
    /// Letters `a` to `z`; names by ``MailboxSnapshot/keywords(of:)``.
    var keywordBits: UInt32
    /// The unique part of the file's name.
    let base: String
    /// The file's whole name, where another program spelled it otherwise than ``canonicalName``.
    var foreignName: String?

    /// Whether flags and keywords are the same; both must come from the same folder.
    public func hasSameFlags(as other: StoredMessage) -> Bool { flags == other.flags && keywordBits == other.keywordBits }

    /// `base` in `new`, `base:2,letters` in `cur`.
    var canonicalName: String { isNew ? base : MaildirFileName(base: base, flags: flags, keywords: keywordBits).nameInCur }
    var fileName: String { foreignName ?? canonicalName }
}

/// A folder's messages at one moment: a value, shared by the sessions that have it selected.
public struct MailboxSnapshot: Sendable {
    /// Grows with every change seen.
    public internal(set) var generation: UInt64 = 0
    public internal(set) var uidValidity: UInt32 = 0
    /// The next UID that will be given.
    public internal(set) var uidNext: UInt32 = 1
    /// Ascending by UID.
    public internal(set) var messages: [StoredMessage] = []
    var keywordFile = KeywordFile()

    /// The keywords that letters stand for in this folder.
    public var keywordNames: [String] { keywordFile.names.filter { !$0.isEmpty } }
    /// Whether a client may make further keywords (`\*` in PERMANENTFLAGS).
    public var acceptsNewKeywords: Bool { !keywordFile.isFull }

    public func keywords(of message: StoredMessage) -> [String] { keywordFile.keywords(in: message.keywordBits) }

    /// Binary search. nil when there is no such message.
    public func index(ofUID uid: UInt32) -> Int? {
        var low = 0, high = messages.count
        while low < high {
            let middle = (low + high) / 2
            if messages[middle].uid < uid { low = middle + 1 } else { high = middle }
        }
        return low < messages.count && messages[low].uid == uid ? low : nil
    }

    public func message(withUID uid: UInt32) -> StoredMessage? { index(ofUID: uid).map { messages[$0] } }
}
