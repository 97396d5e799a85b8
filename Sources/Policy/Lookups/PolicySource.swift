import InternetMessage

/// Where answers come from. Injected: the DNS and the installation's state in a server, a zone in a rule test, the
/// record in a replay.
public protocol PolicySource: Sendable {
    /// Always answers, within a deadline of its own.
    /// - Parameter message: what has come so far; complete at stage `message`.
    func answer(_ query: PolicyQuery, about message: Message) async -> PolicyAnswer
}

/// Knows nothing: every name that costs a look-up is missing, no counter moves, and nobody waits in a greylist.
public struct NoPolicySource: PolicySource {
    public init() {}
    public func answer(_ query: PolicyQuery, about message: Message) async -> PolicyAnswer { .missing }
}

/// The answers of a record, and no others: no DNS, no side effects.
public struct RecordedPolicySource: PolicySource {
    public let lookups: PolicyLookups
    public init(_ lookups: PolicyLookups) { self.lookups = lookups }

    public func answer(_ query: PolicyQuery, about message: Message) async -> PolicyAnswer { lookups[query] ?? .missing }
}

extension RuleSet {
    /// Asks the stage's rules, and the source for what they need, one question after the other.
    /// - Parameter lookups: the answers there are; those that are fetched are added.
    public func evaluate(_ stage: PolicyStage, _ facts: some PolicyFacts & Sendable, _ lookups: inout PolicyLookups,
                         from source: some PolicySource, about message: Message = Message()) async -> PolicyOutcome {
        var run = run(stage)
        while true {
            switch run.advance(facts, lookups) {
            case .done(let outcome): return outcome
            case .needs(let query): lookups[query] = await source.answer(query, about: message)
            }
        }
    }
}
