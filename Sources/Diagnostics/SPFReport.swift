import SPF

/// What `postern spf` prints.
public struct SPFReport: Sendable, Encodable {
    /// `none`, `neutral`, `pass`, `fail`, `softfail`, `temperror` or `permerror`.
    public let result: String
    /// The directive that decided, as published; nil for the default result and for errors.
    public let mechanism: String?
    /// The domain whose record holds it.
    public let mechanismDomain: String?
    /// `mailfrom` or `helo`.
    public let identity: String
    public let domain: String
    public let reason: String
    public let record: String?
    /// The domain owner's words (exp=), for `fail` only.
    public let explanation: String?
    public let lookups: [Lookup]

    public struct Lookup: Sendable, Encodable {
        public let name: String
        public let type: String
        public let answer: String

        init(_ lookup: SPFLookup) {
            name = lookup.question.name.description
            type = lookup.question.type.description
            answer = lookup.outcome
        }
    }

    public init(_ spf: SPFResult) {
        result = spf.verdict.rawValue
        mechanism = spf.match?.directive
        mechanismDomain = spf.match?.domain.description
        identity = spf.identity.rawValue
        domain = spf.domainText
        reason = spf.reason
        record = spf.record
        explanation = spf.explanation
        lookups = spf.lookups.map(Lookup.init)
    }

    /// The result and the mechanism on the first line, the facts below.
    /// - Parameter explains: with each look-up, and the exp= text.
    public func text(explains: Bool) -> String {
        var lines = [[result, mechanism].compactMap { $0 }.joined(separator: " ")]
        var facts: [(String, String)] = [("identity", "\(identity) \(Plain.line(domain))"), ("reason", reason)]
        if let record { facts.append(("record", record)) }
        if explains {
            facts += lookups.map { ("lookup", "\(Plain.line($0.name)) \($0.type): \($0.answer)") }
            if let explanation { facts.append(("explanation", explanation)) }
        }
        lines += TextTable(facts.map { ["  " + $0.0 + ":", $0.1] }).lines
        return lines.joined(separator: "\n")
    }
}
