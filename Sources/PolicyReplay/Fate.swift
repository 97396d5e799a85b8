import DecisionRecords

/// What became of a message by the rules' doing.
public struct Fate: Sendable, Hashable {
    public enum Kind: Sendable, Hashable, Comparable { case delivered, filed, held, discarded, deferred, rejected }

    public var kind = Kind.delivered
    /// The reply of a refusal.
    public var reply: String?
    /// Where it was refused: `connect`, `helo`, `mail`, `rcpt`, `data`, `message`.
    public var stage: String?
    public var folder: String?
    public var keywords: [String] = []
    public var quarantine: String?
    public var changes: [DecisionRecord.Change] = []
    /// The recipients that the rules refused, with the replies.
    public var refused: [String: String] = [:]
    /// `"leaked tag" (default.policy:31)`: the last rule that matched where it was decided.
    public var rule: String?
    /// All that matched, in order.
    var matched: [Matched] = []

    struct Matched: Sendable, Hashable {
        let name: String
        let label: String

        init(_ name: String, _ file: String, _ line: Int) {
            self.name = name
            label = "\"\(name)\" (\(file):\(line))"
        }
    }

    /// In a few words: `rejected 550 5.7.1 no`, `filed into Junk`.
    public var words: String {
        switch kind {
        case .delivered: "delivered"
        case .filed: "filed into \(folder ?? "a folder")"
        case .held: "held"
        case .discarded: "discarded"
        case .deferred: "deferred"
        case .rejected: "rejected"
        }
    }

    /// Whether a client and its recipients would see the same.
    func isSame(as other: Fate) -> Bool {
        kind == other.kind && reply == other.reply && stage == other.stage && folder == other.folder && keywords == other.keywords
            && quarantine == other.quarantine && changes == other.changes && refused == other.refused
    }
}

extension Fate {
    /// What the rules decided when the message came.
    init(_ record: DecisionRecord) {
        let decided = record.verdict.filter == "policy"
        for recipient in record.envelope.recipients where recipient.refusedBy == "policy" { refused[recipient.address] = recipient.refusal }
        rule = (record.rules.last { $0.stage == record.verdict.stage } ?? record.rules.last).map { Matched($0.rule, $0.file, $0.line).label }
        matched = record.rules.map { Matched($0.rule, $0.file, $0.line) }
        if decided, record.verdict.kind != .accepted {
            kind = record.verdict.kind == .discarded ? .discarded : record.verdict.kind == .deferred ? .deferred : .rejected
            (reply, stage) = (record.verdict.reply, record.verdict.stage)
            return
        }
        (folder, keywords) = (record.folder, record.keywords)
        changes = record.changesByRules.map { Array(record.changes[$0]) } ?? []
        quarantine = changes.last { $0.kind == .quarantine }?.text
        kind = quarantine != nil ? .held : folder != nil ? .filed : .delivered
    }
}
