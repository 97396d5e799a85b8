import PostfixDoctor

/// `smtpd_*_restrictions` (SMTPD_ACCESS_README): each word is built in here, or becomes a rule.
///
/// Postfix asks all lists at RCPT, since smtpd_delay_reject is on, and those of DATA at DATA; so do the rules.
enum RestrictionLists {
    static let names = ["smtpd_client_restrictions", "smtpd_helo_restrictions", "smtpd_sender_restrictions", "smtpd_relay_restrictions",
                        "smtpd_recipient_restrictions", "smtpd_data_restrictions", "smtpd_end_of_data_restrictions"]

    /// The lists in force, one time each for the listeners that have it.
    static func carry(_ source: ImportSource, _ draft: inout Draft) {
        for name in names {
            for (value, kinds, service) in groups(name, source.postfix) {
                let isOfMain = service == nil
                guard !value.isEmpty, !isOfMain || source.postfix.written.contains(name) else { continue }
                var list = RestrictionList(name: name, listeners: kinds, source: source)
                list.walk(Words.split(value))
                let file = isOfMain ? source.postfix.mainFile : source.postfix.masterFile
                for (word, outcome) in list.outcomes { draft.note(file, service, "\(name): \(word)", value, outcome) }
                for rule in list.rules { draft.add(rule) }
                draft.lists += list.dnsLists.filter { !draft.lists.contains($0) }
            }
        }
    }

    /// Values with the listeners that they hold for; the service is nil for main.cf's own.
    private static func groups(_ name: String, _ postfix: PostfixSettings) -> [(value: String, kinds: [Listeners.Kind], service: String?)] {
        var out: [(value: String, kinds: [Listeners.Kind], service: String?)] = []
        for service in postfix.services {
            guard let kind = Listeners.kind(of: service, postfix) else { continue }
            let own = service.overrides[name]
            let label = own == nil ? nil : "\(service.name)/\(service.type)"
            let value = own ?? postfix.main[name] ?? ""
            if let index = out.firstIndex(where: { $0.value == value && ($0.service == nil) == (label == nil) }) {
                if !out[index].kinds.contains(kind) { out[index].kinds.append(kind) }
            } else { out.append((value, [kind], label)) }
        }
        return out
    }
}

/// One list while it is walked: what was permitted before no longer concerns what follows.
struct RestrictionList {
    let name: String
    let listeners: [Listeners.Kind]
    let source: ImportSource
    /// What holds for everybody who gets as far as the present word.
    var guards: [String] = []
    /// Somebody was let through for a reason that rules cannot ask for: what follows would hit too many.
    private var isBlurred = false
    /// `permit`: what follows is never asked.
    private var isEnded = false
    private(set) var outcomes: [(word: String, outcome: Outcome)] = []
    var rules: [RuleDraft] = []
    private(set) var dnsLists: [RuleDraft.List] = []
    private var depth = 0

    init(name: String, listeners: [Listeners.Kind], source: ImportSource) {
        (self.name, self.listeners, self.source) = (name, listeners, source)
    }

    private var stage: String { name == "smtpd_data_restrictions" ? "data" : name == "smtpd_end_of_data_restrictions" ? "message" : "rcpt" }
    private var isForOwnUsers: Bool { !listeners.contains(.smtp) }

    mutating func walk(_ words: [String]) {
        var rest = words[...]
        while let word = rest.popFirst() {
            if word == "warn_if_reject" {
                outcomes.append((word, .notCarried("what it would have done is not done here: a rule can mark instead (add header; policies/cookbook/mark-only.policy)")))
                _ = take(rest.popFirst() ?? "", &rest)
                continue
            }
            let argument = take(word, &rest)
            if word == "sleep" { outcomes.append(("sleep \(argument ?? "")", .notNeeded("who makes errors is slowed down"))); continue }
            step(word, argument)
        }
    }

    /// The argument of a restriction that has one.
    private func take(_ word: String, _ rest: inout ArraySlice<String>) -> String? {
        let isTaking = word == "sleep" || ["check_", "reject_rbl", "reject_rhsbl", "permit_dnswl", "permit_rhswl"].contains { word.hasPrefix($0) } && word != "check_relay_domains"
        return isTaking ? rest.popFirst() : nil
    }

