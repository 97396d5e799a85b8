import InternetMessage

/// SEARCH (RFC 3501 §6.4.4, RFC 4731, RFC 5032, RFC 5267).
enum SearchParser {
    static func request(_ scanner: inout Scanner) throws(ScanError) -> SearchRequest {
        try scanner.space()
        let returns = try returns(&scanner)
        var charset = "UTF-8"
        let namesCharset = scanner.keyword("CHARSET")
        if namesCharset {
            try scanner.space()
            charset = try self.charset(&scanner)
            try scanner.space()
        }
        return SearchRequest(try keys(&scanner, charset: charset), returns: returns, namesCharset: namesCharset)
    }

    /// `["RETURN" SP "(" … ")" SP]`
    static func returns(_ scanner: inout Scanner) throws(ScanError) -> [SearchRequest.Return]? {
        guard scanner.keyword("RETURN") else { return nil }
        try scanner.space()
        let options = try returnOptions(&scanner)
        try scanner.space()
        return options
    }

    static func charset(_ scanner: inout Scanner) throws(ScanError) -> String {
        let charset = try scanner.text()
        guard Charset.isKnown(charset) else { throw ScanError("charset \(charset.prefix(40)) is not supported", code: .badCharset(["US-ASCII", "UTF-8"])) }
        return charset
    }

    /// `search-key *(SP search-key)`
    static func keys(_ scanner: inout Scanner, charset: String) throws(ScanError) -> SearchKey {
        var keys = KeyParser(charset: charset)
        return try keys.conjunction(&scanner, depth: 0)
    }

    /// RFC 4731 §3.1: the empty list means ALL.
    private static func returnOptions(_ scanner: inout Scanner) throws(ScanError) -> [SearchRequest.Return] {
        let options = try scanner.list(allowEmpty: true) { (scanner) throws(ScanError) in
            try returnOption(&scanner)
        }
        let partials = options.filter { if case .partial = $0 { true } else { false } }.count
        // RFC 9394 §3.1: one PARTIAL, and not beside ALL.
        guard partials == 0 || (partials == 1 && !options.contains(.all)) else { throw ScanError("PARTIAL stands once, and not beside ALL") }
        return options.isEmpty ? [.all] : options
    }

    private static func returnOption(_ scanner: inout Scanner) throws(ScanError) -> SearchRequest.Return {
        let word = ASCII.upper(try scanner.atom("a SEARCH return option"))
        switch word {
        case "MIN": return .min
        case "MAX": return .max
        case "ALL": return .all
        case "COUNT": return .count
        case "SAVE": return .save
        case "PARTIAL":
            try scanner.space()
            return .partial(try PartialRange.parse(&scanner))
        case "CONTEXT": return .context
        case "UPDATE": return .update(try updateAttributes(&scanner))
        default: throw ScanError("unknown SEARCH return option \(word.prefix(32))")
        }
    }
}

extension SearchParser {
    /// `["(" fetch-att *(SP fetch-att) ")"]` behind UPDATE (RFC 5465 §8; the example in §7 has a space before it).
    private static func updateAttributes(_ scanner: inout Scanner) throws(ScanError) -> [FetchAttribute] {
        var ahead = scanner
        _ = ahead.take(32)
        guard ahead.peek == 40 else { return [] }
        scanner = ahead
        return try FetchParser.attributes(&scanner, uid: false)
    }
}

/// Search keys, with nesting and number of keys bounded.
private struct KeyParser {
    let charset: String
    var count = 0

    init(charset: String) { self.charset = charset }

    /// Keys with spaces between them, all of which must hold.
    mutating func conjunction(_ scanner: inout Scanner, depth: Int) throws(ScanError) -> SearchKey {
        var keys = [try key(&scanner, depth: depth)]
        while scanner.take(32) { keys.append(try key(&scanner, depth: depth)) }
        return keys.count == 1 ? keys[0] : .and(keys)
    }

    private mutating func key(_ scanner: inout Scanner, depth: Int) throws(ScanError) -> SearchKey {
        count += 1
        guard depth < CommandParser.nestingLimit, count <= 4096 else { throw ScanError("the search is too complex") }
        if scanner.take(40) {
            let inner = try conjunction(&scanner, depth: depth + 1)
            try scanner.expect(41, ")")
            return inner
        }
        if let byte = scanner.peek, ASCII.isDigit(byte) || byte == 42 || byte == 36 { return .sequence(try SequenceSet.parse(&scanner)) }
        let word = ASCII.upper(try scanner.atom("a search key"))
        if let simple = Self.simple(word) { return simple }
        guard Self.takesArgument.contains(word) else { throw ScanError("unknown search key \(word.prefix(32))") }
        try scanner.space()
        return try withArgument(word, &scanner, depth: depth)
    }

