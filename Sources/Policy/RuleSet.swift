/// A checked set of rules: immutable, cheap to copy, safe to use from many threads at once.
public struct RuleSet: Sendable {
    public static let fileSizeLimit = 1 << 20
    public static let fileLimit = 1_000
    public static let ruleLimit = 10_000

    /// No rules: every stage has no decision.
    public static let empty = RuleSet(rules: [], tests: [])

    let rules: [PolicyStage: [Rule]]
    /// The `test` blocks, in the order in which they stand.
    public let tests: [RuleTest]
    /// What is no mistake, and probably not meant so.
    public let warnings: [PolicyDiagnostic]
    /// The tables in use. They follow their files when whoever runs the rules asks them to, see ``PolicyTable/refresh(_:)``.
    public let tables: [PolicyTable]

    init(rules: [Rule], tests: [RuleTest], tables: [PolicyTable] = [], warnings: [PolicyDiagnostic] = []) {
        self.tables = tables
        self.rules = Dictionary(grouping: rules, by: \.stage)
        self.tests = tests
        self.warnings = warnings
    }

    /// How many rules there are.
    public var count: Int { rules.values.reduce(0) { $0 + $1.count } }

    /// Whether a stage has rules: where it has none its facts need not be gathered.
    public func hasRules(at stage: PolicyStage) -> Bool { rules[stage] != nil }

    /// What rules may want changed of a message.
    public enum Wish: Sendable, Hashable { case header, addedRecipient, otherRecipient, hold }

    /// All that some rule wants, under whatever condition.
    public var wishes: Set<Wish> { Set(rules.values.joined().flatMap(\.actions).compactMap(\.wish)) }

    /// Asks the stage's rules in order: the first that decides ends the stage, those that only mark go on. Pure: the
    /// same facts give the same outcome. Nothing is looked up: what is not given is missing.
    public func evaluate(_ stage: PolicyStage, _ facts: some PolicyFacts) -> PolicyOutcome {
        guard let rules = rules[stage] else { return PolicyOutcome() }
        var evaluation = Evaluation(facts: facts, stage: stage)
        // Without look-ups nothing is needed.
        try? evaluation.run(rules)
        return evaluation.progress.outcome
    }

    /// The stage's rules, to be asked step by step.
    public func run(_ stage: PolicyStage) -> PolicyRun { PolicyRun(rules[stage] ?? [], stage) }

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
        for file in files.prefix(fileLimit) { loader.parse(file) }
        loader.check()
        if files.count > fileLimit { loader.bag.add(PolicyDiagnostic(file: files[fileLimit], message: "more than \(fileLimit) rule files")) }
        loader.checkNamesInTests()
        guard loader.bag.isEmpty else { throw PolicyErrors(diagnostics: loader.bag.all) }
        return RuleSet(rules: loader.rules, tests: loader.tests, tables: loader.tables.tables, warnings: loader.remarks.warnings)
    }
}

/// Gathers the rules and the mistakes of several files.
private struct RuleSetLoader {
    let reader: any PolicyFileReader
    var bag = DiagnosticBag()
    var rules: [Rule] = []
    var tests: [RuleTest] = []
    private(set) var tables: TableLoader
    private var parsed: [(SourceText, FileSyntax)] = []
    private var blocklists: [String: BlocklistSet] = [:]
    /// Where each name was used first.
    private var names: [String: String] = [:]
    /// Rules that tests speak of, and where: they may stand in a later file.
    private var spokenOf: [(name: String, source: SourceText, range: Range<Int>)] = []
    var remarks = RuleRemarks()

    init(reader: any PolicyFileReader) {
        self.reader = reader
        tables = TableLoader(reader: reader)
    }

    mutating func parse(_ file: String) {
        guard let source = read(file) else { return }
        let (syntax, mistakes) = Parser.parse(source)
        for mistake in mistakes { bag.add(mistake) }
        parsed.append((source, syntax))
    }

    /// DNS lists first: a rule may name what a later file declares.
    mutating func check() {
        for (source, syntax) in parsed { declare(syntax.blocklists, source) }
        for (source, syntax) in parsed { check(syntax, source) }
        remarks.look(atLists: parsed)
    }

    private mutating func declare(_ declarations: [BlocklistSyntax], _ source: SourceText) {
        var checker = RuleChecker(source: source, tables: tables)
        for declaration in declarations {
            guard let set = checker.check(declaration) else { continue }
            if blocklists[set.name] != nil {
                bag.add(source.diagnostic(declaration.name.range, "there are DNS lists \"\(set.name)\" already", fix: "put the lists together, or give these another name"))
            } else if blocklists.count == BlocklistSet.setLimit {
                bag.add(source.diagnostic(declaration.name.range, "more than \(BlocklistSet.setLimit) sets of DNS lists", fix: nil))
            } else { blocklists[set.name] = set }
        }
        for mistake in checker.bag.all { bag.add(mistake) }
    }

    private mutating func check(_ syntax: FileSyntax, _ source: SourceText) {
        var checker = RuleChecker(source: source, tables: tables, blocklists: blocklists)
        for rule in syntax.rules where !bag.isFull {
            claim(rule, source)
            remarks.look(at: rule, source)
            if let checked = checker.check(rule) { rules.append(checked) }
        }
        for test in syntax.tests where !bag.isFull {
            remarks.look(at: test, source)
            for expected in test.expected { if case .rule(let name, _) = expected.kind { spokenOf.append((name, source, expected.range)) } }
            if let checked = checker.check(test) { tests.append(checked) }
        }
        tables = checker.tables
        for mistake in checker.bag.all { bag.add(mistake) }
    }

    /// A test that expects a misspelt rule not to match would pass for ever.
    mutating func checkNamesInTests() {
        for (name, source, range) in spokenOf where names[name] == nil {
            let nearest = Spelling.nearest(to: name, among: Array(names.keys)).map { "did you mean \"\($0)\"?" }
            bag.add(source.diagnostic(range, "the test speaks of a rule \"\(name)\" that there is not", fix: nearest ?? "write the rule's name as it stands behind 'rule'"))
        }
    }

    private mutating func read(_ file: String) -> SourceText? {
        do {
            let bytes = try reader.read(file, limit: RuleSet.fileSizeLimit)
            if let problem = SourceText.problem(bytes) { throw problem }
            return SourceText(file: file, bytes: bytes)
        } catch {
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
