import DecisionRecords
import InternetMessage
import Logging
import MailFilters
import Milter
import Policy

/// Asks rules about a message that came before, from its record: no DNS, no ledger, no trace.
public struct Replay: Sendable {
    private let rules: RuleSet
    private let house: PolicyHouse
    private let logger: Logger

    public init(rules: RuleSet, house: PolicyHouse) {
        self.rules = rules
        self.house = house
        // What rules decide here is no news for the log.
        logger = Logger(label: "replay") { _ in SwiftLogNoOpLogHandler() }
    }

    /// - Parameter body: reads the message's body where it is stored; asked only when the rules want it. May block.
    public func run(_ stored: StoredDecision, body: @escaping @Sendable () -> MessageBody? = { nil }) async -> ReplayResult {
        guard !Self.isOthers(stored.record) else { return .notAsked }
        let message = RecordedMessage(stored)
        let was = Fate(stored.record)
        let source = ReplaySource(message, body: body)
        let filter = PolicyFilter(rules: rules, house: house, source: source, logger: logger)
        var run = ReplayRun(message: message, session: filter.makeSession(), stages: filter.stages)
        let now = await run.run()
        let unanswered = source.unanswered
        if !unanswered.isEmpty { return .unknown(unanswered) }
        let isPartial = was.kind >= .discarded && now.kind < .discarded && !message.wasJudged
        return ReplayChange(was: was, now: now, isPartial: isPartial).map { .changed($0) } ?? .same
    }

    /// A message that somebody else ended is none of the rules'; nor is one that was taken without asking them, or that
    /// goes out whatever they say: a notification of ours.
    private static func isOthers(_ record: DecisionRecord) -> Bool {
        guard record.about == nil else { return true }
        return switch record.verdict.kind {
        case .accepted, .abandoned: record.changesByRules == nil
        case .rejected, .deferred, .discarded: record.verdict.filter != "policy"
        }
    }
}

/// The stages one after the other, as far as the record goes.
private struct ReplayRun {
    let message: RecordedMessage
    let session: any FilterSession
    let stages: Set<MilterStage>
    var fate = Fate()

    mutating func run() async -> Fate {
        let record = message.record
        if stages.contains(.connect), ends(await session.connect(message.connection), .connect) { return fate }
        guard record.verdict.stage != "connect" else { return fate }
        if stages.contains(.helo), ends(await session.helo(message.helo, message.connection), .helo) { return fate }
        guard record.verdict.stage != "helo" else { return fate }
        var transaction = message.begun
        if stages.contains(.mail), ends(await session.mail(&transaction), .mail, transaction) { return fate }
        guard await askRecipients(&transaction) else { return fate }
        if transaction.recipients.isEmpty { return fate }
        if stages.contains(.data), ends(await session.data(&transaction), .data, transaction) { return fate }
        if message.wasJudged { await judge(&transaction) }
        return fate
    }

    /// - Returns: whether the message goes on.
    private mutating func askRecipients(_ transaction: inout Transaction) async -> Bool {
        var last: (SMTPReply, String?)?
        for recipient in message.recipients {
            message.noteTag(of: recipient, in: &transaction)
            let answer = stages.contains(.rcpt) ? await session.rcpt(recipient, &transaction) : .continue
            switch answer {
            case .reject(let reply), .tempfail(let reply):
                fate.refused[recipient.address.description] = reply.description
                last = (reply, Self.rule(transaction))
            // The one negative answer at RCPT that concerns the whole message.
            case .discard: return !ends(answer, .rcpt, transaction)
            case .continue, .accept:
                if !transaction.recipients.contains(where: { $0.address == recipient.address }) { transaction.recipients.append(recipient) }
            }
        }
        guard transaction.recipients.isEmpty, let last else {
            if fate.refused.isEmpty { return true }
            fate.rule = last?.1
            return true
        }
        fate.kind = last.0.isTransient ? .deferred : .rejected
        (fate.reply, fate.stage, fate.rule) = (last.0.description, "rcpt", last.1)
        return false
    }

    private mutating func judge(_ transaction: inout Transaction) async {
        message.complete(&transaction)
        let before = transaction.modifications.count
        let answer = stages.contains(.endOfMessage) ? await session.endOfMessage(&transaction) : .continue
        if ends(answer.naming(message.record.id), .endOfMessage, transaction) { return }
        fate.folder = transaction.deliveryHints.folder
        fate.keywords = transaction.deliveryHints.keywords.sorted()
        fate.changes = RecordedMessage.changes(transaction.modifications[before...])
        fate.quarantine = fate.changes.last { $0.kind == .quarantine }?.text
        fate.kind = fate.quarantine != nil ? .held : fate.folder != nil ? .filed : .delivered
        fate.rule = Self.rule(transaction) ?? fate.rule
        fate.matched = transaction[PolicyTraceKey.self, default: []].filter(\.matched).map { Fate.Matched($0.rule, $0.file, $0.line) }
    }

    /// Notes a negative answer. - Returns: whether it was one.
    private mutating func ends(_ answer: FilterAnswer, _ stage: MilterStage, _ transaction: Transaction? = nil) -> Bool {
        guard answer.isNegative else { return false }
        switch answer {
        case .reject(let reply): (fate.kind, fate.reply) = (.rejected, reply.description)
        case .tempfail(let reply): (fate.kind, fate.reply) = (.deferred, reply.description)
        default: fate.kind = .discarded
        }
        fate.stage = RecordMaker.stage(stage)
        fate.rule = transaction.flatMap(Self.rule)
        return true
    }

    private static func rule(_ transaction: Transaction) -> String? {
        transaction[PolicyTraceKey.self]?.last(where: \.matched).map { "\"\($0.rule)\" (\($0.file):\($0.line))" }
    }
}
