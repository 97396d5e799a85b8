import DMARC
import DecisionRecords
import Foundation
import InternetMessage
import Logging
import MailFilters
import Milter
import NetworkAddress
import Policy
@testable import PolicyReplay
import Synchronization

/// Brings a message before the rules as a server does, and keeps its record.
struct RecordedRun {
    var client = "192.0.2.1"
    var sender: String? = "s@a.example"
    var recipients = ["alice@home.example"]
    var header = "Subject: hello\r\nFrom: s@a.example\r\nMessage-ID: <1@a.example>"
    var dmarc: DMARCResult?
    var body = "hello\r\n"
    /// Answers what rules look up when the message comes.
    var source: any PolicySource = NoPolicySource()

    func record(_ rules: RuleSet) async -> StoredDecision {
        let facts = ConnectionFacts(clientAddress: IPAddress(client), listener: "smtp")
        var chain = FilterChain([NotedPolicyFilter(PolicyFilter(
            rules: rules, house: PolicyHouse(delimiters: "+"), source: source, logger: Self.quiet))]).makeSession()
        var verdict = await chain.connect(facts)
        if let reply = verdict.answer.refusal {
            return RecordMaker.make(ConnectionRefusal(id: "ID1", connection: facts, helo: "", stage: .connect, reply: reply, filter: verdict.filter, chain: chain), at: 1)
        }
        var transaction = Transaction(id: "ID1", connection: facts, helo: "h.example", sender: EnvelopeSender(sender.flatMap { EmailAddress($0) }))
        verdict = await chain.mail(&transaction)
        if verdict.answer.isNegative { return end(transaction, transaction, verdict, .mail) }
        var refusals: [RecipientRefusal] = []
        for recipient in recipients.compactMap({ EmailAddress($0) }).map({ EnvelopeRecipient($0) }) {
            verdict = await chain.rcpt(recipient, &transaction)
            guard let reply = verdict.answer.refusal else {
                transaction.recipients.append(recipient)
                continue
            }
            refusals.append(RecipientRefusal(recipient, reply, filter: verdict.filter, position: transaction.recipients.count))
        }
        guard !transaction.recipients.isEmpty else { return end(transaction, transaction, .continue, .rcpt, refusals) }
        let parsed = MessageHeader.parse(Array((header + "\r\n\r\n").utf8)[...]).header
        transaction.receive(Message(header: parsed, body: MessageBody(Array(body.utf8))))
        let received = transaction
        transaction[DMARCKey.self] = dmarc
        verdict = await chain.endOfMessage(&transaction)
        return end(received, transaction, verdict, .endOfMessage, refusals)
    }

    private func end(_ received: Transaction, _ after: Transaction, _ verdict: FilterChainSession.Verdict, _ stage: MilterStage,
                     _ refusals: [RecipientRefusal] = []) -> StoredDecision {
        let outcome: TransactionEnd.Outcome = switch verdict.answer {
        case .continue, .accept: received.recipients.isEmpty ? .abandoned : .accepted(SMTPReply(250, "2.0.0", "Ok: queued as ID1"))
        case .discard: .discarded
        case .reject(let reply), .tempfail(let reply): .refused(stage == .endOfMessage ? reply.naming(received.id) : reply)
        }
        var end = TransactionEnd(received: received, transaction: after, outcome: outcome)
        (end.stage, end.filter) = verdict.answer.isNegative ? (stage, verdict.filter) : (nil, nil)
        end.refusals = refusals
        return RecordMaker.make(end, at: 1)
    }

    static let quiet: Logger = {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }()

    static func replay(_ stored: StoredDecision, _ rules: RuleSet, body: String? = nil) async -> ReplayResult {
        await Replay(rules: rules, house: PolicyHouse(delimiters: "+")).run(stored) { body.map { MessageBody(Array($0.utf8)) } }
    }

    static func rules(_ text: String) throws -> RuleSet {
        let folder = NSTemporaryDirectory() + "rules-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try text.write(toFile: folder + "/a.policy", atomically: true, encoding: .utf8)
        return try RuleSet.load(folder: folder)
    }

    static func dmarc(_ verdict: DMARCVerdict, _ policy: DMARCPolicy) -> DMARCResult? {
        guard let domain = DomainName("a.example"), let record = DMARCRecord(Array("v=DMARC1; p=\(policy.rawValue)".utf8)) else { return nil }
        return DMARCResult(verdict: verdict, fromDomain: domain, policy: DMARCAppliedPolicy(record: record, domain: domain, tag: .p, published: policy, applied: policy),
                           alignments: [], organizationalDomain: domain, reason: "because", steps: [])
    }
}

/// Answers every question with one number, and counts them.
final class Oracle: PolicySource {
    let number: Int
    private let questions = Mutex(0)
    init(_ number: Int) { self.number = number }
    var asked: Int { questions.withLock { $0 } }

    func answer(_ query: PolicyQuery, about message: Message) async -> PolicyAnswer {
        questions.withLock { $0 += 1 }
        return PolicyAnswer(.number(number))
    }
}

extension FilterAnswer {
    var refusal: SMTPReply? {
        switch self {
        case .reject(let reply), .tempfail(let reply): reply
        default: nil
        }
    }
}

extension ReplayResult {
    var kind: ReplayChange.Kind? { if case .changed(let change) = self { change.kind } else { nil } }
    var unknown: [String]? { if case .unknown(let asked) = self { asked } else { nil } }
    var isSame: Bool { if case .same = self { true } else { false } }
    var isNotAsked: Bool { if case .notAsked = self { true } else { false } }
}
