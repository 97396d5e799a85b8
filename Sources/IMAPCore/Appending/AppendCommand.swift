import InternetMessage

/// APPEND or REPLACE up to its first message (RFC 3501 §6.3.11, RFC 8508 §3).
public struct AppendHeader: Sendable, Hashable {
    public let tag: String
    public let mailbox: MailboxName
    /// REPLACE: what goes when the new message is there.
    public let replaces: Replaced?

    public struct Replaced: Sendable, Hashable {
        public let number: SequenceSet
        public let numbering: Numbering

        public init(_ number: SequenceSet, _ numbering: Numbering) {
            self.number = number
            self.numbering = numbering
        }
    }

    public init(tag: String, mailbox: MailboxName, replaces: Replaced? = nil) {
        self.tag = tag
        self.mailbox = mailbox
        self.replaces = replaces
    }
}

/// One message of an APPEND; with MULTIAPPEND (RFC 3502) there may be several.
public struct AppendMessage: Sendable, Hashable {
    public let flags: [Flag]
    /// nil: the time of delivery.
    public let date: MailDate?
    /// Whether it is put together from texts and URLs (CATENATE, RFC 4469).
    public let isCatenated: Bool
    /// `UTF8 (~{…})` (RFC 6855 §4).
    public let isUTF8: Bool

    public init(flags: [Flag] = [], date: MailDate? = nil, isCatenated: Bool = false, isUTF8: Bool = false) {
        self.flags = flags
        self.date = date
        self.isCatenated = isCatenated
        self.isUTF8 = isUTF8
    }
}

/// A literal that holds a message or a text of one.
public struct AppendLiteral: Sendable, Hashable {
    /// Octets.
    public let size: Int
    /// Whether the client waits for a continuation request; not with `{n+}` (RFC 7888).
    public let isSynchronising: Bool
    /// `~{n}` (RFC 3516 §4.4).
    public let isBinary: Bool

    public init(size: Int, isSynchronising: Bool = true, isBinary: Bool = false) {
        self.size = size
        self.isSynchronising = isSynchronising
        self.isBinary = isBinary
    }
}

/// What happens in an APPEND, in order: `begins`, then for each message `message`, its literals (each followed by its
/// octets) and URLs, `messageEnds`; at last `ends`.
public enum AppendStep: Sendable, Hashable {
    case begins(AppendHeader)
    case message(AppendMessage)
    /// Nothing more comes until ``CommandFramer/acceptAppend()`` or ``CommandFramer/refuseAppend()`` was called.
    case literal(AppendLiteral)
    case chunk([UInt8])
    /// A part of a stored message (RFC 4469 §3); see ``MessageURL``.
    case url(String)
    case messageEnds
    /// The command is complete, and its line ended as it must: answer it.
    case ends
}