    private static func simple(_ word: String) -> SearchKey? {
        switch word {
        case "ALL": .all
        case "ANSWERED": .flag(.answered)
        case "DELETED": .flag(.deleted)
        case "DRAFT": .flag(.draft)
        case "FLAGGED": .flag(.flagged)
        case "SEEN": .flag(.seen)
        case "UNANSWERED": .not(.flag(.answered))
        case "UNDELETED": .not(.flag(.deleted))
        case "UNDRAFT": .not(.flag(.draft))
        case "UNFLAGGED": .not(.flag(.flagged))
        case "UNSEEN": .not(.flag(.seen))
        case "RECENT": .recent
        case "OLD": .not(.recent)
        case "NEW": .and([.recent, .not(.flag(.seen))])
        // RFC 8514 §4.3: every mailbox here knows its save dates.
        case "SAVEDATESUPPORTED": .all
        default: nil
        }
    }

    private static let takesArgument: Set<String> = [
        "NOT", "OR", "KEYWORD", "UNKEYWORD", "UID", "BEFORE", "ON", "SINCE", "SENTBEFORE", "SENTON", "SENTSINCE", "YOUNGER", "OLDER",
        "SAVEDBEFORE", "SAVEDON", "SAVEDSINCE", "EMAILID", "THREADID", "LARGER", "SMALLER", "MODSEQ", "HEADER", "BCC", "CC", "FROM", "TO", "SUBJECT", "BODY", "TEXT",
    ]

    private mutating func withArgument(_ word: String, _ scanner: inout Scanner, depth: Int) throws(ScanError) -> SearchKey {
        switch word {
        case "NOT": return .not(try key(&scanner, depth: depth + 1))
        case "OR":
            let first = try key(&scanner, depth: depth + 1)
            try scanner.space()
            return .or(first, try key(&scanner, depth: depth + 1))
        case "KEYWORD": return .flag(try keyword(&scanner))
        case "UNKEYWORD": return .not(.flag(try keyword(&scanner)))
        case "UID": return .uid(try SequenceSet.parse(&scanner))
        case "BEFORE": return .before(try DateParser.searchDay(&scanner))
        case "ON": return .on(try DateParser.searchDay(&scanner))
        case "SINCE": return .since(try DateParser.searchDay(&scanner))
        case "SENTBEFORE": return .sentBefore(try DateParser.searchDay(&scanner))
        case "SENTON": return .sentOn(try DateParser.searchDay(&scanner))
        case "SENTSINCE": return .sentSince(try DateParser.searchDay(&scanner))
        case "SAVEDBEFORE": return .savedBefore(try DateParser.searchDay(&scanner))
        case "SAVEDON": return .savedOn(try DateParser.searchDay(&scanner))
        case "SAVEDSINCE": return .savedSince(try DateParser.searchDay(&scanner))
        case "EMAILID": return .emailID(try scanner.atom("an email id"))
        case "THREADID": return .threadID(try scanner.atom("a thread id"))
        case "YOUNGER": return .younger(try scanner.positiveNumber())
        case "OLDER": return .older(try scanner.positiveNumber())
        case "LARGER": return .larger(try scanner.number64())
        case "SMALLER": return .smaller(try scanner.number64())
        case "HEADER":
            let name = try scanner.text()
            try scanner.space()
            return .header(name, try text(&scanner))
        case "MODSEQ": return .modSequence(try modSequence(&scanner))
        case "BODY": return .body(try text(&scanner))
        case "TEXT": return .text(try text(&scanner))
        default: return .header(word, try text(&scanner))  // BCC, CC, FROM, SUBJECT, TO
        }
    }

    private func keyword(_ scanner: inout Scanner) throws(ScanError) -> Flag { Flag(unchecked: try scanner.atom("a keyword")) }

    /// `[entry-name SP entry-type-req SP] mod-sequence-valzer`: there is one number per message, whatever the entry asked for.
    private func modSequence(_ scanner: inout Scanner) throws(ScanError) -> UInt64 {
        if scanner.peek == 34 {
            _ = try scanner.string()
            try scanner.space()
            guard ["PRIV", "SHARED", "ALL"].contains(ASCII.upper(try scanner.atom("priv, shared or all"))) else { throw ScanError("expected priv, shared or all") }
            try scanner.space()
        }
        return try scanner.modSequence()
    }

    private func text(_ scanner: inout Scanner) throws(ScanError) -> String {
        let bytes = try scanner.astring()
        guard let text = Charset.decodeStrictly(bytes, charset: charset) else { throw ScanError("a search text is not valid \(charset)") }
        return text
    }
}
