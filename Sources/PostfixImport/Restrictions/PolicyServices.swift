import PostfixDoctor

extension RestrictionList {
    /// `check_policy_service unix:private/policyd-spf`: the services that everybody runs are known.
    mutating func policyService(_ argument: String) -> Outcome {
        let place = argument.hasPrefix("{") ? Words.split(String(argument.dropFirst().dropLast())).first ?? argument : argument
        let name = place.split(separator: "/").last.map(String.init) ?? place
        let service = source.postfix.services.first { $0.name == name }
        let text = ([place] + (service.map { [$0.program] + $0.arguments } ?? [])).joined(separator: " ").lowercased()
        if text.contains("spf") { return spf() }
        if text.contains("postgrey") || place.hasSuffix(":10023") {
            return rule("greylisting", "", "greylist delay 5m")
        }
        return .notCarried("policy services are not asked; rules can count (rate), greylist, and look at DNS lists")
    }

    /// What policyd-spf refuses (policyd-spf.conf(5)); what it finds out the built-in filters do.
    private mutating func spf() -> Outcome {
        let settings = source.policydSPF.map { Self.settings($0.text) } ?? [:]
        guard settings["testonly"] != "1" else { return .carried("SPF is built in; TestOnly: nothing is refused for it") }
        var made: [String] = []
        let word = settings["mail_from_reject"] ?? "fail"
        let results = ["fail": "spf.result == fail", "softfail": "spf.result in [fail, softfail]", "spf_not_pass": "spf.result in [fail, softfail, neutral, none]"]
        if let condition = results[word] { made.append(addSPF("Mail_From_reject", condition, "reject 550 \"5.7.23\" \"Message rejected due to: SPF {spf.result}\"")) }
        if settings["permerror_reject"] == "true" { made.append(addSPF("PermError_reject", "spf.result == permerror", "reject 550 \"5.7.24\" \"Message rejected due to: SPF permerror\"")) }
        if settings["temperror_defer"] == "true" { made.append(addSPF("TempError_Defer", "spf.result == temperror", "tempfail 451 \"4.7.24\" \"Message deferred due to: SPF temperror\"")) }
        return .carried("SPF is built in" + (made.isEmpty ? "" : "; rules at the end of the message: \(made.joined(separator: ", "))"))
    }

    private mutating func addSPF(_ name: String, _ condition: String, _ action: String) -> String {
        rules.append(RuleDraft(stage: "message", name: "policyd-spf: \(name)", condition: "listener == smtp and \(condition)", action: action))
        return name
    }

    /// `name = value` lines, in lower case.
    static func settings(_ text: String) -> [String: String] {
        var out: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let content = line.prefix { $0 != "#" }
            guard let equals = content.firstIndex(of: "=") else { continue }
            out[trimmed(content[..<equals]).lowercased()] = trimmed(content[content.index(after: equals)...]).lowercased()
        }
        return out
    }
}
