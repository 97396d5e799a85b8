import NetworkAddress

/// A parsed file, before names and types are looked at.
struct FileSyntax {
    var rules: [RuleSyntax] = []
    var tests: [TestSyntax] = []
    var blocklists: [BlocklistSyntax] = []
}

/// A `dnsbl` declaration.
struct BlocklistSyntax {
    struct List {
        let zone: LiteralSyntax
        var weight: LiteralSyntax?
        /// Single answers, ranges and networks.
        var answers: [LiteralSyntax] = []

        init(zone: LiteralSyntax) { self.zone = zone }
    }

    let name: LiteralSyntax
    let lists: [List]
}

struct RuleSyntax {
    let stage: PolicyStage
    let name: String
    /// From `rule` to the last token.
    let range: Range<Int>
    /// nil: the rule always matches.
    let condition: ConditionSyntax?
    let actions: [ActionSyntax]
}

indirect enum ConditionSyntax {
    case any([ConditionSyntax])
    case all([ConditionSyntax])
    case not(ConditionSyntax)
    case constant(Bool)
    case comparison(ComparisonSyntax)
}

/// `name operator operand`, or a name alone.
struct ComparisonSyntax {
    let name: NameSyntax
    let comparison: (Comparison, Range<Int>, OperandSyntax)?
}

enum Comparison: String, CaseIterable {
    case equal = "==", notEqual = "!=", less = "<", lessOrEqual = "<=", greater = ">", greaterOrEqual = ">="
    case isIn = "in", notIn = "not in", contains, matches

    var isOrder: Bool { [.less, .lessOrEqual, .greater, .greaterOrEqual].contains(self) }
}

/// `sender.domain`, `header["Subject"]`, `dnsbl["spam"]` or `rate(client.ip, 1h)`.
struct NameSyntax {
    enum Kind {
        case fact(String), header(String)
        /// About one name, or none: then about the client.
        case blocklist(LiteralSyntax, about: [NameSyntax])
        case rate([NameSyntax], LiteralSyntax)
    }
    let kind: Kind
    let range: Range<Int>
}

/// What stands on the right.
enum OperandSyntax {
    case literal(LiteralSyntax)
    case header(NameSyntax)
    case list([LiteralSyntax], Range<Int>)
    case table(String, Range<Int>)

    var range: Range<Int> {
        switch self {
        case .literal(let literal): literal.range
        case .header(let name): name.range
        case .list(_, let range), .table(_, let range): range
        }
    }
}

/// A value as written. A word may be a word value, a fact's name, `missing`, `true` or `false`: the checker decides.
struct LiteralSyntax {
    let kind: Token.Kind
    let range: Range<Int>
}

/// An action's word and what follows it.
struct ActionSyntax {
    enum Kind {
        case accept, discard
        case reject(code: LiteralSyntax?, texts: [LiteralSyntax])
        case tempfail(code: LiteralSyntax?, texts: [LiteralSyntax])
        case quarantine(LiteralSyntax)
        case addHeader(LiteralSyntax, LiteralSyntax)
        case setHeader(LiteralSyntax, LiteralSyntax)
        case removeHeader(LiteralSyntax)
        case subjectPrefix(LiteralSyntax)
        case fileInto(LiteralSyntax)
        case addKeyword(LiteralSyntax)
        case exemptTag(LiteralSyntax)
        case redirect(LiteralSyntax)
        case copy(LiteralSyntax)
        case changeRecipient(LiteralSyntax)
        case limit(NameSyntax, LiteralSyntax)
        /// Words and what they set: `delay 5m`.
        case greylist([(Token, LiteralSyntax)])
        case requireTLS(LiteralSyntax?)
        case nextFile

        /// Whether no action of the rule can follow.
        var decides: Bool {
            switch self {
            case .accept, .discard, .reject, .tempfail, .nextFile: true
            default: false
            }
        }
    }

    let kind: Kind
    let range: Range<Int>
}
