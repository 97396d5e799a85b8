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
        case "exempt":
            try second("tag", after: word)
            return .exemptTag(try string("the reason in quotes").literal)
        case "redirect":
            try second("to", after: word)
            return .redirect(try string("the address in quotes").literal)
        case "copy":
            try second("to", after: word)
            return .copy(try string("the address in quotes").literal)
        case "change":
            guard takeWord("recipient"), takeWord("to") else { throw unexpected("'recipient to'", fix: "write 'change recipient to'") }
            return .changeRecipient(try string("the address in quotes").literal)
        case "limit": return try limiting()
        case "greylist": return .greylist(try greylistTerms())
        case "require": return try requiring()
        case "next":
            try second("file", after: word)
            return .nextFile
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

    /// `limit rate(client.ip, 1h) to 100`
    private mutating func limiting() throws -> ActionSyntax.Kind {
        let example = "write: limit rate(client.ip, 1h) to 100"
        guard isWord("rate") else { throw unexpected("'rate'", fix: example) }
        let rate = try name()
        guard takeWord("to") else { throw unexpected("'to' and a number", fix: example) }
        return .limit(rate, try number("a number"))
    }

    /// `delay 5m retry 2d keep 35d trust 5`, each of which may be left out.
    private mutating func greylistTerms() throws -> [(Token, LiteralSyntax)] {
        var terms: [(Token, LiteralSyntax)] = []
        while case .word(let word) = current.kind, Self.greylistWords.contains(word) {
            let token = current
            advance()
            guard let value = try signed() else { throw unexpected(word == "trust" ? "a number" : "a length of time such as 5m") }
            terms.append((token, value))
        }
        return terms
    }

    private static let greylistWords = ["delay", "retry", "keep", "trust"]

    /// `require tls [>= TLSv1.2]`
    private mutating func requiring() throws -> ActionSyntax.Kind {
        try second("tls", after: "require")
        guard takeMark(">=") else { return .requireTLS(nil) }
        let token = current
        guard case .word = token.kind else { throw unexpected("a version such as TLSv1.2") }
        advance()
        return .requireTLS(LiteralSyntax(kind: token.kind, range: token.range))
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

    private static let actionWords = ["accept", "reject", "tempfail", "discard", "quarantine", "add", "set", "remove", "subject", "file",
        "redirect", "copy", "change", "limit", "greylist", "require", "next", "exempt"]
    private static let actionList = "the actions are accept, reject, tempfail, discard, quarantine, add header, set header, remove header, subject prefix, file into, add keyword, redirect to, copy to, change recipient to, limit, greylist, require tls, next file, exempt tag"
}
