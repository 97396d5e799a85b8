/// What came of one advance.
public enum PolicyStep: Sendable {
    case done(PolicyOutcome)
    /// The rules go on when this is answered.
    case needs(PolicyQuery)
}

/// The rules of one stage, on their way through. A value: nothing runs between two advances.
public struct PolicyRun: Sendable {
    private let rules: [Rule]
    private let stage: PolicyStage
    private var progress = EvaluationProgress()

    init(_ rules: [Rule], _ stage: PolicyStage) {
        self.rules = rules
        self.stage = stage
    }

    /// Goes on to the end, or to the first look-up that is not answered yet. Pure: facts are asked for once each.
    public mutating func advance(_ facts: some PolicyFacts, _ lookups: PolicyLookups) -> PolicyStep {
        var evaluation = Evaluation(facts: facts, stage: stage, lookups: lookups, progress: progress)
        do {
            try evaluation.run(rules)
            return .done(evaluation.progress.outcome)
        } catch {
            progress = evaluation.progress
            return .needs(error.query)
        }
    }
}

/// How far a run has come.
struct EvaluationProgress: Sendable {
    var next = 0
    /// Values with their names, which are made once.
    var known: [Subject: SeenValue] = [:]
    var outcome = PolicyOutcome()
}

/// Evaluation cannot go on without this.
struct LookupNeeded: Error {
    let query: PolicyQuery
}
