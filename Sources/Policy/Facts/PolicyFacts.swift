/// Where the evaluator gets values from. Asked lazily: only for what a rule looks at.
public protocol PolicyFacts {
    /// The value of a fact, of the case that ``PolicyFact`` documents; nil is the language's `missing`.
    func value(of fact: PolicyFact) -> PolicyValue?
    /// The unfolded values of every field of that name, top first, case ignored. Asked at stage `message` only.
    func headers(named name: String) -> [String]
    /// A value given beforehand for a name that would have to be looked up, as the rule spells it: `dnsbl["spam"]`.
    func given(_ name: String) -> PolicyValue?
}

extension PolicyFacts {
    public func given(_ name: String) -> PolicyValue? { nil }
}
