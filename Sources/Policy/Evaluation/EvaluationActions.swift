import InternetMessage

/// What a rule that matched does.
struct RuleEffect {
    var actions: [PolicyAction] = []
    var decision: PolicyDecision?
    var endsFile = false
}

extension Evaluation {
    /// In their order, up to the first that decides.
    mutating func effect(of actions: [RuleAction]) throws(LookupNeeded) -> RuleEffect {
        var effect = RuleEffect()
        for action in actions {
            if let decision = try decision(action) {
                effect.decision = decision
                break
            }
            if case .nextFile = action { effect.endsFile = true }
            if let made = try self.action(action) { effect.actions.append(made) }
        }
        return effect
    }

    private mutating func text(_ template: TextTemplate) throws(LookupNeeded) -> String {
        for case .value(let subject) in template.parts { _ = try read(subject) }
        return template.render { progress.known[$0]?.value }
    }

    private mutating func decision(_ action: RuleAction) throws(LookupNeeded) -> PolicyDecision? {
        switch action {
        case .accept: return .accept
        case .discard: return .discard
        case .reject(let code, let enhanced, let template): return .reject(SMTPReply(code, enhanced, try text(template)))
        case .tempfail(let code, let enhanced, let template): return .tempfail(SMTPReply(code, enhanced, try text(template)))
        case .limit(let terms, let limit): return try limited(terms, limit)
        case .greylist(let terms): return try greylisted(terms)
        case .requireTLS(let version): return try withoutTLS(version)
        default: return nil
        }
    }

    private mutating func limited(_ terms: RateTerms, _ limit: Int) throws(LookupNeeded) -> PolicyDecision? {
        guard case .number(let count) = try value(.rate(terms)), count > limit else { return nil }
        return .tempfail(SMTPReply(450, "4.7.1", "too much in too short a time, try again later"))
    }

    /// Our own users never wait.
    private mutating func greylisted(_ terms: GreylistTerms) throws(LookupNeeded) -> PolicyDecision? {
        guard try read(.fact(.account)) == nil, try read(.fact(.clientOwn)) != .flag(true), case .ip(let client) = try read(.fact(.clientIP)),
            case .address(let recipient) = try read(.fact(.recipient)) else { return nil }
        var sender: EmailAddress?
        if case .address(let address) = try read(.fact(.sender)) { sender = address }
        let attempt = GreylistAttempt(terms: terms, client: client, sender: sender, recipient: recipient)
        guard case .number(let wait) = try answer(.greylist(attempt)) else { return nil }
        note(SeenValue(name: "greylist", value: .number(wait)))
        guard wait > 0 else { return nil }
        return .tempfail(SMTPReply(451, "4.7.1", "greylisted, try again in \(wait) second\(wait == 1 ? "" : "s")"))
    }

    /// RFC 3207 §4: 530 says that STARTTLS must come first.
    private mutating func withoutTLS(_ version: String?) throws(LookupNeeded) -> PolicyDecision? {
        guard case .word(let present) = try value(.fact(.tlsVersion)) else {
            return .reject(SMTPReply(530, "5.7.0", "Must issue a STARTTLS command first"))
        }
        let versions = PolicyFact.tlsVersions
        guard let version, (versions.firstIndex(of: present) ?? 0) < (versions.firstIndex(of: version) ?? 0) else { return nil }
        return .reject(SMTPReply(530, "5.7.0", "\(version) or newer is required"))
    }

    /// A marking action with its texts filled in; nil for a decision.
    mutating func action(_ action: RuleAction) throws(LookupNeeded) -> PolicyAction? {
        switch action {
        case .accept, .discard, .reject, .tempfail, .limit, .greylist, .requireTLS, .nextFile: nil
        case .quarantine(let template): .quarantine(try text(template))
        case .addHeader(let name, let template): .addHeader(HeaderField(name: name, value: EncodedWords.encode(try text(template))))
        case .setHeader(let name, let template): .setHeader(HeaderField(name: name, value: EncodedWords.encode(try text(template))))
        case .removeHeader(let name): .removeHeader(name)
        case .subjectPrefix(let template): .subjectPrefix(try text(template))
        case .fileInto(let folder): .fileInto(folder)
        case .addKeyword(let keyword): .addKeyword(keyword)
        case .exemptTag(let template): .exemptTag(try text(template))
        case .redirect(let address): .redirect(address)
        case .copy(let address): .copy(address)
        case .changeRecipient(let address): .changeRecipient(address)
        }
    }
}
