/// Reads APPEND and REPLACE piece by piece: what stands between the message literals.
///
///     append  = "APPEND" SP mailbox 1*append-message              ; RFC 3502
///     replace = ["UID" SP] "REPLACE" SP seq-number SP mailbox append-message   ; RFC 8508
///     append-message = SP [flag-list SP] [date-time SP] append-data
///     append-data = literal / literal8 / "CATENATE" SP "(" cat-part *(SP cat-part) ")" / "UTF8" SP "(" literal8 ")"
///     cat-part = "TEXT" SP literal / "URL" SP astring             ; RFC 4469
struct AppendGrammar: Sendable, Equatable {
    private enum State: Sendable, Equatable {
        case head
        case message
        /// Behind a literal that was a whole message.
        case behindLiteral
        case part, behindPart
        case behindUTF8
    }

    private var state = State.head
    private var tag = ""
    private var isReplace = false
    private var count = 0

    var knownTag: String? { tag.isEmpty ? nil : tag }

    /// Whether the command's first octets say that it is one of these.
    static func begins(_ command: ArraySlice<UInt8>) -> Bool {
        var scanner = Scanner(Array(command.prefix(300)))
        guard CommandParser.takeTag(&scanner) != nil else { return false }
        if scanner.keyword("UID") { return scanner.take(32) && scanner.keyword("REPLACE") }
        return scanner.keyword("APPEND") || scanner.keyword("REPLACE")
    }

    /// Reads one more piece, up to a literal's first octet or the command's end.
    /// - Returns: what happened, `literal` or `ends` last; nil when the piece ends at a literal that is an argument (a
    ///   mailbox name, a URL): then come again with its octets inline.
    mutating func read(_ piece: [UInt8], utf8Names: Bool = false) throws(ScanError) -> [AppendStep]? {
        var work = self
        var scanner = Scanner(piece)
        scanner.namesAreUTF8 = utf8Names
        var steps: [AppendStep] = []
        while true {
            guard let more = try work.step(&scanner, &steps) else { return nil }
            if !more { break }
        }
        guard scanner.position == piece.count || scanner.atEnd else { throw ScanError("unexpected text behind the message; its literal's size may be wrong") }
        self = work
        return steps
    }

    /// - Returns: whether there is more to read in this piece; nil when an argument is incomplete.
    private mutating func step(_ scanner: inout Scanner, _ steps: inout [AppendStep]) throws(ScanError) -> Bool? {
        switch state {
        case .head:
            guard let header = try head(&scanner) else { return nil }
            steps.append(.begins(header))
            state = .message
            return true
        case .message: return try message(&scanner, &steps)
        case .behindLiteral:
            steps.append(.messageEnds)
            return try behindMessage(&scanner, &steps)
        case .part: return try part(&scanner, &steps)
        case .behindPart:
            if scanner.take(32) {
                state = .part
                return true
            }
            fallthrough
        case .behindUTF8:
            try scanner.expect(41, ") behind the parts of the message")
            steps.append(.messageEnds)
            return try behindMessage(&scanner, &steps)
        }
    }

    private mutating func head(_ scanner: inout Scanner) throws(ScanError) -> AppendHeader? {
        guard let tag = CommandParser.takeTag(&scanner) else { throw ScanError("expected a tag") }
        self.tag = tag
        var numbering = Numbering.sequence
        if scanner.keyword("UID") {
            numbering = .uid
            try scanner.space()
        }
        isReplace = scanner.keyword("REPLACE")
        guard isReplace || scanner.keyword("APPEND") else { throw ScanError("expected APPEND") }
        try scanner.space()
        var replaced: AppendHeader.Replaced?
        if isReplace {
            let number = try SequenceSet.parse(&scanner)
            guard !number.isSaved, number.elements.count == 1, number.elements[0].first == number.elements[0].last else { throw ScanError("REPLACE takes one message") }
            replaced = AppendHeader.Replaced(number, numbering)
            try scanner.space()
        }
        guard !Self.isCut(scanner) else { return nil }
        return AppendHeader(tag: tag, mailbox: try MailboxName.parse(&scanner), replaces: replaced)
    }

    private mutating func message(_ scanner: inout Scanner, _ steps: inout [AppendStep]) throws(ScanError) -> Bool? {
        try scanner.space()
        // Python's IMAPClient puts two blanks between messages.
        if count > 0 { _ = scanner.run { $0 == 32 } }
        count += 1
        var flags: [Flag] = []
        if scanner.peek == 40 {
            flags = try CommandParser.flagList(&scanner)
            try scanner.space()
        }
        let date = scanner.peek == 34 ? try DateParser.dateTime(&scanner) : nil
        if date != nil { try scanner.space() }
        if scanner.keyword("CATENATE") {
            try scanner.space()
            try scanner.expect(40, "( before the parts of the message")
            steps.append(.message(AppendMessage(flags: flags, date: date, isCatenated: true)))
            state = .part
            return true
        }
        let isUTF8 = scanner.keyword("UTF8")
        if isUTF8 {
            try scanner.space()
            try scanner.expect(40, "( before the literal")
        }
        steps.append(.message(AppendMessage(flags: flags, date: date, isUTF8: isUTF8)))
        steps.append(.literal(try literal(&scanner, "the message as a literal")))
        state = isUTF8 ? .behindUTF8 : .behindLiteral
        return false
    }

    private mutating func part(_ scanner: inout Scanner, _ steps: inout [AppendStep]) throws(ScanError) -> Bool? {
        if scanner.keyword("TEXT") {
            try scanner.space()
            steps.append(.literal(try literal(&scanner, "a literal behind TEXT")))
            state = .behindPart
            return false
        }
        guard scanner.keyword("URL") else { throw ScanError("expected TEXT or URL") }
        try scanner.space()
        guard !Self.isCut(scanner) else { return nil }
        steps.append(.url(try scanner.text()))
        state = .behindPart
        return true
    }

    private mutating func behindMessage(_ scanner: inout Scanner, _ steps: inout [AppendStep]) throws(ScanError) -> Bool? {
        if scanner.atEnd {
            steps.append(.ends)
            return false
        }
        guard !isReplace, scanner.peek == 32 else { throw ScanError("unexpected text behind the message; its literal's size may be wrong") }
        state = .message
        return true
    }

    private func literal(_ scanner: inout Scanner, _ what: String) throws(ScanError) -> AppendLiteral {
        let start = scanner.position
        guard let size = try scanner.literalSize() else { throw ScanError("expected \(what)") }
        let marker = scanner.bytes[start..<scanner.position]
        return AppendLiteral(size: size, isSynchronising: !marker.contains(43), isBinary: marker.first == 126)
    }

    /// Whether the string here is a literal whose octets are still to come.
    private static func isCut(_ scanner: Scanner) -> Bool {
        var scanner = scanner
        guard scanner.peek == 123, let size = try? scanner.literalSize() else { return false }
        return scanner.position + size >= scanner.bytes.count
    }
}
