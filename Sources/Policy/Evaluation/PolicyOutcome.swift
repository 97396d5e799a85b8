import InternetMessage

/// What the rules of one stage say.
public struct PolicyOutcome: Sendable, Hashable {
    /// nil: no rule decided.
    public var decision: PolicyDecision?
    /// The changes of every rule that matched before the decision, in order. Worth applying unless the decision refuses.
    public var actions: [PolicyAction] = []
    /// Every rule that was asked, in order; the last of them decided, if one did.
    public var trace: [RuleTrace] = []
}

/// A decision ends the rules of its stage.
public enum PolicyDecision: Sendable, Hashable {
    /// No further rule of this stage is asked; the rules of later stages still are.
    case accept
    /// Refuse for good: at `rcpt` the recipient, at `connect` and `helo` the connection, elsewhere the message.
    case reject(SMTPReply)
    /// Refuse for now.
    case tempfail(SMTPReply)
    /// Say it was taken, and throw it away.
    case discard
}

/// A change to the message, to its recipients, or to where and how its copy is stored. At stage `rcpt` only those of the
/// recipients are made.
public enum PolicyAction: Sendable, Hashable {
    /// Hold the message, for that reason.
    case quarantine(String)
    case addHeader(HeaderField)
    /// Replace the first field of that name and remove the others; add it where there is none.
    case setHeader(HeaderField)
    /// Remove every field of that name.
    case removeHeader(String)
    /// Put this before the Subject, unless it is there already.
    case subjectPrefix(String)
    case fileInto(String)
    case addKeyword(String)
    /// The message is no evidence to the tag ledger, for that reason.
    case exemptTag(String)
    /// At `rcpt` in place of this recipient, at `message` in place of all.
    case redirect(EmailAddress)
    /// One recipient more, of whom no sender is told.
    case copy(EmailAddress)
    /// In place of this recipient.
    case changeRecipient(EmailAddress)
}

/// One rule that was asked, and what it saw.
public struct RuleTrace: Sendable, Hashable {
    public let rule: String
    public let file: String
    public let line: Int
    public let stage: PolicyStage
    public let matched: Bool
    /// The values that were looked at, in order; what an `and` or `or` did not need is not among them.
    public let seen: [SeenValue]
}

/// A name as the rule spells it and its value then; nil is `missing`.
public struct SeenValue: Sendable, Hashable, CustomStringConvertible {
    public let name: String
    public let value: PolicyValue?
    public var description: String { name + " = " + (value.map(\.description) ?? "missing") }
}
