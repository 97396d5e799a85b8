import DMARC
import InternetMessage
import Logging
import Milter
import Policy

/// The rules of `policies/`, at the stages they stand in.
public struct PolicyFilter: MailFilter, FilterSession {
    public let name = "policy"
    public let stages: Set<MilterStage>
    private let rules: RuleSet
    private let delimiters: String
    private let logger: Logger
    private let recorder: (any DMARCEvaluationRecorder)?

    /// - Parameter recorder: told of every message that DMARC was asked about, and what the rules made of it.
    public init(rules: RuleSet, delimiters: String, logger: Logger, recorder: (any DMARCEvaluationRecorder)? = nil) {
        self.recorder = recorder
        self.rules = rules
        self.delimiters = delimiters
        self.logger = logger
        let asked = Set(PolicyStage.allCases.filter { rules.hasRules(at: $0) }.map(\.milterStage))
        stages = recorder == nil ? asked : asked.union([.endOfMessage])
    }

    public func makeSession() -> any FilterSession { self }

    public func connect(_ connection: ConnectionFacts) async -> FilterAnswer {
        answer(rules.evaluate(.connect, TransactionFacts(connection, delimiters: delimiters)), "")
    }

    public func helo(_ name: String, _ connection: ConnectionFacts) async -> FilterAnswer {
        answer(rules.evaluate(.helo, TransactionFacts(connection, helo: name, delimiters: delimiters)), "")
    }

    public func mail(_ transaction: inout Transaction) async -> FilterAnswer { ask(.mail, &transaction) }

    public func rcpt(_ recipient: EnvelopeRecipient, _ transaction: inout Transaction) async -> FilterAnswer {
        ask(.rcpt, &transaction, recipient)
    }

    public func data(_ transaction: inout Transaction) async -> FilterAnswer { ask(.data, &transaction) }

    public func endOfMessage(_ transaction: inout Transaction) async -> FilterAnswer {
        let answer = ask(.message, &transaction)
        if let recorder, let row = EvaluationRow.make(transaction, decision: answer) { recorder.record(row) }
        return answer
    }

    private func ask(_ stage: PolicyStage, _ transaction: inout Transaction, _ recipient: EnvelopeRecipient? = nil) -> FilterAnswer {
        let outcome = rules.evaluate(stage, TransactionFacts(transaction, recipient: recipient, delimiters: delimiters))
        transaction[PolicyTraceKey.self, default: []] += outcome.trace
        let answer = answer(outcome, transaction.id)
        if !answer.isNegative { for action in outcome.actions { apply(action, to: &transaction) } }
        return answer
    }

    private func answer(_ outcome: PolicyOutcome, _ id: String) -> FilterAnswer {
        guard let decision = outcome.decision else { return .continue }
        if let rule = outcome.trace.last(where: \.matched) {
            logger.info("rule decided", metadata: [
                "id": "\(id)", "rule": "\(rule.rule)", "at": "\(rule.file):\(rule.line)",
                "saw": "\(rule.seen.map(\.description).joined(separator: ", "))",
            ])
        }
        switch decision {
        // `accept` ends the rules of its stage, not those of later stages: for the chain that is to go on.
        case .accept: return .continue
        case .reject(let reply): return .reject(reply)
        case .tempfail(let reply): return .tempfail(reply)
        case .discard: return .discard
        }
    }

    private func apply(_ action: PolicyAction, to transaction: inout Transaction) {
        switch action {
        case .quarantine(let reason): transaction.apply(.quarantine(reason))
        case .addHeader(let field): transaction.apply(.addHeader(field))
        case .setHeader(let field): set(field, in: &transaction)
        case .removeHeader(let name): remove(name, from: &transaction, keeping: 0)
        case .subjectPrefix(let prefix): prefixSubject(prefix, in: &transaction)
        case .fileInto(let folder): transaction.deliveryHints.folder = folder
        case .addKeyword(let keyword): transaction.deliveryHints.keywords.insert(keyword)
        }
    }

    private func set(_ field: HeaderField, in transaction: inout Transaction) {
        remove(field.name, from: &transaction, keeping: 1)
        transaction.apply(.changeHeader(name: field.name, occurrence: 1, field))
    }

    /// From the last to the first, so that the occurrence numbers of those still to go stay right.
    private func remove(_ name: String, from transaction: inout Transaction, keeping kept: Int) {
        var count = transaction.message.header.count(of: name)
        while count > kept {
            transaction.apply(.changeHeader(name: name, occurrence: count, nil))
            count -= 1
        }
    }

    private func prefixSubject(_ prefix: String, in transaction: inout Transaction) {
        let subject = transaction.message.header.first("Subject")?.value ?? ""
        guard !subject.hasPrefix(prefix) else { return }
        let field = HeaderField(name: "Subject", value: subject.isEmpty ? prefix : prefix + " " + subject)
        transaction.apply(.changeHeader(name: "Subject", occurrence: 1, field))
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
