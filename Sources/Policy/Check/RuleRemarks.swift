/// Looks for what is no mistake, and probably not meant so. Files are looked at in the order in which they are loaded.
struct RuleRemarks {
    private(set) var warnings: [PolicyDiagnostic] = []
    /// Of each stage the rule that always decides, as it is shown.
    private var ends: [PolicyStage: String] = [:]
    /// The same of `next file`, for the file at hand.
    private var fileEnds: [String: String] = [:]
    private var testNames: [String: String] = [:]

    mutating func look(at rule: RuleSyntax, _ source: SourceText) {
        if let end = ends[rule.stage] ?? fileEnds["\(rule.stage.rawValue) \(source.file)"] {
            warn(source, rule.range, "this rule is never asked: rule \(end) decides about everything that reaches it", "give that rule a condition, or put it last")
        } else if rule.condition.map({ $0.constant == true }) ?? true {
            noteEnd(rule, source)
        }
        if let condition = rule.condition, condition.constant == false {
            warn(source, rule.range, "this rule never matches: its condition is always false", "take the rule out, or mend the condition")
        } else if let fact = rule.condition?.contradiction {
            warn(source, rule.range, "this rule never matches: \(fact) cannot equal two different values at once", "join the two with 'or', or write \(fact) in […]")
        }
    }

    private mutating func noteEnd(_ rule: RuleSyntax, _ source: SourceText) {
        let place = "\"\(rule.name)\" at \(source.file):\(source.line(of: rule.range.lowerBound))"
        for action in rule.actions where action.kind.decides {
            if case .nextFile = action.kind { fileEnds["\(rule.stage.rawValue) \(source.file)"] = place } else { ends[rule.stage] = place }
        }
    }

    /// DNS lists that no rule asks.
    mutating func look(atLists files: [(SourceText, FileSyntax)]) {
        let used = Set(files.flatMap { $0.1.rules }.flatMap { $0.condition?.lists ?? [] })
        for (source, syntax) in files {
            for declared in syntax.blocklists {
                guard case .string(let name) = declared.name.kind, !used.contains(name) else { continue }
                warn(source, declared.name.range, "no rule asks the DNS lists \"\(name)\"", "take them out, or ask for dnsbl[\"\(name)\"]", whole: true)
            }
        }
    }

    mutating func look(at test: TestSyntax, _ source: SourceText) {
        let place = "\(source.file):\(source.line(of: test.range.lowerBound))"
        if let first = testNames[test.name] { warn(source, test.range, "there is a test \"\(test.name)\" already, at \(first)", "give each test a name of its own: it is how a failure is told") }
        testNames[test.name] = testNames[test.name] ?? place
    }

    private mutating func warn(_ source: SourceText, _ range: Range<Int>, _ message: String, _ fix: String, whole: Bool = false) {
        guard warnings.count < DiagnosticBag.limit else { return }
        // A rule may run over many lines: its first word is enough to point at.
        let word = whole ? range : range.lowerBound..<min(range.upperBound, range.lowerBound + 4)
        warnings.append(source.diagnostic(word, message, fix: fix).asWarning)
    }
}

extension ConditionSyntax {
    /// What the condition is whatever the facts are; nil when it depends on them.
    fileprivate var constant: Bool? {
        switch self {
        case .constant(let value): return value
        case .not(let inner): return inner.constant.map { !$0 }
        case .any(let parts):
            if parts.contains(where: { $0.constant == true }) { return true }
            return parts.allSatisfy { $0.constant == false } ? false : nil
        case .all(let parts):
            if parts.contains(where: { $0.constant == false }) { return false }
            return parts.allSatisfy { $0.constant == true } ? true : nil
        case .comparison: return nil
        }
    }

    /// The DNS lists that it asks.
    fileprivate var lists: [String] {
        switch self {
        case .any(let parts), .all(let parts): return parts.flatMap(\.lists)
        case .not(let inner): return inner.lists
        case .constant: return []
        case .comparison(let one):
            guard case .blocklist(let name, _) = one.name.kind, case .string(let text) = name.kind else { return [] }
            return [text]
        }
    }

    /// A single-valued name that would have to equal two different words or texts: `x == a and x == b`.
    fileprivate var contradiction: String? {
        guard case .all(let parts) = self else { return nil }
        var wanted: [String: Token.Kind] = [:]
        for case .comparison(let one) in parts {
            guard case .fact(let name) = one.name.kind, case (.equal, _, .literal(let literal))? = one.comparison else { continue }
            if let fact = PolicyFact(rawValue: name), fact.type(at: .message).isList { continue }
            if case .word(let word) = literal.kind, PolicyFact(rawValue: word) != nil { continue }
            if let other = wanted.updateValue(literal.folded, forKey: name), other != literal.folded { return name }
        }
        return nil
    }
}

extension LiteralSyntax {
    /// As values compare: texts without regard to case.
    fileprivate var folded: Token.Kind {
        if case .string(let text) = kind { .string(text.lowercased()) } else { kind }
    }
}
