/// One criterion of SORT (RFC 5256 §3).
public struct SortCriterion: Sendable, Hashable {
    public enum Key: String, Sendable, Hashable, CaseIterable {
        case arrival = "ARRIVAL", cc = "CC", date = "DATE", from = "FROM", size = "SIZE", subject = "SUBJECT", to = "TO"
        /// RFC 5957: what a client shows.
        case displayFrom = "DISPLAYFROM", displayTo = "DISPLAYTO"
    }

    public let key: Key
    public let isReversed: Bool

    public init(_ key: Key, reversed: Bool = false) {
        self.key = key
        isReversed = reversed
    }
}

/// The algorithms of RFC 5256 §3.
public enum ThreadAlgorithm: String, Sendable, Hashable, CaseIterable {
    case orderedSubject = "ORDEREDSUBJECT", references = "REFERENCES"
}

/// SORT and THREAD (RFC 5256 §5), SORT's RETURN from RFC 5267.
enum SortParser {
    static func sort(_ scanner: inout Scanner, _ numbering: Numbering) throws(ScanError) -> Command {
        try scanner.space()
        var returns = try SearchParser.returns(&scanner)
        let criteria = try scanner.list { (scanner) throws(ScanError) in try criterion(&scanner) }
        try scanner.space()
        // RFC 5267 §5 has RETURN first; its appendix A.1 has it here, and some clients behind the charset.
        if returns == nil { returns = try SearchParser.returns(&scanner) }
        let charset = try SearchParser.charset(&scanner)
        try scanner.space()
        if returns == nil { returns = try SearchParser.returns(&scanner) }
        return .sort(criteria, SearchRequest(try SearchParser.keys(&scanner, charset: charset), returns: returns), numbering)
    }

    static func thread(_ scanner: inout Scanner, _ numbering: Numbering) throws(ScanError) -> Command {
        try scanner.space()
        let word = ASCII.upper(try scanner.atom("a threading algorithm"))
        guard let algorithm = ThreadAlgorithm(rawValue: word) else { throw ScanError("unknown threading algorithm \(word.prefix(32))") }
        try scanner.space()
        return .thread(algorithm, try keys(&scanner), numbering)
    }

    /// `sort-criterion = ["REVERSE" SP] sort-key`
    private static func criterion(_ scanner: inout Scanner) throws(ScanError) -> SortCriterion {
        let reversed = scanner.keyword("REVERSE")
        if reversed { try scanner.space() }
        let word = ASCII.upper(try scanner.atom("a sort key"))
        guard let key = SortCriterion.Key(rawValue: word) else { throw ScanError("unknown sort key \(word.prefix(32))") }
        return SortCriterion(key, reversed: reversed)
    }

    /// `search-criteria = charset 1*(SP search-key)`; unlike in SEARCH the charset is not optional.
    private static func keys(_ scanner: inout Scanner) throws(ScanError) -> SearchKey {
        let charset = try SearchParser.charset(&scanner)
        try scanner.space()
        return try SearchParser.keys(&scanner, charset: charset)
    }
}
