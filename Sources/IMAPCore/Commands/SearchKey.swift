/// A calendar day, as SEARCH compares them: without time and zone (RFC 3501 §6.4.4).
public struct SearchDay: Sendable, Hashable, Comparable {
    public let year: Int
    public let month: Int
    public let day: Int

    public init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    public static func < (a: SearchDay, b: SearchDay) -> Bool { (a.year, a.month, a.day) < (b.year, b.month, b.day) }
}

/// `search-key` (RFC 3501 §6.4.4). ALL, NEW, OLD, UNSEEN and their like are spelt in the simpler keys.
public indirect enum SearchKey: Sendable, Hashable {
    case all
    case flag(Flag)
    case recent
    case and([SearchKey])
    case or(SearchKey, SearchKey)
    case not(SearchKey)
    case sequence(SequenceSet)
    case uid(SequenceSet)
    /// INTERNALDATE earlier than, on, on or later than the day.
    case before(SearchDay), on(SearchDay), since(SearchDay)
    /// The same of the Date: field.
    case sentBefore(SearchDay), sentOn(SearchDay), sentSince(SearchDay)
    /// RFC 5032: internal date at most, or at least, so many seconds ago.
    case younger(UInt32), older(UInt32)
    case larger(UInt32), smaller(UInt32)
    /// A header field contains the text; the empty text asks whether the field is there.
    case header(String, String)
    /// In the body; in header or body.
    case body(String), text(String)
}

/// SEARCH with its options.
public struct SearchRequest: Sendable, Hashable {
    /// RFC 4731.
    public enum Return: String, Sendable, Hashable { case min = "MIN", max = "MAX", all = "ALL", count = "COUNT" }

    /// nil: the plain `* SEARCH` answer; else ESEARCH with these (an empty list in the command means ALL).
    public let returns: [Return]?
    public let key: SearchKey

    public init(_ key: SearchKey, returns: [Return]? = nil) {
        self.key = key
        self.returns = returns
    }
}
