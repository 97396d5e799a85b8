import NetworkAddress

/// A parsed file, before names and types are looked at.
struct FileSyntax {
    var rules: [RuleSyntax] = []
    var tests: [TestSyntax] = []
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

/// `sender.domain`, or `header["Subject"]`.
struct NameSyntax {
    enum Kind { case fact(String), header(String) }
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

        var decides: Bool {
            switch self {
            case .accept, .discard, .reject, .tempfail: true
            default: false
            }
        }
    }

    let kind: Kind
    let range: Range<Int>
}

/// A `test` block: facts given literally, and what is expected of the rules of one stage.
struct TestSyntax {
    let name: String
    let range: Range<Int>
    var stage: (PolicyStage, Range<Int>)?
    var given: [(NameSyntax, OperandSyntax)] = []
    var expected: [TestExpectationSyntax] = []
}

enum TestExpectationSyntax {
    /// `expect accept`, `expect reject 550`, `expect none`.
    case decision(word: String, code: Int?, Range<Int>)
    /// `expect rule "name"`, `expect not rule "name"`: it matched, or not.
    case rule(String, matched: Bool, Range<Int>)
    /// `expect action add keyword "$Leaked"`.
    case action(ActionSyntax)
}
