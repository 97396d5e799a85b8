import InternetMessage

/// One pass over the rules of a stage. Values are asked for once, and only when a rule needs them.
struct Evaluation<Facts: PolicyFacts> {
    private let facts: Facts
    private var known: [Subject: PolicyValue?] = [:]
    private var seen: [SeenValue] = []

    init(facts: Facts) { self.facts = facts }

    mutating func run(_ rules: [Rule]) -> PolicyOutcome {
        var outcome = PolicyOutcome()
        for rule in rules {
            seen.removeAll(keepingCapacity: true)
            let matched = holds(rule.condition)
            outcome.trace.append(RuleTrace(rule: rule.name, file: rule.file, line: rule.line, stage: rule.stage, matched: matched, seen: seen))
            guard matched else { continue }
            for action in rule.actions { perform(action, &outcome) }
            if outcome.decision != nil { break }
        }
        return outcome
    }

    // MARK: Values

    private mutating func value(_ subject: Subject) -> PolicyValue? {
        let value = read(subject)
        if !seen.contains(where: { $0.name == subject.name }) { seen.append(SeenValue(name: subject.name, value: value)) }
        return value
    }

    private mutating func read(_ subject: Subject) -> PolicyValue? {
        if let value = known[subject] { return value }
        var value: PolicyValue?
        switch subject {
        case .fact(let fact): value = facts.value(of: fact)
        case .header(let name):
            let fields = facts.headers(named: name).map(PolicyValue.text)
            value = fields.count == 1 ? fields[0] : .list(fields)
        }
        // An empty list, and the null name, are as good as none.
        if value == .list([]) { value = nil }
        known[subject] = .some(value)
        return value
    }

    private func eachOf(_ value: PolicyValue?) -> [PolicyValue] {
        switch value {
        case nil: []
        case .list(let values): values
        case .some(let single): [single]
        }
    }

    // MARK: Conditions

    private mutating func holds(_ condition: Condition) -> Bool {
        switch condition {
        case .any(let parts):
            for part in parts where holds(part) { return true }
            return false
        case .all(let parts):
            for part in parts where !holds(part) { return false }
            return true
        case .not(let inner): return !holds(inner)
        case .constant(let value): return value
        default: return compares(condition)
        }
    }

    private mutating func compares(_ condition: Condition) -> Bool {
        switch condition {
        case .isMissing(let subject): return value(subject) == nil
        case .isTrue(let subject): return value(subject) == .flag(true)
        case .equals(let subject, let wanted): return eachOf(value(subject)).contains { $0.folded == wanted }
        case .same(let left, let right):
            let others = eachOf(value(right)).map(\.folded)
            return eachOf(value(left)).contains { others.contains($0.folded) }
        case .member(let subject, let set): return eachOf(value(subject)).contains(where: set.contains)
        case .containsText(let subject, let texts):
            return eachOf(value(subject)).contains { element in
                let text = String(element.description.unicodeScalars.prefix(PatternProgram.inputLimit)).lowercased()
                return texts.contains { text.contains($0) }
            }
        case .matches(let subject, let programs):
            return eachOf(value(subject)).contains { element in programs.contains { $0.matches(element.description) } }
        default: return orders(condition)
        }
    }

    private mutating func orders(_ condition: Condition) -> Bool {
        switch condition {
        case .number(let subject, let comparison, let limit):
            guard case .number(let number) = value(subject) else { return false }
            return comparison.holds(number, limit)
        case .numbers(let left, let comparison, let right):
            guard case .number(let a) = value(left), case .number(let b) = value(right) else { return false }
            return comparison.holds(a, b)
        case .rank(let subject, let comparison, let limit, let words):
            guard case .word(let word) = value(subject), let place = words.firstIndex(of: word) else { return false }
            return comparison.holds(place, limit)
        default: return false
        }
    }

    // MARK: Actions

    private mutating func text(_ template: TextTemplate) -> String { template.render { read($0) } }

    private mutating func perform(_ action: RuleAction, _ outcome: inout PolicyOutcome) {
        switch action {
        case .accept: outcome.decision = .accept
        case .discard: outcome.decision = .discard
        case .reject(let code, let enhanced, let template): outcome.decision = .reject(SMTPReply(code, enhanced, text(template)))
        case .tempfail(let code, let enhanced, let template): outcome.decision = .tempfail(SMTPReply(code, enhanced, text(template)))
        default: if let made = self.action(action) { outcome.actions.append(made) }
        }
    }

    /// A marking action with its texts filled in; nil for a decision.
    mutating func action(_ action: RuleAction) -> PolicyAction? {
        switch action {
        case .accept, .discard, .reject, .tempfail: nil
        case .quarantine(let template): .quarantine(text(template))
        case .addHeader(let name, let template): .addHeader(HeaderField(name: name, value: text(template)))
        case .setHeader(let name, let template): .setHeader(HeaderField(name: name, value: text(template)))
        case .removeHeader(let name): .removeHeader(name)
        case .subjectPrefix(let template): .subjectPrefix(text(template))
        case .fileInto(let folder): .fileInto(folder)
        case .addKeyword(let keyword): .addKeyword(keyword)
        }
    }
}
