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
    case larger(UInt64), smaller(UInt64)
    /// A header field contains the text; the empty text asks whether the field is there.
    case header(String, String)
    /// In the body; in header or body.
    case body(String), text(String)
    /// RFC 7162 §3.1.5: changed at or after the mod-sequence.
    case modSequence(UInt64)
    /// RFC 8514: put into the mailbox earlier than, on, on or later than the day.
    case savedBefore(SearchDay), savedOn(SearchDay), savedSince(SearchDay)
    /// RFC 8474 §5.3.
    case emailID(String), threadID(String)
}

/// `partial-range` (RFC 9394 §3.1, RFC 5267 §4.4): positions in a result, from 1, counted from its beginning or its end.
public struct PartialRange: Sendable, Hashable, CustomStringConvertible {
    public let positions: ClosedRange<UInt32>
    public let isFromEnd: Bool
    /// For the answer, which repeats it: `500:400` is the same as `400:500` (RFC 5267 §5).
    public let description: String

    static func parse(_ scanner: inout Scanner) throws(ScanError) -> PartialRange {
        let isFromEnd = scanner.take(45)
        let first = try scanner.positiveNumber()
        try scanner.expect(58, ": in the partial range")
        guard scanner.take(45) == isFromEnd else { throw ScanError("both ends of a partial range count from the same side") }
        let last = try scanner.positiveNumber()
        let sign = isFromEnd ? "-" : ""
        return PartialRange(positions: min(first, last)...max(first, last), isFromEnd: isFromEnd, description: "\(sign)\(min(first, last)):\(sign)\(max(first, last))")
    }

    /// The part of a result that it names, in the result's own order.
    public func slice<Item>(_ items: [Item]) -> ArraySlice<Item> {
        let count = items.count
        let first = Int(positions.lowerBound) - 1, end = min(Int(positions.upperBound), count)
        guard first < end else { return [] }
        return isFromEnd ? items[(count - end)..<(count - first)] : items[first..<end]
    }
}

/// SEARCH with its options.
public struct SearchRequest: Sendable, Hashable {
    /// RFC 4731; SAVE from RFC 5182.
    public enum Return: Sendable, Hashable {
        case min, max, all, count, save
        /// RFC 9394, RFC 5267 §4.4.
        case partial(PartialRange)
        /// RFC 5267 §4.2: a hint, which a server may ignore.
        case context
        /// RFC 5267 §4.3; with what to FETCH of messages that arrive and match (RFC 5465 §7).
        case update([FetchAttribute])
    }

    /// nil: the plain `* SEARCH` answer; else ESEARCH with these (an empty list in the command means ALL).
    public let returns: [Return]?
    public let key: SearchKey
    /// Whether CHARSET was given, which RFC 6855 §3 forbids after ENABLE UTF8=ACCEPT.
    public let namesCharset: Bool

    /// RFC 7162 §3.1.5: whether the answer tells a mod-sequence.
    public var namesModSequence: Bool { key.namesModSequence }
    /// UPDATE's items; nil without UPDATE.
    public var updates: [FetchAttribute]? {
        for case .update(let attributes) in returns ?? [] { return attributes }
        return nil
    }

    public init(_ key: SearchKey, returns: [Return]? = nil, namesCharset: Bool = false) {
        self.namesCharset = namesCharset
        self.key = key
        self.returns = returns
    }
}

extension SearchKey {
    /// Whether MODSEQ stands anywhere in it.
    public var namesModSequence: Bool {
        switch self {
        case .modSequence: true
        case .and(let keys): keys.contains(where: \.namesModSequence)
        case .or(let a, let b): a.namesModSequence || b.namesModSequence
        case .not(let key): key.namesModSequence
        default: false
        }
    }

    /// Whether `$` stands anywhere in it (RFC 5182).
    public var namesSaved: Bool {
        switch self {
        case .sequence(let set), .uid(let set): set.isSaved
        case .and(let keys): keys.contains(where: \.namesSaved)
        case .or(let a, let b): a.namesSaved || b.namesSaved
        case .not(let key): key.namesSaved
        default: false
        }
    }

    /// With the UIDs that `$` stands for in its place.
    public func resolvingSaved(_ uids: SequenceSet?) -> SearchKey {
        switch self {
        case .sequence(let set), .uid(let set): set.isSaved ? uids.map { .uid($0) } ?? .not(.all) : self
        case .and(let keys): .and(keys.map { $0.resolvingSaved(uids) })
        case .or(let a, let b): .or(a.resolvingSaved(uids), b.resolvingSaved(uids))
        case .not(let key): .not(key.resolvingSaved(uids))
        default: self
        }
    }
}