    private mutating func step(_ word: String, _ argument: String?) {
        let label = argument.map { "\(word) \($0)" } ?? word
        if isEnded {
            outcomes.append((label, .notNeeded("it stands after what lets everybody through or turns everybody away")))
        } else if word == "permit" {
            isEnded = true
            outcomes.append((label, .isDefault("whom no rule refuses is let through")))
        } else if let permit = Restrictions.permits[word] {
            if let condition = permit.rest { guards.append(condition) } else if permit.blurs { isBlurred = true }
            outcomes.append((label, permit.outcome))
        } else if let outcome = Restrictions.builtIn[word] {
            outcomes.append((label, outcome))
        } else if ["reject", "defer", "defer_unless_permitted"].contains(word) {
            outcomes.append((label, turnAwayRest(word)))
            isEnded = true
        } else if let (condition, action) = Restrictions.conditions[word] {
            outcomes.append((label, rule(label, condition, action)))
        } else if word.hasPrefix("reject_rbl_client") || word.hasPrefix("reject_rhsbl_") || word.hasPrefix("permit_dnswl") {
            outcomes.append((label, dnsList(word, argument ?? "")))
        } else if word == "check_policy_service" {
            outcomes.append((label, policyService(argument ?? "")))
        } else if word.hasPrefix("check_"), let argument {
            outcomes.append((label, access(word, argument)))
        } else if let words = source.postfix.main[word], source.postfix.main["smtpd_restriction_classes"].map({ Words.split($0).contains(word) }) == true, depth < 5 {
            depth += 1
            outcomes.append((label, .carried("the list that it names, below")))
            walk(Words.split(words))
            depth -= 1
        } else if let table = Optional(TableReference(word)), !table.type.isEmpty {
            outcomes.append((label, access("check_" + (name.split(separator: "_").dropFirst().first.map(String.init) ?? "client") + "_access", word)))
        } else {
            outcomes.append((label, Restrictions.others[word] ?? .notUnderstood("no such restriction of Postfix is known")))
        }
    }

    /// `reject` at the end of a list: whoever came so far.
    private mutating func turnAwayRest(_ word: String) -> Outcome {
        if isForOwnUsers { return .isDefault("submission takes mail from those who log in only") }
        if name == "smtpd_relay_restrictions" { return .isDefault("mail for other domains is taken from own users and mynetworks only") }
        return rule(word, "", word == "reject" ? "reject 554 \"5.7.1\" \"Access denied\"" : "tempfail 450 \"4.7.1\" \"Access denied\"")
    }

    mutating func rule(_ word: String, _ condition: String, _ action: String) -> Outcome {
        if isBlurred { return .notCarried("some are let through before it for a reason that no rule can ask for; write the rule by hand") }
        let own = isForOwnUsers ? [] : guards
        let which = listeners.count == 1 ? "listener == \(listeners[0].rawValue)" : "listener in [\(listeners.map(\.rawValue).joined(separator: ", "))]"
        rules.append(RuleDraft(stage: stage, name: "\(name): \(word)", condition: ([which] + own + (condition.isEmpty ? [] : [condition])).joined(separator: " and "), action: action))
        return .carried("a rule at \(stage)")
    }

    /// `reject_rbl_client zen.spamhaus.org=127.0.0.[2..11]`.
    private mutating func dnsList(_ word: String, _ argument: String) -> Outcome {
        let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
        guard let zone = parts.first else { return .notUnderstood("no list is named") }
        var entry = "\"\(zone)\""
        if parts.count == 2 {
            guard let answers = Self.answers(parts[1]) else { return .notUnderstood("\"\(parts[1])\" is no answer such as 127.0.0.2 or 127.0.0.[2..11]") }
            entry += " for \(answers)"
        }
        let subject: String
        switch word {
        case "reject_rbl_client", "permit_dnswl_client": subject = ""
        case "reject_rhsbl_sender": subject = ", sender.domain"
        case "reject_rhsbl_client": subject = ", client.name"
        default: return .notCarried("rules ask lists about client.ip, client.name, sender.domain and from.domain")
        }
        let list = RuleDraft.List(name: parts.count == 2 ? argument : zone, entry: entry)
        dnsLists.append(list)
        let score = "dnsbl[\"\(list.name)\"\(subject)]"
        guard word.hasPrefix("reject") else {
            guards.append("\(score) == 0")
            return .carried("whom it lists the rules of this list leave alone")
        }
        return rule("\(word) \(argument)", "\(score) > 0", "reject 554 \"5.7.1\" \"Service unavailable; blocked using \(zone)\"")
    }

    /// `127.0.0.2`, or `127.0.0.[2..11]` (postconf(5), reject_rbl_client): one range of the last octet.
    private static func answers(_ text: String) -> String? {
        guard let open = text.firstIndex(of: "[") else { return text.split(separator: ".").count == 4 ? text : nil }
        let base = text[..<open], inside = text[text.index(after: open)...]
        guard inside.hasSuffix("]"), base.split(separator: ".").count == 3 else { return nil }
        let ranges = inside.dropLast().split(separator: ";").map { part -> String in
            let ends = part.split(separator: ".").map(String.init)
            return ends.count == 2 ? "\(base)\(ends[0])..\(base)\(ends[1])" : "\(base)\(part)"
        }
        return ranges.joined(separator: ", ")
    }
}
