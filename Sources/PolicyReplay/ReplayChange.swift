import DecisionRecords

/// What another set of rules makes of one message.
public enum ReplayResult: Sendable {
    case same
    /// The rules did not decide about it: somebody else refused it before they were asked.
    case notAsked
    case changed(ReplayChange)
    /// The rules ask what was never recorded; which, in words.
    case unknown([String])
}

/// A message that would fare otherwise.
public struct ReplayChange: Sendable {
    /// Most telling first.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case rejected = "now rejected"
        case notRejected = "no longer rejected"
        case deferred = "now deferred"
        case notDeferred = "no longer deferred"
        case discarded = "now discarded"
        case notDiscarded = "no longer discarded"
        case held = "newly held"
        case notHeld = "no longer held"
        case filed = "newly filed"
        case notFiled = "no longer filed"
        case recipients = "with other recipients refused"
        case reply = "with another reply"
        case marks = "marked otherwise"
    }

    public let kind: Kind
    public let was: Fate
    public let now: Fate
    /// The content never came, since it was refused before: what rules of later stages would have said is not known.
    public let isPartial: Bool

    init?(was: Fate, now: Fate, isPartial: Bool) {
        guard !was.isSame(as: now) else { return nil }
        self.was = was
        self.now = now
        self.isPartial = isPartial
        kind = Self.kind(was, now)
    }

    /// The rule that makes the difference, as ``Fate/rule``, as far as that can be told: rules are compared by their names.
    public var rule: String? {
        let gone = was.matched.last { one in !now.matched.contains { $0.name == one.name } }?.label
        switch kind {
        case .rejected, .deferred, .discarded, .recipients, .reply: return now.rule ?? was.rule
        case .notRejected, .notDeferred, .notDiscarded: return was.rule
        case .notHeld, .notFiled: return gone ?? was.rule
        case .held, .filed, .marks:
            let new = now.matched.last { one in !was.matched.contains { $0.name == one.name } }?.label
            return new ?? gone ?? now.rule ?? was.rule
        }
    }

    private static func kind(_ was: Fate, _ now: Fate) -> Kind {
        if was.kind == now.kind {
            if now.kind == .filed, was.folder != now.folder { return .filed }
            if was.refused != now.refused { return .recipients }
            return was.reply != now.reply || was.stage != now.stage ? .reply : .marks
        }
        if now.kind == .rejected { return .rejected }
        if was.kind == .rejected { return .notRejected }
        if now.kind == .deferred { return .deferred }
        if was.kind == .deferred { return .notDeferred }
        if now.kind == .discarded { return .discarded }
        if was.kind == .discarded { return .notDiscarded }
        if now.kind == .held { return .held }
        if was.kind == .held { return .notHeld }
        return now.kind == .filed ? .filed : .notFiled
    }
}
