/// The draft as `postern.toml`.
enum SettingsText {
    static func document(_ draft: Draft) -> String {
        let plain = draft.assignments.filter { !$0.key.contains(".") && !$0.value.hasPrefix("{") }
        let inner = draft.assignments.filter { $0.key.contains(".") }, keyed = draft.assignments.filter { $0.value.hasPrefix("{") }
        var out = ["# Made of a Postfix's settings by `postern import postfix`. What is not here has its default:", "# postern config show --config FILE"]
        out.append("")
        out += plain.map(line)
        // A table of the user's keys, one line each.
        for table in keyed { out += ["", "# From \(comment(table.origin)).", "\(table.key) = \(table.value)"] }
        for name in Set(inner.map { String($0.key.prefix { $0 != "." }) }).sorted() {
            out += ["", "[\(name)]"]
            out += inner.filter { $0.key.hasPrefix(name + ".") }.map { line(.init(key: String($0.key.dropFirst(name.count + 1)), value: $0.value, origin: $0.origin)) }
        }
        for key in draft.keys {
            out += ["", "[[dkim]]", "domain = \(TOMLText.string(key.domain))", "selector = \(TOMLText.string(key.selector))", "key_file = \(TOMLText.string(key.keyFile))"]
            if key.subdomains { out.append("subdomains = true") }
        }
        return out.joined(separator: "\n") + "\n"
    }

    private static func line(_ assignment: Draft.Assignment) -> String {
        let text = "\(assignment.key) = \(assignment.value)"
        return assignment.origin == assignment.key ? text : "\(text)  # \(comment(assignment.origin))"
    }

    private static func comment(_ text: String) -> String { String(text.map { $0.isNewline ? " " : $0 }) }
}

/// The draft's rules, by stage.
enum RuleText {
    private static let stages = ["connect", "helo", "mail", "rcpt", "data", "message"]

    static func document(_ draft: Draft) -> String {
        var out = ["# Made of a Postfix's settings by `postern import postfix`; the language is described in policies/README.md."]
        for list in draft.lists { out += ["", "dnsbl \(quoted(list.name)) { \(list.entry) }"] }
        for stage in stages {
            let rules = draft.rules.filter { $0.stage == stage }
            guard !rules.isEmpty else { continue }
            out += ["", "stage \(stage)"]
            for rule in rules {
                out += ["", "rule \(quoted(rule.name))" + (rule.condition.isEmpty ? "" : "\n  when \(rule.condition)"), "  then \(rule.action)"]
            }
        }
        return out.joined(separator: "\n") + "\n"
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.reduce(into: "") { out, character in out += "\"\\{}".contains(character) ? "\\\(character)" : String(character) } + "\""
    }
}
