/// The actions: a decision (`accept`, `reject`, `tempfail`, `discard`) or a mark that lets the rules go on.
extension Parser {
    mutating func action() throws -> ActionSyntax {
        let start = current
        guard case .word(let word) = start.kind else { throw unexpected("an action", fix: Self.actionList) }
        advance()
        let kind = try actionKind(word, start)
        return ActionSyntax(kind: kind, range: start.range.lowerBound..<lastEnd)
    }

    private mutating func actionKind(_ word: String, _ start: Token) throws -> ActionSyntax.Kind {
        switch word {
        case "accept": return .accept
        case "discard": return .discard
        case "reject": return .reject(code: takeNumber(), texts: takeStrings())
        case "tempfail": return .tempfail(code: takeNumber(), texts: takeStrings())
        case "quarantine": return .quarantine(try string("the reason in quotes").literal)
        case "add": return try adding()
        case "set":
            try second("header", after: word)
            return .setHeader(try string("the header's name in quotes").literal, try string("its value in quotes").literal)
        case "remove":
            try second("header", after: word)
            return .removeHeader(try string("the header's name in quotes").literal)
        case "subject":
            try second("prefix", after: word)
            return .subjectPrefix(try string("the prefix in quotes").literal)
        case "file":
            try second("into", after: word)
            return .fileInto(try string("the folder's name in quotes").literal)
        default:
            let nearest = Spelling.nearest(to: word, among: Self.actionWords).map { "did you mean '\($0)'?" }
            throw mistake(start.range, "there is no action '\(word)'", fix: nearest ?? Self.actionList)
        }
    }

    private mutating func adding() throws -> ActionSyntax.Kind {
        if takeWord("keyword") { return .addKeyword(try string("the keyword in quotes").literal) }
        guard takeWord("header") else { throw unexpected("'header' or 'keyword'") }
        return .addHeader(try string("the header's name in quotes").literal, try string("its value in quotes").literal)
    }

    private mutating func second(_ word: String, after first: String) throws {
        if !takeWord(word) { throw unexpected("'\(word)'", fix: "write '\(first) \(word)'") }
    }

    private mutating func takeNumber() -> LiteralSyntax? {
        guard case .number = current.kind else { return nil }
        defer { advance() }
        return LiteralSyntax(kind: current.kind, range: current.range)
    }

    private mutating func takeStrings() -> [LiteralSyntax] {
        var out: [LiteralSyntax] = []
        while let next = takeString() { out.append(next) }
        return out
    }

    private static let actionWords = ["accept", "reject", "tempfail", "discard", "quarantine", "add", "set", "remove", "subject", "file"]
    private static let actionList = "the actions are accept, reject, tempfail, discard, quarantine, add header, set header, remove header, subject prefix, file into, add keyword"
}
