import InternetMessage

/// What SEARCH needs to know of a message. The first properties are cheap; header and content are asked for only when a
/// key needs them and nothing cheaper has decided.
public protocol SearchableMessage {
    var sequenceNumber: UInt32 { get }
    var uid: UInt32 { get }
    var isRecent: Bool { get }
    var internalDate: MailDate { get }
    /// Octets (RFC822.SIZE).
    var size: Int { get }
    /// RFC 7162.
    var modSequence: UInt64 { get }
    /// RFC 8514; nil when it cannot be known.
    var saveDate: MailDate? { get }
    /// RFC 8474 §5.1. May read the whole message: Blocks.
    func emailID() throws -> String
    func hasFlag(_ flag: Flag) -> Bool
    /// May read from a file: Blocks.
    func header() throws -> MessageHeader
    /// The fields of that name. May read from a file: Blocks.
    func fields(_ name: String) throws -> [HeaderField]
    /// Whether the text may occur there: false only where an index knows that it does not. Asked before anything is read.
    func mayContain(_ text: SearchNeedle, in place: SearchPlace) throws -> Bool
    /// Lends the whole message. May read from a file: Blocks.
    func withContent<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R
}

/// Where a text is looked for.
public enum SearchPlace: Sendable, Hashable {
    /// Header fields, names and values.
    case header
    /// The text parts, and the headers of enclosed messages.
    case body
}

extension SearchableMessage {
    public func fields(_ name: String) throws -> [HeaderField] { try header().all(name) }
    public func mayContain(_ text: SearchNeedle, in place: SearchPlace) throws -> Bool { true }
}
