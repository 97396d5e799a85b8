/// One message as a snapshot knows it. Nothing here needs a look at its file.
public struct StoredMessage: Sendable, Hashable {
    // In this order they leave few gaps: 40 octets.
    /// The unique part of the file's name, or, where another program spelled it otherwise than ``canonicalName``, all of it.
    private var name: StoredName
    /// How much of it is the unique part.
    private let baseLength: UInt16
    /// When it was last changed, as RFC 7162 counts.
    public internal(set) var modSequence: UInt64 = 0
    public let uid: UInt32
    /// Letters `a` to `z`; names by ``MailboxSnapshot/keywords(of:)``.
    var keywordBits: UInt32
    public internal(set) var flags: MessageFlags
    /// Still in `new`: no session has claimed it, so it is `\Recent` for whoever looks (RFC 3501 §2.3.2).
    public internal(set) var isNew: Bool
    private var isForeign = false

    init(uid: UInt32, flags: MessageFlags = [], isNew: Bool = false, keywordBits: UInt32 = 0, base: String) {
        self.init(uid: uid, flags: flags, isNew: isNew, keywordBits: keywordBits, base: StoredName(base.utf8))
    }

    private init(uid: UInt32, flags: MessageFlags, isNew: Bool, keywordBits: UInt32, base: StoredName) {
        self.uid = uid
        self.flags = flags
        self.isNew = isNew
        self.keywordBits = keywordBits
        name = base
        baseLength = UInt16(base.count)
    }

    init(uid: UInt32, base: StoredName, _ file: FoundFile) {
        self.init(uid: uid, flags: file.info.flags, isNew: file.isNew, keywordBits: file.info.keywords, base: base)
        if let spelling = file.foreignSpelling { (name, isForeign) = (spelling, true) }
    }

    /// Its octets, in memory that it shares with other messages.
    var storedBase: StoredName { isForeign ? name.prefix(Int(baseLength)) : name }
    var base: String { storedBase.text }

    /// What it has in `cur` when this program names it.
    mutating func spellAsUsual() { (name, isForeign) = (storedBase, false) }

    /// Flags and keywords in one number: messages of a folder that have the same have the same number.
    public var flagKey: UInt64 { UInt64(flags.rawValue) << 32 | UInt64(keywordBits) }

    /// Whether flags and keywords are the same; both must come from the same folder.
    public func hasSameFlags(as other: StoredMessage) -> Bool { flags == other.flags && keywordBits == other.keywordBits }

    /// `base` in `new`, `base:2,letters` in `cur`.
    var canonicalName: String { isNew ? base : base + MaildirInfo(flags: flags, keywords: keywordBits).text }
    /// The same octet for octet, whether they are text or not.
    var fileNameOctets: [UInt8] {
        var octets = name.withOctets { Array($0) }
        if !isForeign, !isNew { MaildirInfo(flags: flags, keywords: keywordBits).append(to: &octets) }
        return octets
    }
    var fileName: String { isForeign ? name.text : canonicalName }
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
