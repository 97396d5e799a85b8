/// Turns tokens into rules and tests. After a mistake it goes on at the next `stage`, `rule` or `test`, so that one
/// reading shows the mistakes of every rule.
struct Parser {
    /// How deep parentheses and `not` may nest; the parser and the evaluator recurse that far.
    static let nestingLimit = 64

    let source: SourceText
    private let tokens: [Token]
    private var index = 0
    private var bag = DiagnosticBag()
    var depth = 0
    private var stage: PolicyStage?
    private var stageIsUnknown = false
    private var file = FileSyntax()

    /// A mistake on its way out to the item it spoils.
    struct Mistake: Error { let diagnostic: PolicyDiagnostic }

    private init(_ source: SourceText, _ tokens: [Token]) {
        self.source = source
        self.tokens = tokens
    }

    static func parse(_ source: SourceText) -> (file: FileSyntax, errors: [PolicyDiagnostic]) {
        let (tokens, errors) = Lexer.tokens(of: source)
        // Tokens are missing after a lexical mistake; what the parser would say about that is noise.
        guard errors.isEmpty else { return (FileSyntax(), errors) }
        var parser = Parser(source, tokens)
        while !parser.atEnd, !parser.bag.isFull { parser.item() }
        return (parser.file, parser.bag.all)
    }

    private mutating func item() {
        let isTest = isWord("test"), start = index
        do {
            if takeWord("stage") { try enterStage() }
            else if isWord("rule") {
                let rule = try rule()
                if !stageIsUnknown { file.rules.append(rule) }
            } else if isTest { file.tests.append(try test()) }
            else if isWord("dnsbl") { file.blocklists.append(try blocklist()) }
            else { throw unexpected("'stage', 'rule', 'dnsbl' or 'test'", fix: itemFix) }
        } catch let mistake as Mistake {
            bag.add(mistake.diagnostic)
            recover(inTest: isTest, from: start)
        } catch {}
    }

    private var itemFix: String? {
        guard case .word(let word) = current.kind else { return nil }
        if word == "if" || word == "when" { return "write: rule \"name\" when … then …" }
        return Spelling.nearest(to: word, among: ["stage", "rule", "dnsbl", "test"]).map { "did you mean '\($0)'?" }
    }

    /// After a stage that does not exist the rules are read for their grammar only: their stage is not known.
    private mutating func enterStage() throws {
        stageIsUnknown = true
        stage = stage ?? .message
        stage = try stageName().0
        stageIsUnknown = false
    }

    private mutating func recover(inTest: Bool, from start: Int) {
        depth = 0
        // `rule` and `stage` also stand inside a test's braces: first leave those.
        while inTest, !atEnd, !isMark("}") { advance() }
        if index == start { advance() }
        while !atEnd, !isWord("rule"), !isWord("test"), !isWord("stage"), !isWord("dnsbl") { advance() }
    }

    mutating func stageName() throws -> (PolicyStage, Range<Int>) {
        let token = current
        guard case .word(let word) = token.kind else { throw unexpected("a stage: \(Self.stageNames.joined(separator: ", "))") }
        guard let stage = PolicyStage(rawValue: word) else {
            throw mistake(token.range, "there is no stage '\(word)'", fix: Self.stageFix(word))
        }
        advance()
        return (stage, token.range)
    }

    private static let stageNames = PolicyStage.allCases.map(\.rawValue)

    private static func stageFix(_ word: String) -> String {
        let aliases = ["eom": "message", "end": "message", "from": "mail", "to": "rcpt", "recipient": "rcpt", "ehlo": "helo", "header": "message", "body": "message"]
        if let meant = aliases[word.lowercased()] ?? Spelling.nearest(to: word, among: stageNames) { return "write 'stage \(meant)'" }
        return "the stages are " + stageNames.joined(separator: ", ")
    }

    /// `rule "name" [when condition] then action { , action }`
    private mutating func rule() throws -> RuleSyntax {
        let start = current.range
        advance()
        guard let stage else {
            throw mistake(start, "the rule stands in no stage", fix: "write 'stage rcpt' (or another) above it")
        }
        if case .word(let word) = current.kind, word != "when", word != "then" { throw unexpected("the rule's name in quotes", fix: "write rule \"\(word)\"") }
        let name = try string("the rule's name in quotes").text
        let condition = takeWord("when") ? try condition() : nil
        guard takeWord("then") else {
            throw unexpected(condition == nil ? "'when' or 'then'" : "'and', 'or' or 'then'", fix: isMark("{") ? "a rule has no braces: when … then action, action" : nil)
        }
        var actions = [try action()]
        while takeMark(",") { actions.append(try action()) }
        return RuleSyntax(stage: stage, name: name, range: start.lowerBound..<lastEnd, condition: condition, actions: actions)
    }
}

// MARK: Token access for the parts of the grammar
extension Parser {
    var current: Token { tokens[min(index, tokens.count - 1)] }
    var atEnd: Bool { current.kind == .end }
    var lastEnd: Int { index > 0 ? tokens[index - 1].range.upperBound : 0 }

    mutating func advance() { if !atEnd { index += 1 } }
    func isWord(_ word: String) -> Bool { current.kind == .word(word) }
    func isMark(_ mark: String) -> Bool { current.kind == .mark(mark) }

    mutating func takeWord(_ word: String) -> Bool {
        guard isWord(word) else { return false }
        advance()
        return true
    }

    mutating func takeMark(_ mark: String) -> Bool {
        guard isMark(mark) else { return false }
        advance()
        return true
    }

    mutating func demandMark(_ mark: String) throws { if !takeMark(mark) { throw unexpected("'\(mark)'") } }

    /// A string token: what it says, and the literal.
    mutating func string(_ wanted: String) throws -> (text: String, literal: LiteralSyntax) {
        let token = current
        guard case .string(let text) = token.kind else { throw unexpected(wanted) }
        advance()
        return (text, LiteralSyntax(kind: token.kind, range: token.range))
    }

    mutating func takeString() -> LiteralSyntax? {
        guard case .string = current.kind else { return nil }
        defer { advance() }
        return LiteralSyntax(kind: current.kind, range: current.range)
    }

    func mistake(_ range: Range<Int>, _ message: String, fix: String? = nil) -> Mistake {
        Mistake(diagnostic: source.diagnostic(range, message, fix: fix))
    }

    func unexpected(_ wanted: String, fix: String? = nil) -> Mistake {
        mistake(current.range, "expected \(wanted), found \(current.shown)", fix: fix)
    }
}
