import InternetMessage

/// Whether message numbers in a command and its answer are sequence numbers or UIDs (RFC 3501 §6.4.8).
public enum Numbering: Sendable, Hashable { case sequence, uid }

/// A client command (RFC 3501 §6 and the extensions named per case), its arguments decoded.
public enum Command: Sendable, Hashable {
    // Any state (§6.1)
    case capability, noop, logout
    /// RFC 2971: field and value pairs; empty for NIL.
    case id([IDField])

    // Not authenticated (§6.2)
    case startTLS
    /// The mechanism in upper case. RFC 4959: the initial response, decoded; empty when the client wrote `=`.
    case authenticate(mechanism: String, initialResponse: [UInt8]?)
    case login(user: String, password: String)

    // Authenticated (§6.3)
    /// RFC 5161: capability names in upper case.
    case enable([String])
    case select(MailboxName, SelectParameters = SelectParameters())
    case examine(MailboxName, SelectParameters = SelectParameters())
    /// RFC 6154 §3: with what the mailbox is to be for; nil among them for a use that is not known.
    case create(MailboxName, uses: [ListEntry.Attribute?] = [])
    case delete(MailboxName)
    case rename(MailboxName, to: MailboxName)
    case subscribe(MailboxName)
    case unsubscribe(MailboxName)
    case list(ListRequest)
    case lsub(reference: String, pattern: String)
    case status(MailboxName, [StatusItem])
    /// RFC 2342.
    case namespace
    /// RFC 4978: the mechanism in upper case.
    case compress(String)
    /// RFC 9208 §4.1.
    case getQuota(String), getQuotaRoot(MailboxName), setQuota(String)
    /// RFC 5464 §4.2 f. An empty name means the server.
    case getMetadata(MailboxName, [MetadataEntry], MetadataOptions)
    case setMetadata(MailboxName, [MetadataValue])
    /// RFC 2177. The client ends it with the line `DONE`, which ``CommandFramer`` gives as a line, not a command.
    case idle
    /// RFC 5465; nil for NOTIFY NONE.
    case notify(NotifyRequest?)

    // Selected (§6.4)
    case check, close
    /// RFC 3691: like CLOSE, and expunges nothing.
    case unselect
    /// With a set: UID EXPUNGE (RFC 4315).
    case expunge(uids: SequenceSet?)
    case search(SearchRequest, Numbering)
    /// RFC 5256 §3.
    case sort([SortCriterion], SearchRequest, Numbering)
    case thread(ThreadAlgorithm, SearchKey, Numbering)
    /// RFC 5267 §4.3.5: tags of searching commands.
    case cancelUpdate([String])
    case fetch(SequenceSet, [FetchAttribute], Numbering, FetchModifiers = FetchModifiers())
    case store(SequenceSet, StoreRequest, Numbering)
    case copy(SequenceSet, MailboxName, Numbering)
    /// RFC 6851.
    case move(SequenceSet, MailboxName, Numbering)
}

public struct IDField: Sendable, Hashable {
    public let name: String
    public let value: String?

    public init(_ name: String, _ value: String?) {
        self.name = name
        self.value = value
    }
}

/// `store-att-flags` (RFC 3501 §6.4.6).
public struct StoreRequest: Sendable, Hashable {
    public enum Operation: Sendable, Hashable { case replace, add, remove }
    public let operation: Operation
    /// `.SILENT`: no FETCH answers for what the client itself changed.
    public let silent: Bool
    public let flags: [Flag]
    /// RFC 7162 §3.1.3: messages changed after this mod-sequence are left alone.
    public let unchangedSince: UInt64?

    public init(_ operation: Operation, _ flags: [Flag], silent: Bool = false, unchangedSince: UInt64? = nil) {
        self.unchangedSince = unchangedSince
        self.operation = operation
        self.silent = silent
        self.flags = flags
    }
}

/// STATUS data items (RFC 3501 §6.3.10; SIZE from RFC 8438 and RFC 9051, HIGHESTMODSEQ from RFC 7162, APPENDLIMIT from RFC 7889).
public enum StatusItem: String, Sendable, Hashable, CaseIterable {
    case messages = "MESSAGES", recent = "RECENT", uidNext = "UIDNEXT", uidValidity = "UIDVALIDITY", unseen = "UNSEEN"
    case size = "SIZE", deleted = "DELETED", highestModSequence = "HIGHESTMODSEQ", appendLimit = "APPENDLIMIT"
    /// RFC 8474 §4.3.
    case mailboxID = "MAILBOXID"
    /// RFC 9208 §4.1.4: octets that an EXPUNGE would give back.
    case deletedStorage = "DELETED-STORAGE"
}

/// LIST, plain or extended (RFC 3501 §6.3.8, RFC 5258).
public struct ListRequest: Sendable, Hashable {
    public enum Selection: String, Sendable, Hashable { case subscribed = "SUBSCRIBED", remote = "REMOTE", recursiveMatch = "RECURSIVEMATCH", specialUse = "SPECIAL-USE" }
    public enum Return: Sendable, Hashable {
        case subscribed, children, specialUse
        /// RFC 5819.
        case status([StatusItem])
    }

    public let selection: [Selection]
    public let reference: String
    /// Mailbox patterns in Unicode; one pattern of the empty string asks for the hierarchy delimiter only.
    public let patterns: [String]
    public let returns: [Return]
    /// Whether extended syntax was used, so that the answer may use it.
    public let isExtended: Bool

    public init(reference: String, patterns: [String], selection: [Selection] = [], returns: [Return] = [], isExtended: Bool = false) {
        self.reference = reference
        self.patterns = patterns
        self.selection = selection
        self.returns = returns
        self.isExtended = isExtended
    }
}
