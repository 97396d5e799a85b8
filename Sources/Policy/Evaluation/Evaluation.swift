import InternetMessage

/// One pass over the rules of a stage. Values are asked for once, and only when a rule needs them.
struct Evaluation<Facts: PolicyFacts> {
    let facts: Facts
    let stage: PolicyStage
    /// nil: there is nobody to ask, so what would have to be looked up is missing.
    private let lookups: PolicyLookups?
    private(set) var progress: EvaluationProgress
    private var seen: [SeenValue] = []

    init(facts: Facts, stage: PolicyStage, lookups: PolicyLookups? = nil, progress: EvaluationProgress = EvaluationProgress()) {
        self.facts = facts
        self.stage = stage
        self.lookups = lookups
        self.progress = progress
    }

    mutating func run(_ rules: [Rule]) throws(LookupNeeded) {
        while progress.next < rules.count, progress.outcome.decision == nil {
            let rule = rules[progress.next]
            seen.removeAll(keepingCapacity: true)
            let matched = try holds(rule.condition)
            // Nothing of a rule happens before all that it needs is known: it is begun anew then.
            let effect = matched ? try effect(of: rule.actions) : RuleEffect()
            progress.outcome.trace.append(RuleTrace(rule: rule.name, file: rule.file, line: rule.line, stage: rule.stage, matched: matched, seen: seen))
            progress.outcome.actions += effect.actions
            progress.outcome.decision = effect.decision
            progress.next += 1
            if effect.endsFile { while progress.next < rules.count, rules[progress.next].file == rule.file { progress.next += 1 } }
        }
    }

    // MARK: Values

    mutating func value(_ subject: Subject) throws(LookupNeeded) -> PolicyValue? {
        let known = try find(subject)
        note(known)
        return known.value
    }

    /// For the trace.
    mutating func note(_ value: SeenValue) {
        if !seen.contains(where: { $0.name == value.name }) { seen.append(value) }
    }

    mutating func read(_ subject: Subject) throws(LookupNeeded) -> PolicyValue? { try find(subject).value }

    private mutating func find(_ subject: Subject) throws(LookupNeeded) -> SeenValue {
        if let known = progress.known[subject] { return known }
        var value = try fresh(subject)
        // An empty list, and the null name, are as good as none.
        if value == .list([]) { value = nil }
        let found = SeenValue(name: subject.name, value: value)
        progress.known[subject] = found
        return found
    }

    private mutating func fresh(_ subject: Subject) throws(LookupNeeded) -> PolicyValue? {
        switch subject {
        case .fact(let fact):
            if let value = facts.value(of: fact) { return value }
            guard let query = query(for: fact) else { return nil }
            return try answer(query).flatMap { Self.value(of: fact, $0) }
        case .header(let name):
            let fields = facts.headers(named: name).map(PolicyValue.text)
            return fields.count == 1 ? fields[0] : .list(fields)
        case .blocklist, .rate:
            if let value = facts.given(subject.name) { return value }
            guard let query = try query(for: subject) else { return nil }
            return try answer(query).flatMap { if case .number(let number) = $0 { .number(number) } else { nil } }
        }
    }

    /// What was answered.
    /// - Throws: ``LookupNeeded`` where there is no answer yet.
    func answer(_ query: PolicyQuery) throws(LookupNeeded) -> PolicyAnswer.Value? {
        guard let lookups else { return nil }
        if let answer = lookups[query] { return answer.value }
        guard lookups.answers.count < PolicyLookups.limit else { return nil }
        throw LookupNeeded(query: query)
    }

    private func eachOf(_ value: PolicyValue?) -> [PolicyValue] {
        switch value {
        case nil: []
        case .list(let values): values
        case .some(let single): [single]
        }
    }

    // MARK: Conditions

    private mutating func holds(_ condition: Condition) throws(LookupNeeded) -> Bool {
        switch condition {
        case .any(let parts):
            for part in parts where try holds(part) { return true }
            return false
        case .all(let parts):
            for part in parts where try !holds(part) { return false }
            return true
        case .not(let inner): return try !holds(inner)
        case .constant(let value): return value
        default: return try compares(condition)
        }
    }

    private mutating func compares(_ condition: Condition) throws(LookupNeeded) -> Bool {
        switch condition {
        case .isMissing(let subject): return try value(subject) == nil
        case .isTrue(let subject): return try value(subject) == .flag(true)
        case .equals(let subject, let wanted): return eachOf(try value(subject)).contains { $0.folded == wanted }
        case .same(let left, let right):
            let others = eachOf(try value(right)).map(\.folded)
            return eachOf(try value(left)).contains { others.contains($0.folded) }
        case .member(let subject, let set): return set.containsAny(of: eachOf(try value(subject)))
        case .containsText(let subject, let texts):
            return eachOf(try value(subject)).contains { element in
                var text = String(element.description.unicodeScalars.prefix(PatternProgram.inputLimit)).lowercased()
                return text.withUTF8 { all in texts.contains { TextSearch.finds($0, in: all) } }
            }
        case .matches(let subject, let programs):
            return eachOf(try value(subject)).contains { element in programs.contains { $0.matches(element.description) } }
        default: return try orders(condition)
        }
    }

    private mutating func orders(_ condition: Condition) throws(LookupNeeded) -> Bool {
        switch condition {
        case .number(let subject, let comparison, let limit):
            guard case .number(let number) = try value(subject) else { return false }
            return comparison.holds(number, limit)
        case .numbers(let left, let comparison, let right):
            guard case .number(let a) = try value(left), case .number(let b) = try value(right) else { return false }
            return comparison.holds(a, b)
        case .rank(let subject, let comparison, let limit, let words):
            guard case .word(let word) = try value(subject), let place = words.firstIndex(of: word) else { return false }
            return comparison.holds(place, limit)
        default: return false
        }
    }
}
