/// What the index keeps of a message's content, made by whoever knows what will be asked for.
public struct MessageSummary: Sendable, Hashable {
    /// Header fields in their order, octets as they stand, each with CRLF: those that lists of messages show.
    public var header: [UInt8] = []
    /// ENVELOPE and the MIME structure in whatever form the maker reads back; empty: to be found in the message.
    public var envelope: [UInt8] = []
    public var structure: [UInt8] = []
    /// What searches look for in the header and in the body, as they compare it, in UTF-8.
    public var headerText: [UInt8] = []
    public var bodyText: [UInt8] = []
    /// Whether the texts are all that a search would look at. Otherwise the message is read for each search.
    public var isWhole = false

    public init() {}
}

/// Makes summaries.
public protocol MessageSummarizer: Sendable {
    /// Grows when the same message would give another summary: indexes of other versions are made anew.
    var version: Int { get }
    /// Blocks on the file.
    func summary(of file: MessageFile) throws -> MessageSummary
}

/// A message's summary as the index gives it back.
public struct IndexedSummary: Sendable, Hashable {
    public let header: [UInt8]
    public let envelope: [UInt8]
    public let structure: [UInt8]
}

/// Where a text is looked for.
public enum IndexedPlace: Sendable, Hashable {
    case header, body
}
