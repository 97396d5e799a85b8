/// Checks names and types of a file's rules for the stage each stands in, and makes them ready to run.
///
/// Every comparison and action is checked by itself, so one rule may yield several diagnostics.
struct RuleChecker {
    let source: SourceText
    var bag = DiagnosticBag()
    var tables: TableLoader
    /// What `dnsbl` declares, in any file.
    let blocklists: [String: BlocklistSet]
    /// The stage of the rule at hand.
    var stage = PolicyStage.connect

    struct Mistake: Error {
        let range: Range<Int>
        let message: String
        let fix: String?

        init(_ range: Range<Int>, _ message: String, fix: String? = nil) {
            self.range = range
            self.message = message
            self.fix = fix
        }
    }

    init(source: SourceText, tables: TableLoader, blocklists: [String: BlocklistSet] = [:]) {
        self.blocklists = blocklists
        self.source = source
        self.tables = tables
    }

    /// The rule ready to run, or nil when something about it was wrong.
    mutating func check(_ rule: RuleSyntax) -> Rule? {
        stage = rule.stage
        let before = bag.all.count
        if rule.name.isEmpty { report(Mistake(rule.range, "the rule has no name", fix: "name it by what it does: it is shown in traces")) }
        let condition = rule.condition.map { check($0) } ?? .constant(true)
        var actions: [RuleAction] = []
        for (place, action) in rule.actions.enumerated() {
            if action.kind.decides, place < rule.actions.count - 1 {
                report(Mistake(rule.actions[place + 1].range, "nothing comes after a decision", fix: "put the decision last"))
            }
            if let checked = check(action) { actions.append(checked) }
        }
        guard bag.all.count == before else { return nil }
        return Rule(name: rule.name, stage: rule.stage, file: source.file, line: source.line(of: rule.range.lowerBound),
                    condition: condition, actions: actions)
    }

    mutating func check(_ condition: ConditionSyntax) -> Condition {
        switch condition {
        case .any(let parts): return .any(parts.map { check($0) })
        case .all(let parts): return .all(parts.map { check($0) })
        case .not(let inner): return .not(check(inner))
        case .constant(let value): return .constant(value)
        case .comparison(let comparison): return attempt { try $0.check(comparison) } ?? .constant(false)
        }
    }

    mutating func report(_ mistake: Mistake) {
        bag.add(source.diagnostic(mistake.range, mistake.message, fix: mistake.fix))
    }

    /// Runs a check and files its mistake.
    mutating func attempt<Value>(_ check: (inout RuleChecker) throws -> Value) -> Value? {
        do { return try check(&self) } catch let mistake as Mistake {
            report(mistake)
        } catch {}
        return nil
    }
}

// MARK: Names
extension RuleChecker {
    /// A name's subject and type at the present stage.
    func resolve(_ name: NameSyntax) throws -> (Subject, PolicyType) {
        switch name.kind {
        case .header(let field): return (try header(field, name.range), .text)
        case .fact(let word): return try fact(word, name.range)
        case .blocklist(let set, let subject): return (try blocklist(set, about: subject, name.range), .number)
        case .rate(let names, let window): return (.rate(try rate(names, window)), .number)
        }
    }

    func header(_ field: String, _ range: Range<Int>) throws -> Subject {
        guard Self.isHeaderName(field) else {
            throw Mistake(range, "'\(field)' is not a header's name", fix: "a name is letters, digits and hyphens, without the colon")
        }
        guard stage == .message else {
            throw Mistake(range, "header[\"\(field)\"] is not known at stage \(stage.rawValue): the message has not come yet",
                          fix: "move the rule below 'stage message'")
        }
        return .header(field)
    }

    func fact(_ word: String, _ range: Range<Int>) throws -> (Subject, PolicyType) {
        guard let fact = PolicyFact(rawValue: word) else { throw Mistake(range, "there is no name '\(word)'", fix: Self.meant(word)) }
        guard fact.isKnown(at: stage) else { throw Mistake(range, "\(word) is not known at stage \(stage.rawValue)\(Self.why(fact, stage))", fix: Self.stageFix(fact, stage)) }
        return (.fact(fact), fact.type(at: stage))
    }

    /// RFC 5322 §3.6.8: printable US-ASCII but the colon.
    static func isHeaderName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 76 && name.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != 58 }
    }

    private static func why(_ fact: PolicyFact, _ stage: PolicyStage) -> String {
        if stage < fact.firstStage { return fact.firstStage == .message ? ": the message has not come yet" : ": it comes with stage \(fact.firstStage.rawValue)" }
        return fact == .tagStatus ? "" : ": a message may have several recipients"
    }

    private static func stageFix(_ fact: PolicyFact, _ stage: PolicyStage) -> String {
        if fact == .tagStatus { return "ask it below 'stage rcpt' (blocked, revoked, guessed) or 'stage message' (every status)" }
        if stage < fact.firstStage { return "move the rule below 'stage \(fact.firstStage.rawValue)'" }
        return "move the rule below 'stage rcpt', or ask for 'recipients'"
    }

    static func meant(_ word: String) -> String {
        let names = PolicyFact.allCases.map(\.rawValue)
        let aliases = ["subject": "header[\"Subject\"]", "rcpt": "recipient", "to": "recipient", "ip": "client.ip", "spf": "spf.result",
                       "dmarc": "dmarc.result", "dkim": "dkim.domains", "user": "account", "client": "client.ip", "tls": "tls.version", "tag": "tag.status", "mail.from": "sender", "attachment": "attachments.name", "attachments": "attachments.name", "date": "message.age", "rbl": "dnsbl[\"…\"]", "mx": "sender.mx"]
        if let name = aliases[word.lowercased()] ?? Spelling.nearest(to: word, among: names) { return "did you mean \(name)?" }
        return "the names are \(names.joined(separator: ", ")), header[\"…\"], dnsbl[\"…\"] and rate(…)"
    }
}
