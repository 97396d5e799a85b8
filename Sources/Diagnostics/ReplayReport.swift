import DecisionRecords
import InternetMessage
import PolicyReplay

/// What `postern policy replay` prints.
public struct ReplayReport: Encodable {
    public private(set) var messages = 0
    public private(set) var unchanged = 0
    /// Somebody else than the rules decided.
    public private(set) var notAsked = 0
    /// By what changed: `now rejected`.
    public private(set) var counts: [String: Int] = [:]
    public private(set) var changes: [Change] = []
    public private(set) var unknown: [Unknown] = []

    public struct Change: Encodable, Sendable {
        public let change: String
        public let id: String
        public let time: String
        public let from: String
        public let to: [String]
        public let was: String
        public let now: String
        public let rule: String?
        /// The content never came: rules of later stages may yet object.
        public let isPartial: Bool
    }

    public struct Unknown: Encodable, Sendable {
        public let id: String
        public let from: String
        public let to: [String]
        public let asked: [String]
    }

    public init() {}

    public mutating func add(_ record: DecisionRecord, _ result: ReplayResult) {
        messages += 1
        let from = "<\(Plain.line(record.envelope.sender ?? ""))>", to = record.envelope.recipients.map { "<\(Plain.line($0.address))>" }
        switch result {
        case .same: unchanged += 1
        case .notAsked: notAsked += 1
        case .unknown(let asked): unknown.append(Unknown(id: record.id, from: from, to: to, asked: asked.map(Plain.line)))
        case .changed(let change):
            counts[change.kind.rawValue, default: 0] += 1
            changes.append(Change(change: change.kind.rawValue, id: record.id, time: StoryTime.text(record.time), from: from, to: to,
                                  was: Self.words(change.was, beside: change.now), now: Self.words(change.now, beside: change.was),
                                  rule: change.rule, isPartial: change.isPartial))
        }
    }

    /// Nothing would change, and nothing is uncertain.
    public var isAsBefore: Bool { changes.isEmpty && unknown.isEmpty }

    private static func words(_ fate: Fate, beside other: Fate) -> String {
        let reply = fate.reply.map { " " + Plain.line($0) } ?? ""
        let refused = fate.refused == other.refused || fate.refused.isEmpty || fate.stage == "rcpt" ? ""
            : ", without " + fate.refused.keys.sorted().map { "<\(Plain.line($0))>" }.joined(separator: ", ")
        let keywords = fate.keywords == other.keywords || fate.keywords.isEmpty ? "" : " with \(fate.keywords.joined(separator: " "))"
        let marks = fate.changes.filter { !other.changes.contains($0) }.prefix(3).map(StoryChange.line)
        return fate.words + reply + refused + keywords + (marks.isEmpty || fate.kind != other.kind && fate.kind != .delivered ? "" : "; " + marks.joined(separator: "; "))
    }

    /// `3 now rejected, 1 no longer rejected, 2 newly filed`
    public var summary: String {
        let parts = ReplayChange.Kind.allCases.compactMap { kind in counts[kind.rawValue].map { "\($0) \(kind.rawValue)" } }
        let unknownPart = unknown.isEmpty ? [] : ["\(unknown.count) cannot tell"]
        let others = notAsked == 0 ? "" : " (\(notAsked) were not the rules' to decide)"
        return "\(messages) message\(messages == 1 ? "" : "s")\(others): " + (parts + unknownPart + ["\(unchanged) as before"]).joined(separator: ", ")
    }

    public var text: String {
        var lines = [summary]
        for kind in ReplayChange.Kind.allCases {
            let ones = changes.filter { $0.change == kind.rawValue }
            guard !ones.isEmpty else { continue }
            lines += ["", kind.rawValue]
            for one in ones {
                lines.append("  \(one.id)  \(one.time)  \(one.from) to \(one.to.joined(separator: ", "))")
                lines.append("      \(one.was) -> \(one.now)" + (one.rule.map { ", by the rule \($0)" } ?? "") + (one.isPartial ? "; its content never came" : ""))
            }
        }
        if !unknown.isEmpty { lines += ["", "cannot tell"] + unknown.map { "  \($0.id)  \($0.from) to \($0.to.joined(separator: ", ")): \($0.asked.joined(separator: ", ")) was never asked" } }
        return lines.joined(separator: "\n")
    }
}
