/// The new settings while they are made.
struct Draft: Sendable {
    struct Assignment: Sendable, Hashable {
        let key: String
        /// As the file writes it.
        let value: String
        /// Where it comes from, for the comment.
        let origin: String
    }

    let own: OwnSettings
    private(set) var assignments: [Assignment] = []
    var keys: [SigningKeyDraft] = []
    var lists: [RuleDraft.List] = []
    var rules: [RuleDraft] = []
    var accounts: [AccountDraft] = []
    var parameters: [ImportedParameter] = []
    /// What is left to be done by hand.
    var steps: [String] = []

    init(own: OwnSettings) { self.own = own }

    func value(_ key: String) -> String? { assignments.first { $0.key == key }?.value }

    /// Sets one of our settings, unless its value is what holds anyway.
    /// - Parameter note: a word on what differs.
    mutating func set(_ key: String, _ value: String, from origin: String, note: String = "") -> Outcome {
        let tail = note.isEmpty ? "" : "; \(note)"
        do {
            guard try !own.judge(key, value).isDefault else { return .isDefault("\(key) = \(value) is the default here\(tail)") }
            assignments.removeAll { $0.key == key }
            assignments.append(Assignment(key: key, value: value, origin: origin))
            return .carried("\(key) = \(Self.short(value))\(tail)")
        } catch { return .notUnderstood("\(error)") }
    }

    /// Sets it though it may be the default, where the file would be read wrongly without it.
    mutating func insist(_ key: String, _ value: String, from origin: String) {
        assignments.removeAll { $0.key == key }
        assignments.append(Assignment(key: key, value: value, origin: origin))
    }

    mutating func note(_ file: String, _ service: String? = nil, _ name: String, _ value: String, _ outcome: Outcome) {
        parameters.append(ImportedParameter(file: file, service: service, name: name, value: value, fate: outcome.fate, text: outcome.text))
    }

    /// One rule of a name, which the log shows.
    mutating func add(_ rule: RuleDraft) {
        guard !rules.contains(rule) else { return }
        let same = rules.count { $0.name == rule.name || $0.name.hasPrefix(rule.name + " (") }
        rules.append(same == 0 ? rule : RuleDraft(stage: rule.stage, name: "\(rule.name) (\(same + 1))", condition: rule.condition, action: rule.action))
    }

    mutating func step(_ text: String) {
        if !steps.contains(text) { steps.append(text) }
    }

    private static func short(_ value: String) -> String { value.count <= 100 ? value : value.prefix(97) + "…" }
}

/// One `[[dkim]]` table.
struct SigningKeyDraft: Sendable, Hashable {
    let domain: String
    let selector: String
    let keyFile: String
    var subdomains = false
}

/// Somebody who had a mailbox.
public struct AccountDraft: Sendable, Hashable, Codable {
    /// The log-in name here.
    public let name: String
    public let addresses: [String]
    /// Where it was found.
    public let origin: String
}

/// A rule, in the words of the rule language.
struct RuleDraft: Sendable, Hashable {
    /// A set of DNS lists.
    struct List: Sendable, Hashable {
        let name: String
        /// `"zen.spamhaus.org" for 127.0.0.2..127.0.0.11`
        let entry: String
    }
    let stage: String
    let name: String
    let condition: String
    let action: String
}
