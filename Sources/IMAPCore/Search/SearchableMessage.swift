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
    func hasFlag(_ flag: Flag) -> Bool
    /// May read from a file: Blocks.
    func header() throws -> MessageHeader
    /// Lends the whole message. May read from a file: Blocks.
    func withContent<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R
}
