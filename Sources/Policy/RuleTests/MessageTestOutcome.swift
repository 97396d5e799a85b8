import InternetMessage

/// What a chain of filters made of a test's message.
public struct MessageTestOutcome: Sendable {
    /// One stage's answer, at `rcpt` one for each recipient; nil: the message went on.
    public struct Answer: Sendable {
        public let stage: PolicyStage
        public let recipient: EmailAddress?
        public let decision: PolicyDecision?

        public init(stage: PolicyStage, recipient: EmailAddress? = nil, decision: PolicyDecision?) {
            self.stage = stage
            self.recipient = recipient
            self.decision = decision
        }
    }

    /// In order, up to the one that ended the message.
    public var answers: [Answer] = []
    /// What the rules said, in order.
    public var outcomes: [PolicyOutcome] = []
    /// The header as it leaves the chain.
    public var header = MessageHeader()
    /// To whom it goes in the end; empty when it was refused.
    public var recipients: [EmailAddress] = []
    public var folder: String?
    /// Those of single recipients' copies among them.
    public var keywords: Set<String> = []
    public var isHeld = false
    /// The names' values at the end.
    public var facts: any PolicyFacts & Sendable
    /// What the rules looked up.
    public var lookups: PolicyLookups

    public init(facts: any PolicyFacts & Sendable, lookups: PolicyLookups) {
        self.facts = facts
        self.lookups = lookups
    }

    /// The answer that ended the message: at RCPT when no recipient is left.
    var ending: Answer? {
        if let refusal = answers.first(where: { $0.stage != .rcpt && $0.decision != nil }) { return refusal }
        let asked = answers.filter { $0.stage == .rcpt }
        return asked.allSatisfy { $0.decision != nil } ? asked.first : nil
    }
}

extension RuleTest {
    /// Compares what was expected with what came.
    /// - Parameter source: answers what an expectation asks and no rule did.
    public func result(_ outcome: MessageTestOutcome, from source: some PolicySource, about message: Message) async -> RuleTestResult {
        var failures: [RuleTestFailure] = []
        for expectation in expected {
            let failure: String?
            if case .that(let condition, let written) = expectation.kind {
                failure = await Self.failure(of: condition, written, outcome, source, message)
            } else { failure = self.failure(expectation.kind, outcome) }
            if let failure { failures.append(RuleTestFailure(line: expectation.line, failure)) }
        }
        return RuleTestResult(test: self, failures: failures, trace: outcome.outcomes.flatMap(\.trace))
    }

    private func failure(_ expectation: Expectation.Kind, _ outcome: MessageTestOutcome) -> String? {
        switch expectation {
        case .decision(let expected): return expected.failure(outcome)
        case .rule(let name, let wanted): return Self.failure(ofRule: name, wanted: wanted, in: outcome.outcomes.flatMap(\.trace))
        case .action(let action): return Self.failure(of: action, outcome.facts, .message, in: outcome.outcomes.flatMap(\.actions))
        case .header(let name, let value, let wanted): return Self.failure(ofHeader: name, value, wanted, outcome.header.all(name).map(\.decodedValue))
        case .folder(let name, let wanted):
            guard (outcome.folder == name) != wanted else { return nil }
            return wanted ? "expected folder \"\(name)\", got \(outcome.folder.map { "\"\($0)\"" } ?? "INBOX")" : "it was filed into \"\(name)\", and must not"
        case .keyword(let name, let wanted):
            return Self.failure(of: "keyword \"\(name)\"", wanted, outcome.keywords.contains(name), among: outcome.keywords.sorted())
        case .delivered(let address, let wanted):
            let isThere = outcome.recipients.contains { $0.folded == address.folded }
            return Self.failure(of: "delivery to \(address)", wanted, isThere, among: outcome.recipients.map(\.description))
        case .that: return nil
        }
    }

    private static func failure(of what: String, _ wanted: Bool, _ isThere: Bool, among all: [String]) -> String? {
        guard isThere != wanted else { return nil }
        return "expected \(wanted ? "" : "no ")\(what), got " + (all.isEmpty ? "none" : all.joined(separator: ", "))
    }

    private static func failure(ofHeader name: String, _ value: String?, _ wanted: Bool, _ values: [String]) -> String? {
        let isMet = wanted ? value.map { values.contains($0) } ?? !values.isEmpty : values.isEmpty
        guard !isMet else { return nil }
        let expected = wanted ? "header \"\(name)\"" + (value.map { " \"\($0)\"" } ?? "") : "no header \"\(name)\""
        return "expected \(expected), got " + (values.isEmpty ? "none" : values.map { "\"\($0)\"" }.joined(separator: ", "))
    }

    private static func failure(of condition: Condition, _ written: String, _ outcome: MessageTestOutcome,
                                _ source: some PolicySource, _ message: Message) async -> String? {
        let rules = RuleSet(rules: [Rule(name: "", stage: .message, file: "", line: 0, condition: condition, actions: [])], tests: [])
        var lookups = outcome.lookups
        let asked = await rules.evaluate(.message, outcome.facts, &lookups, from: source, about: message).trace
        guard let trace = asked.first, !trace.matched else { return nil }
        return "expected that \(written), but " + trace.seen.map(\.description).joined(separator: ", ")
    }
}

extension ExpectedDecision {
    func failure(_ outcome: MessageTestOutcome) -> String? {
        guard let stage else {
            let actual = outcome.isHeld && outcome.ending == nil ? "quarantine" : "accept"
            let came = ActualDecision(outcome.ending?.decision, without: actual)
            return isMet(by: came) ? nil : "expected \(self), got \(came)" + (outcome.ending.map { " at \($0.stage.rawValue)" } ?? "")
        }
        let answers = outcome.answers.filter { $0.stage == stage && (recipient == nil || $0.recipient?.folded == recipient?.folded) }
        guard !answers.isEmpty else {
            let before = outcome.ending.map { ": \(ActualDecision($0.decision)) at \($0.stage.rawValue) ended the message" }
            return "expected \(self), but stage \(stage.rawValue) was not reached" + (before ?? "")
        }
        let came = answers.map { ActualDecision($0.decision, without: "accept") }
        // A refusal of one recipient is a refusal; all of them were accepted when none was refused.
        let isMet = word == "accept" ? came.allSatisfy(isMet) : came.contains(where: isMet)
        return isMet ? nil : "expected \(self), got " + zip(answers, came).map { answer, came in
            "\(came)" + (answer.recipient.map { " for \($0)" } ?? "")
        }.joined(separator: ", ")
    }
}
