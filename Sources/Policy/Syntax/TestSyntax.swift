/// A `test` block as written, in one of two forms: the facts of one stage (`stage`, `given`), or a whole message with
/// its client, envelope and DNS (the clauses).
struct TestSyntax {
    let name: String
    /// The word `test`.
    let range: Range<Int>
    var stage: (PolicyStage, Range<Int>)?
    var given: [(NameSyntax, OperandSyntax)] = []
    var clauses: [TestClauseSyntax] = []
    var expected: [TestExpectationSyntax] = []

    /// Where nothing is said at all it is about a message, an ordinary one.
    var isAboutMessage: Bool { !clauses.isEmpty || (stage == nil && given.isEmpty) }
}

/// One line of a whole-message test.
struct TestClauseSyntax {
    enum Kind {
        case client(LiteralSyntax, name: LiteralSyntax?, isOwn: Bool)
        case helo(LiteralSyntax)
        case listener(LiteralSyntax)
        case tls(LiteralSyntax)
        case account(LiteralSyntax, owns: [LiteralSyntax])
        case earlier(LiteralSyntax, times: LiteralSyntax?)
        case sender(LiteralSyntax)
        case recipients([LiteralSyntax])
        case size(LiteralSyntax)
        case time(LiteralSyntax)
        case local([LiteralSyntax])
        case dns(TextBlock)
        case dnsFails([LiteralSyntax])
        case message(TextBlock)
        case messageFile(LiteralSyntax)
        case signature(domain: LiteralSyntax, selector: LiteralSyntax?)
        case tag(LiteralSyntax, TagStateSyntax)
    }

    enum TagStateSyntax {
        case owned([LiteralSyntax])
        case blocked, revoked
    }

    /// The word it begins with; those of ``once`` may stand in a test one time only.
    let word: String
    let kind: Kind
    let range: Range<Int>

    static let once: Set<String> = ["client", "helo", "listener", "tls", "account", "sender", "size", "time", "message"]
}

struct TestExpectationSyntax {
    enum Kind {
        /// `[stage] accept|reject|tempfail|discard|quarantine|none [code] [texts] [for "recipient"]`
        case decision(stage: PolicyStage?, word: String, code: Int?, texts: [LiteralSyntax], recipient: LiteralSyntax?)
        /// It matched, or not.
        case rule(String, wanted: Bool)
        case action(ActionSyntax)
        /// The field is there (with that value), or not.
        case header(LiteralSyntax, value: LiteralSyntax?, wanted: Bool)
        case folder(LiteralSyntax, wanted: Bool)
        case keyword(LiteralSyntax, wanted: Bool)
        case delivered(LiteralSyntax, wanted: Bool)
        /// A condition that must hold of the message as it leaves the chain.
        case that(ConditionSyntax)
    }

    let kind: Kind
    let range: Range<Int>
}
