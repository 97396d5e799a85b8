import InternetMessage
import Milter
import Policy

/// The rules, and a note of what they were asked and what they changed, for the message's record.
public struct NotedPolicyFilter: MailFilter {
    private let inner: any MailFilter
    public var name: String { inner.name }
    public let stages: Set<MilterStage>
    public var changes: Set<Modification.Kind> { inner.changes }

    public init(_ inner: any MailFilter) {
        self.inner = inner
        // A tag's standing is noted even where no rule asks now: a later set of rules may.
        stages = inner.stages.union([.rcpt, .endOfMessage])
    }

    public func makeSession() -> any FilterSession { Session(inner: inner.makeSession(), stages: inner.stages) }

    private struct Session: FilterSession {
        let inner: any FilterSession
        let stages: Set<MilterStage>

        func connect(_ connection: ConnectionFacts) async -> FilterAnswer { await inner.connect(connection) }
        func helo(_ name: String, _ connection: ConnectionFacts) async -> FilterAnswer { await inner.helo(name, connection) }
        func mail(_ transaction: inout Transaction) async -> FilterAnswer { await inner.mail(&transaction) }
        func data(_ transaction: inout Transaction) async -> FilterAnswer { await inner.data(&transaction) }
        func abort() async { await inner.abort() }
        func noteConnection(in transaction: inout Transaction) { inner.noteConnection(in: &transaction) }
        func close() async { await inner.close() }

        func rcpt(_ recipient: EnvelopeRecipient, _ transaction: inout Transaction) async -> FilterAnswer {
            var notes = transaction[PolicyNotesKey.self] ?? PolicyNotes()
            if let tag = transaction[RecipientTagKey.self] { notes.standing[recipient.address] = tag.rawValue }
            let before = transaction[PolicyTraceKey.self]?.count ?? 0
            let answer = stages.contains(.rcpt) ? await inner.rcpt(recipient, &transaction) : .continue
            let after = transaction[PolicyTraceKey.self]?.count ?? 0
            if after > before { notes.asked.append((before..<after, recipient.address)) }
            transaction[PolicyNotesKey.self] = notes
            return answer
        }

        func endOfMessage(_ transaction: inout Transaction) async -> FilterAnswer {
            if stages.contains(.endOfMessage) { return await inner.endOfMessage(&transaction) }
            transaction[PolicyNotesKey.self, default: PolicyNotes()].close(transaction, since: PolicyNotes.Before(transaction))
            return .continue
        }
    }
}

/// What the rules were asked and what they changed.
struct PolicyNotes: Sendable {
    /// What the ledger knew of a recipient's tag at RCPT.
    var standing: [EmailAddress: String] = [:]
    /// Which part of the trace is about which recipient.
    var asked: [(trace: Range<Int>, recipient: EmailAddress)] = []
    /// Which of the transaction's modifications the rules made; nil until stage `message`.
    var changes: Range<Int>?
    /// The keywords on every copy as the rules left them; the ledger gives some to single copies later.
    var keywords: Set<String> = []
    /// The ledger's word as the rules saw it: their decision may change it.
    var tags: [TaggedRecipient] = []

    /// A transaction before the rules of stage `message`.
    struct Before {
        let changes: Int
        let tags: [TaggedRecipient]

        init(_ transaction: Transaction) {
            changes = transaction.modifications.count
            tags = transaction[TagKey.self] ?? []
        }
    }

    mutating func close(_ transaction: Transaction, since before: Before) {
        changes = before.changes..<transaction.modifications.count
        keywords = transaction.deliveryHints.keywords
        tags = before.tags
    }

    func recipient(ofTrace index: Int) -> EmailAddress? { asked.first { $0.trace.contains(index) }?.recipient }
}

enum PolicyNotesKey: TransactionResultKey { typealias Value = PolicyNotes }
