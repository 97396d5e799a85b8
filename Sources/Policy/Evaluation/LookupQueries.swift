import InternetMessage

/// Which question stands behind a name, and what its answer means.
extension Evaluation {
    /// nil: nothing has to be looked up, or nothing can be.
    func query(for fact: PolicyFact) -> PolicyQuery? {
        switch fact {
        case .senderMX:
            guard case .domain(let domain) = facts.value(of: .senderDomain) else { return nil }
            return .mailExchange(domain)
        case .senderAllowed:
            guard case .text(let account) = facts.value(of: .account), case .address(let sender) = facts.value(of: .sender) else { return nil }
            return .mayWrite(account: account, as: sender)
        case .attachmentsName, .attachmentsType, .attachmentsEncrypted, .attachmentsUnreadable: return .attachments
        case .messageAge: return .messageAge
        default: return nil
        }
    }

    mutating func query(for subject: Subject) throws(LookupNeeded) -> PolicyQuery? {
        switch subject {
        case .blocklist(let set, let fact): return try read(.fact(fact)).map { .blocklist(set, $0) }
        case .rate(let terms): return try event(terms).map { .rate($0) }
        case .fact(let fact): return query(for: fact)
        case .header: return nil
        }
    }

    /// nil when one of the values is missing: what has no account does not count for one.
    private mutating func event(_ terms: RateTerms) throws(LookupNeeded) -> RateEvent? {
        var parts: [String] = []
        for fact in terms.facts {
            guard let value = try read(.fact(fact)) else { return nil }
            parts.append("\(fact.rawValue)=\(Self.counted(value))")
        }
        return RateEvent(stage: stage, key: parts.joined(separator: " "), window: terms.window, isOfAccount: terms.facts.contains(.account),
                         occasion: stage == .rcpt ? facts.value(of: .recipient)?.folded.description : nil)
    }

    private static func counted(_ value: PolicyValue) -> String {
        if case .ip(let address) = value { return address.policyNetwork(v4: 32) }
        return String(value.folded.description.unicodeScalars.prefix(320))
    }

    /// The part of an answer that a fact is about.
    static func value(of fact: PolicyFact, _ answer: PolicyAnswer.Value) -> PolicyValue? {
        switch (answer, fact) {
        case (.attachments(let all), .attachmentsName): .list(all.names.map(PolicyValue.text))
        case (.attachments(let all), .attachmentsType): .list(all.types.map(PolicyValue.text))
        case (.attachments(let all), .attachmentsEncrypted): .flag(all.isEncrypted)
        case (.attachments(let all), .attachmentsUnreadable): .flag(all.isUnreadable)
        case (.word(let word), .senderMX): .word(word)
        case (.flag(let flag), .senderAllowed): .flag(flag)
        case (.number(let number), .messageAge): .number(number)
        default: nil
        }
    }
}
