import DMARC
import InternetMessage
import Logging
import Milter
import Policy
import Synchronization

/// The rules of `policies/`, at the stages they stand in.
public struct PolicyFilter: MailFilter {
    public let name = "policy"
    public let stages: Set<MilterStage>
    public let changes: Set<Modification.Kind>
    let rules: RuleSet
    let house: PolicyHouse
    let source: any PolicySource
    let logger: Logger
    let recorder: (any DMARCEvaluationRecorder)?
    let tags: TagRecorder?
    let observer: (@Sendable (PolicyOutcome) -> Void)?

    /// - Parameters:
    ///   - house: what the rules must know of this installation.
    ///   - source: answers what the rules have to look up.
    ///   - recorder: told of every message that DMARC was asked about, and what the rules made of it.
    ///   - tags: told of every message to a tagged address, and what the rules made of it.
    ///   - observer: told what the rules said, stage after stage, those of the connection included.
    public init(rules: RuleSet, house: PolicyHouse, source: any PolicySource = NoPolicySource(), logger: Logger,
                recorder: (any DMARCEvaluationRecorder)? = nil, tags: TagRecorder? = nil,
                observer: (@Sendable (PolicyOutcome) -> Void)? = nil) {
        self.observer = observer
        self.rules = rules
        self.house = house
        self.source = source
        self.logger = logger
        self.recorder = recorder
        self.tags = tags
        let asked = PolicyStage.allCases.filter { rules.hasRules(at: $0) }
        var stages = Set(asked.map(\.milterStage))
        // What was found out about the connection goes into the record of each of its messages.
        if asked.contains(where: { $0 < .mail }) { stages.insert(.mail) }
        // Recipients that a rule changes at RCPT are changed at the end, where the milter protocol allows it.
        if recorder != nil || tags != nil || asked.contains(.rcpt) { stages.insert(.endOfMessage) }
        self.stages = stages
        changes = rules.wishes.reduce(into: tags == nil ? [] : [.addHeaders]) { $0.formUnion($1.changes) }
    }

    public init(rules: RuleSet, delimiters: String, logger: Logger, recorder: (any DMARCEvaluationRecorder)? = nil, tags: TagRecorder? = nil) {
        self.init(rules: rules, house: PolicyHouse(delimiters: delimiters), logger: logger, recorder: recorder, tags: tags)
    }

    public func makeSession() -> any FilterSession { PolicyFilterSession(self) }

    /// What rules may ask of a message at its end, and what was looked up for it.
    public func facts(of transaction: Transaction) -> (facts: any PolicyFacts & Sendable, lookups: PolicyLookups) {
        (TransactionFacts(transaction, house: house), transaction[PolicyLookupsKey.self] ?? PolicyLookups())
    }
}

/// What rules must know of the installation they run in.
public struct PolicyHouse: Sendable {
    /// Characters that begin the detail part of a local part.
    public let delimiters: String
    /// Whether an address is of a domain of ours.
    public let isOurs: @Sendable (EmailAddress) -> Bool

    public init(delimiters: String, isOurs: @escaping @Sendable (EmailAddress) -> Bool = { _ in false }) {
        self.delimiters = delimiters
        self.isOurs = isOurs
    }
}

extension RuleSet.Wish {
    /// As ``PolicyChanges`` makes them.
    fileprivate var changes: Set<Modification.Kind> {
        switch self {
        case .header: [.addHeaders, .changeHeaders]
        case .addedRecipient: [.addRecipients]
        case .otherRecipient: [.addRecipients, .removeRecipients]
        case .hold: [.quarantine]
        }
    }
}

extension PolicyStage {
    var milterStage: MilterStage {
        switch self {
        case .connect: .connect
        case .helo: .helo
        case .mail: .mail
        case .rcpt: .rcpt
        case .data: .data
        case .message: .endOfMessage
        }
    }
}
