import InternetMessage
import Logging
import Milter
import Policy
import Synchronization

/// The rules on one client connection.
final class PolicyFilterSession: FilterSession {
    /// What was found out before there was a message.
    private struct Earlier {
        var lookups = PolicyLookups()
        var trace: [RuleTrace] = []
    }

    private let filter: PolicyFilter
    private let earlier = Mutex(Earlier())

    init(_ filter: PolicyFilter) { self.filter = filter }

    func connect(_ connection: ConnectionFacts) async -> FilterAnswer {
        await ask(.connect, TransactionFacts(connection, house: filter.house))
    }

    func helo(_ name: String, _ connection: ConnectionFacts) async -> FilterAnswer {
        await ask(.helo, TransactionFacts(connection, helo: name, house: filter.house))
    }

    func mail(_ transaction: inout Transaction) async -> FilterAnswer {
        noteConnection(in: &transaction)
        return await ask(.mail, &transaction)
    }

    func noteConnection(in transaction: inout Transaction) {
        let known = earlier.withLock { $0 }
        transaction[PolicyLookupsKey.self, default: PolicyLookups()].add(known.lookups)
        transaction[PolicyTraceKey.self, default: []] += known.trace
    }

    func rcpt(_ recipient: EnvelopeRecipient, _ transaction: inout Transaction) async -> FilterAnswer {
        await ask(.rcpt, &transaction, recipient)
    }

    func data(_ transaction: inout Transaction) async -> FilterAnswer { await ask(.data, &transaction) }

    func endOfMessage(_ transaction: inout Transaction) async -> FilterAnswer {
        let before = PolicyNotes.Before(transaction)
        PolicyChanges.applyRecipientChanges(to: &transaction)
        let answer = await ask(.message, &transaction)
        transaction[PolicyNotesKey.self, default: PolicyNotes()].close(transaction, since: before)
        filter.tags?.conclude(&transaction, answer, exemption: transaction[TagExemptionKey.self])
        if let recorder = filter.recorder, let row = EvaluationRow.make(transaction, decision: answer) { recorder.record(row) }
        return answer
    }

    // MARK: Asking

    private func ask(_ stage: PolicyStage, _ facts: TransactionFacts) async -> FilterAnswer {
        guard filter.rules.hasRules(at: stage) else { return .continue }
        var lookups = earlier.withLock { $0.lookups }
        let outcome = await filter.evaluate(stage, facts, &lookups, Message())
        earlier.withLock { earlier in
            earlier.lookups = lookups
            // HELO may be said again, after STARTTLS: the last one counts.
            earlier.trace.removeAll { $0.stage == stage }
            earlier.trace += outcome.trace
        }
        return answer(outcome, "")
    }

    private func ask(_ stage: PolicyStage, _ transaction: inout Transaction, _ recipient: EnvelopeRecipient? = nil) async -> FilterAnswer {
        guard filter.rules.hasRules(at: stage) else { return .continue }
        let facts = TransactionFacts(transaction, recipient: recipient, house: filter.house)
        var lookups = transaction[PolicyLookupsKey.self, default: PolicyLookups()]
        let outcome = await filter.evaluate(stage, facts, &lookups, transaction.message)
        transaction[PolicyLookupsKey.self] = lookups
        keep(outcome.trace, in: &transaction)
        let answer = answer(outcome, transaction.id)
        // Said to the ledger, whatever the decision is.
        for case .exemptTag(let reason) in outcome.actions { transaction[TagExemptionKey.self] = reason }
        if !answer.isNegative { for action in outcome.actions { PolicyChanges.apply(action, to: &transaction, recipient) } }
        return answer
    }

    /// A thousand recipients times a thousand rules: of those that did not match only the first are kept.
    private func keep(_ trace: [RuleTrace], in transaction: inout Transaction) {
        var all = transaction[PolicyTraceKey.self, default: []]
        transaction[PolicyTraceKey.self] = nil
        let room = Self.traceLimit - all.count
        all += trace.count <= room ? trace : Array(trace.filter(\.matched).prefix(max(room + Self.traceLimit, 0)))
        transaction[PolicyTraceKey.self] = all
    }

    /// Rules remembered of one message, matched or not; of those that matched, twice as many.
    private static let traceLimit = 20_000

    private func answer(_ outcome: PolicyOutcome, _ id: String) -> FilterAnswer {
        filter.observer?(outcome)
        guard let decision = outcome.decision else { return .continue }
        if let rule = outcome.trace.last(where: \.matched) {
            filter.logger.info("rule decided", metadata: [
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
}

extension PolicyFilter {
    fileprivate func evaluate(_ stage: PolicyStage, _ facts: TransactionFacts, _ lookups: inout PolicyLookups, _ message: Message) async -> PolicyOutcome {
        await rules.evaluate(stage, facts, &lookups, from: source, about: message)
    }
}
