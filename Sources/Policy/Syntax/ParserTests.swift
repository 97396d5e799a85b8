/// test "name" { stage message  given name = value …  expect … }, or with the clauses of a whole message.
extension Parser {
    mutating func test() throws -> TestSyntax {
        let start = current.range
        advance()
        var test = TestSyntax(name: try string("the test's name in quotes").text, range: start)
        try demandMark("{")
        while !takeMark("}") {
            if takeWord("stage") { test.stage = try stageName() }
            else if takeWord("given") { test.given.append(try given()) }
            else if isWord("expect") { test.expected.append(try expectation()) }
            else { test.clauses.append(try clause()) }
        }
        return test
    }

    private mutating func given() throws -> (NameSyntax, OperandSyntax) {
        let name = try name()
        guard takeMark("=") else { throw unexpected("'='", fix: "write: given client.ip = 192.0.2.1") }
        return (name, try operand())
    }

    private mutating func clause() throws -> TestClauseSyntax {
        let start = current
        guard case .word(let word) = start.kind, Self.clauseWords.contains(word) else {
            throw unexpected("'expect', '}', 'stage' and 'given', or what a message comes with (\(Self.clauseWords.joined(separator: ", ")))", fix: Self.clauseFix(start))
        }
        advance()
        return TestClauseSyntax(word: word, kind: try clauseKind(word), range: start.range.lowerBound..<lastEnd)
    }

    private mutating func clauseKind(_ word: String) throws -> TestClauseSyntax.Kind {
        switch word {
        case "client": try client()
        case "helo": .helo(try string("the name that the client says, in quotes").literal)
        case "listener": .listener(try wordOrString("a listener such as submission"))
        case "tls": .tls(try wordOrString("a version such as TLSv1.3"))
        case "account": try account()
        case "earlier": .earlier(try duration("how long before, such as 10m"), times: takeWord("times") ? try number("how often") : nil)
        case "sender": .sender(try string("the sender's address in quotes; \"\" is a bounce's").literal)
        case "recipient": .recipients(try strings("a recipient's address in quotes"))
        case "size": .size(try number("the declared size such as 30M"))
        case "time": .time(try string("a time such as \"2026-03-01T12:00:00Z\"").literal)
        case "local": .local(try strings("a domain of ours in quotes"))
        case "dns": try dns()
        case "message": try message()
        case "dkim": try signature()
        default: try tag()
        }
    }

    /// `client 192.0.2.7 [name "mx.example"] [own]`
    private mutating func client() throws -> TestClauseSyntax.Kind {
        guard case .network = current.kind else { throw unexpected("the client's address", fix: "write: client 192.0.2.7 name \"mx.example\"") }
        let address = LiteralSyntax(kind: current.kind, range: current.range)
        advance()
        let name = takeWord("name") ? try string("the client's name in quotes").literal : nil
        return .client(address, name: name, isOwn: takeWord("own"))
    }

    /// `account "alice" [owns "alice@example.org", …]`
    private mutating func account() throws -> TestClauseSyntax.Kind {
        let name = try string("the account's name in quotes").literal
        return .account(name, owns: takeWord("owns") ? try strings("an address in quotes") : [])
    }

    /// `dns """ records """` or `dns fails "name", …`
    private mutating func dns() throws -> TestClauseSyntax.Kind {
        if takeWord("fails") { return .dnsFails(try strings("a name that no server answers for, in quotes")) }
        return .dns(try block("DNS records between \"\"\" and \"\"\", or 'fails'"))
    }

    /// `message """ text """` or `message file "path"`
    private mutating func message() throws -> TestClauseSyntax.Kind {
        if takeWord("file") { return .messageFile(try string("the message's file in quotes").literal) }
        return .message(try block("a message between \"\"\" and \"\"\", or 'file'"))
    }

    /// `dkim signed by "domain" [selector "s"]`
    private mutating func signature() throws -> TestClauseSyntax.Kind {
        for word in ["signed", "by"] where !takeWord(word) { throw unexpected("'\(word)'", fix: "write: dkim signed by \"shop.example\"") }
        let domain = try string("the signing domain in quotes").literal
        return .signature(domain: domain, selector: takeWord("selector") ? try string("the selector in quotes").literal : nil)
    }

    /// `tag "alice+shop@example.org" owned by "shop.example", …`, or `blocked`, or `revoked`
    private mutating func tag() throws -> TestClauseSyntax.Kind {
        let address = try string("the tagged address in quotes").literal
        if takeWord("blocked") { return .tag(address, .blocked) }
        if takeWord("revoked") { return .tag(address, .revoked) }
        for word in ["owned", "by"] where !takeWord(word) { throw unexpected("'owned by \"domain\"', 'blocked' or 'revoked'") }
        return .tag(address, .owned(try strings("the owner's domain in quotes")))
    }

    private static let clauseWords = ["client", "helo", "listener", "tls", "account", "sender", "recipient", "size", "time", "local", "earlier", "dns", "message", "dkim", "tag"]
    private static let clauseAliases = ["from": "sender", "to": "recipient", "rcpt": "recipient", "mail": "sender", "ehlo": "helo", "ip": "client", "body": "message", "zone": "dns", "user": "account"]

    private static func clauseFix(_ token: Token) -> String? {
        guard case .word(let word) = token.kind else { return nil }
        let known = clauseWords + ["stage", "given", "expect"]
        return (clauseAliases[word.lowercased()] ?? Spelling.nearest(to: word, among: known)).map { "did you mean '\($0)'?" }
    }
}

// MARK: Values of clauses
extension Parser {
    /// One string or more, with commas between them.
    private mutating func strings(_ wanted: String) throws -> [LiteralSyntax] {
        var out = [try string(wanted).literal]
        while takeMark(",") { out.append(try string(wanted).literal) }
        return out
    }

    private mutating func block(_ wanted: String) throws -> TextBlock {
        guard case .block(let block) = current.kind else { throw unexpected(wanted) }
        advance()
        return block
    }

    /// `10m` may be read as a size: the checker tells them apart.
    private mutating func duration(_ wanted: String) throws -> LiteralSyntax {
        guard let literal = try signed() else { throw unexpected(wanted) }
        return literal
    }

    private mutating func wordOrString(_ wanted: String) throws -> LiteralSyntax {
        switch current.kind {
        case .word, .string: break
        default: throw unexpected(wanted)
        }
        defer { advance() }
        return LiteralSyntax(kind: current.kind, range: current.range)
    }
}
