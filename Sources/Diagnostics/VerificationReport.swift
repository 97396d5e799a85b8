import DKIM
import DMARC
import DNS
import InternetMessage
import MailFilters
import Milter
import SPF

/// What `postern verify` prints: every result of the chain with what it rests on.
public struct VerificationReport: Sendable, Encodable {
    public let client: String
    public let clientName: String?
    public let helo: String
    public let sender: String
    public let recipients: [String]
    /// Checked as arriving mail; false for our own, of which nothing is asked.
    public let isArriving: Bool
    /// `accept`, `reject`, `tempfail`, `discard` or `quarantine`: what a client or its recipients would see.
    public let verdict: String
    public let reply: String?
    /// The stage and the filter that refused.
    public let decidedAt: String?
    public let results: [MethodResult]
    public let rules: [Rule]
    /// What the filters changed, in order.
    public let changes: [String]
    public let folder: String?
    public let keywords: [String]
    public let lookups: [Lookup]

    /// One line of the table.
    public struct MethodResult: Sendable, Encodable {
        /// `iprev`, `spf`, `dkim`, `dmarc`, `tag`.
        public let method: String
        public let result: String
        /// The domain, address or identity that was checked.
        public let subject: String
        public let reason: String
        /// The DNS record the result rests on, and its name.
        public let recordName: String?
        public let record: String?
    }

    public struct Rule: Sendable, Encodable {
        public let rule: String
        public let place: String
        public let stage: String
        public let matched: Bool
        public let saw: [String]
    }

    public struct Lookup: Sendable, Encodable {
        public let name: String
        public let type: String
        public let answer: [String]
    }

    /// One stage's answer, as the one who ran the stages has it.
    public struct StageAnswer: Sendable {
        public let stage: String
        public let answer: FilterAnswer
        public let filter: String?

        public init(stage: String, answer: FilterAnswer, filter: String?) {
            self.stage = stage
            self.answer = answer
            self.filter = filter
        }
    }

    public init(_ transaction: Transaction, stages: [StageAnswer], lookups: [(question: DNSQuestion, response: DNSResponse)]) {
        client = transaction.connection.clientAddress?.description ?? "local"
        clientName = transaction.connection.clientName
        helo = Plain.line(transaction.helo)
        sender = "<\(transaction.sender.address?.description ?? "")>"
        recipients = transaction.recipients.map(\.address.description)
        isArriving = !transaction.connection.isOriginating
        let refusal = stages.first { $0.answer.isNegative }
        (verdict, reply) = Self.words(refusal?.answer, transaction.quarantineReason)
        decidedAt = refusal.map { "\($0.stage)" + ($0.filter.map { ", filter \($0)" } ?? "") }
        results = MethodResults.all(transaction)
        rules = (transaction[PolicyTraceKey.self] ?? []).map {
            Rule(rule: $0.rule, place: "\($0.file):\($0.line)", stage: $0.stage.rawValue, matched: $0.matched, saw: $0.seen.map { Plain.line($0.description) })
        }
        changes = transaction.modifications.map(ChangeText.of)
        folder = transaction.deliveryHints.folder
        keywords = transaction.deliveryHints.keywords.sorted()
        self.lookups = lookups.map { Lookup(name: Plain.line($0.question.name.description), type: $0.question.type.description,
                                            answer: $0.response.outcome.summary(of: $0.question.type).map(Plain.line)) }
    }

    private static func words(_ answer: FilterAnswer?, _ quarantine: String?) -> (String, String?) {
        switch answer {
        case .reject(let reply)?: ("reject", reply.description)
        case .tempfail(let reply)?: ("tempfail", reply.description)
        case .discard?: ("discard", nil)
        case .continue?, .accept?, nil: quarantine.map { ("quarantine", $0) } ?? ("accept", nil)
        }
    }

    /// The verdict first, then the tables.
    public var text: String {
        var blocks = [[verdict + (reply.map { ": " + Plain.line($0) } ?? "") + (decidedAt.map { " (at \($0))" } ?? "")]]
        blocks.append(["\(sender) to \(recipients.joined(separator: ", ")) from \(client) (\(clientName ?? "no verified name")), HELO \(helo)"]
            + (isArriving ? [] : ["The client is in mynetworks: our own mail, of which nothing is checked."]))
        blocks.append(TextTable([["METHOD", "RESULT", "OF", "WHY"]] + results.map { [$0.method, $0.result, $0.subject, $0.reason] }).lines)
        let records = results.compactMap { result in result.record.map { [result.recordName ?? "", $0] } }
        blocks.append(Self.titled("RECORDS", TextTable(records).lines))
        blocks.append(Self.titled("RULES", TextTable(rules.filter(\.matched).map { [$0.place, $0.rule, $0.saw.joined(separator: ", ")] }).lines))
        let filing = (folder.map { ["folder: \($0)"] } ?? []) + (keywords.isEmpty ? [] : ["keywords: " + keywords.joined(separator: " ")])
        blocks.append(Self.titled("CHANGES", changes + filing))
        blocks.append(Self.titled("LOOK-UPS", TextTable(lookups.map { ["\($0.name) \($0.type)", $0.answer.joined(separator: ", ")] }).lines))
        return blocks.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }.joined(separator: "\n\n")
    }

    private static func titled(_ title: String, _ lines: [String]) -> [String] {
        lines.isEmpty ? [] : [title] + lines.map { "  " + $0 }
    }
}
