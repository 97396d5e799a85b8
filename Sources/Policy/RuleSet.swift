/// A checked set of rules: immutable, cheap to copy, safe to use from many threads at once.
public struct RuleSet: Sendable {
    public static let fileSizeLimit = 1 << 20
    public static let fileLimit = 1_000
    public static let ruleLimit = 10_000

    /// No rules: every stage has no decision.
    public static let empty = RuleSet(rules: [], tests: [])

    private let rules: [PolicyStage: [Rule]]
    let tests: [RuleTest]

    init(rules: [Rule], tests: [RuleTest]) {
        self.rules = Dictionary(grouping: rules, by: \.stage)
        self.tests = tests
    }

    /// How many rules there are.
    public var count: Int { rules.values.reduce(0) { $0 + $1.count } }

    /// Whether a stage has rules: where it has none its facts need not be gathered.
    public func hasRules(at stage: PolicyStage) -> Bool { rules[stage] != nil }

    /// Asks the stage's rules in order: the first that decides ends the stage, those that only mark go on. Pure: the
    /// same facts give the same outcome.
    public func evaluate(_ stage: PolicyStage, _ facts: some PolicyFacts) -> PolicyOutcome {
        guard let rules = rules[stage] else { return PolicyOutcome() }
        var evaluation = Evaluation(facts: facts)
        return evaluation.run(rules)
    }

    /// Loads every `*.policy` file of a folder, in the order of their names. Blocks.
    /// - Throws: ``PolicyErrors`` with every mistake; then nothing is loaded.
    public static func load(folder: String, reader: any PolicyFileReader = DiskPolicyFileReader()) throws(PolicyErrors) -> RuleSet {
        let files: [String]
        do { files = try reader.policyFiles(in: folder) } catch {
            throw PolicyErrors(diagnostics: [PolicyDiagnostic(file: folder, message: "\(error)")])
        }
        return try load(files: files, reader: reader)
    }

    /// Loads these files, in this order. Blocks.
    /// - Throws: ``PolicyErrors`` with every mistake; then nothing is loaded.
    public static func load(files: [String], reader: any PolicyFileReader = DiskPolicyFileReader()) throws(PolicyErrors) -> RuleSet {
        var loader = RuleSetLoader(reader: reader)
        for file in files.prefix(fileLimit) { loader.load(file) }
        if files.count > fileLimit { loader.bag.add(PolicyDiagnostic(file: files[fileLimit], message: "more than \(fileLimit) rule files")) }
        guard loader.bag.isEmpty else { throw PolicyErrors(diagnostics: loader.bag.all) }
        return RuleSet(rules: loader.rules, tests: loader.tests)
    }
}

/// Gathers the rules and the mistakes of several files.
private struct RuleSetLoader {
    let reader: any PolicyFileReader
    var bag = DiagnosticBag()
    var rules: [Rule] = []
    var tests: [RuleTest] = []
    private var tables: TableLoader
    /// Where each name was used first.
    private var names: [String: String] = [:]

    init(reader: any PolicyFileReader) {
        self.reader = reader
        tables = TableLoader(reader: reader)
    }

    mutating func load(_ file: String) {
        guard let source = read(file) else { return }
        let (syntax, mistakes) = Parser.parse(source)
        for mistake in mistakes { bag.add(mistake) }
        var checker = RuleChecker(source: source, tables: tables)
        for rule in syntax.rules where !bag.isFull {
            claim(rule, source)
            if let checked = checker.check(rule) { rules.append(checked) }
        }
        for test in syntax.tests where !bag.isFull {
            if let checked = checker.check(test) { tests.append(checked) }
        }
        tables = checker.tables
        for mistake in checker.bag.all { bag.add(mistake) }
    }

    private mutating func read(_ file: String) -> SourceText? {
        do { return SourceText(file: file, bytes: try reader.read(file, limit: RuleSet.fileSizeLimit)) } catch {
            bag.add(PolicyDiagnostic(file: file, message: "\(error)"))
            return nil
        }
    }

    /// Traces and tests speak of rules by name, so a name belongs to one rule.
    private mutating func claim(_ rule: RuleSyntax, _ source: SourceText) {
        let place = "\(source.file):\(source.line(of: rule.range.lowerBound))"
        if let first = names[rule.name] {
            bag.add(source.diagnostic(rule.range, "there is a rule \"\(rule.name)\" already, at \(first)", fix: "give each rule a name of its own"))
        } else if names.count == RuleSet.ruleLimit {
            bag.add(source.diagnostic(rule.range, "more than \(RuleSet.ruleLimit) rules", fix: "put addresses, domains and networks in tables"))
        }
        names[rule.name] = names[rule.name] ?? place
    }
}
