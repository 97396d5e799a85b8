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
    /// When it was last changed, as RFC 7162 counts.
    public internal(set) var modSequence: UInt64 = 0
    /// The file's whole name, where another program spelled it otherwise than ``canonicalName``.
    var foreignName: String?

    init(uid: UInt32, flags: MessageFlags = [], isNew: Bool = false, keywordBits: UInt32 = 0, base: String) {
        self.uid = uid
        self.flags = flags
        self.isNew = isNew
        self.keywordBits = keywordBits
        self.base = base
    }

    init(uid: UInt32, _ file: FoundFile) {
        self.init(uid: uid, flags: file.name.flags, isNew: file.isNew, keywordBits: file.name.keywords, base: file.name.base)
        foreignName = file.foreignName
    }

    /// Flags and keywords in one number: messages of a folder that have the same have the same number.
    public var flagKey: UInt64 { UInt64(flags.rawValue) << 32 | UInt64(keywordBits) }

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
    public internal(set) var messages = MessageList()
    var keywordFile = KeywordFile()
    var guid: String?
    /// The highest mod-sequence of all messages, those that are gone included (RFC 7162 §3.1.2.1).
    public internal(set) var highestModSequence: UInt64 = 1
    /// What went, and when.
    public internal(set) var expunges = Expunges()

    /// Messages that this process put into `cur` at once (they had flags) and no session has claimed: they are `\Recent` as
    /// those in `new` are (RFC 3501 §6.3.11, §6.4.7).
    var unclaimed: Set<UInt32> = []

    /// UIDs of the messages that are `\Recent` for the next session that looks, ascending.
    public var recentUIDs: [UInt32] {
        guard !unclaimed.isEmpty else { return messages.newUIDs }
        return (messages.newUIDs + unclaimed.filter { message(withUID: $0)?.isNew == false }).sorted()
    }

    /// The keywords that letters stand for in this folder.
    public var keywordNames: [String] { keywordFile.names.filter { !$0.isEmpty } }
    /// Whether a client may make further keywords (`\*` in PERMANENTFLAGS).
    public var acceptsNewKeywords: Bool { !keywordFile.isFull }

    public func keywords(of message: StoredMessage) -> [String] { keywordFile.keywords(in: message.keywordBits) }

    /// Binary search. nil when there is no such message.
    public func index(ofUID uid: UInt32) -> Int? { messages.index(ofUID: uid) }

    public func message(withUID uid: UInt32) -> StoredMessage? { index(ofUID: uid).map { messages[$0] } }
}
