import NetworkAddress

/// access(5): keys that are clients, addresses or names, and what is done with them.
extension RestrictionList {
    /// More lines than this are a list for `table "file"` and not for a rule.
    private static let longestTable = 200

    mutating func access(_ word: String, _ argument: String) -> Outcome {
        let table = TableReference(argument)
        guard let subject = AccessSubject(word) else { return .notCarried("rules have no counterpart for \(word)") }
        guard table.isReadable || table.type == "cidr" else { return .notCarried(table.whyNot) }
        let entries: [TableText.Entry]
        do { entries = TableText(try source.read(table.name)).entries } catch { return .notUnderstood("\(table.name): \(error)") }
        guard entries.count <= Self.longestTable else {
            return .notCarried("\(entries.count) lines: write those of one kind into a file and ask for it, as in \(subject.hint) in table \"file\"")
        }
        return rules(for: entries, subject, word, table.name)
    }

    private mutating func rules(for entries: [TableText.Entry], _ subject: AccessSubject, _ word: String, _ file: String) -> Outcome {
        var permitted: [String] = [], left: [String] = [], refused: [String] = [], groups: [(action: String, keys: [String])] = []
        for entry in entries {
            switch AccessAction(entry.value) {
            case .permit?: permitted.append(entry.key)
            case .dunno?: left.append(entry.key)
            case .does(let action)?:
                if let index = groups.firstIndex(where: { $0.action == action }) { groups[index].keys.append(entry.key) } else { groups.append((action, [entry.key])) }
            case nil: refused.append("\(file):\(entry.line): \"\(entry.value)\" has no counterpart; rules can do it")
            }
        }
        // A key that is let off stands for an exception: it is the more special one, or there would be no use for it.
        let spared = permitted + left
        let exception = spared.isEmpty ? nil : subject.condition(spared)
        for (action, keys) in groups {
            guard let condition = subject.condition(keys) else { continue }
            _ = rule("\(word) \(file)", exception.map { "\(condition) and not \($0)" } ?? condition, action)
        }
        if let condition = permitted.isEmpty ? nil : subject.condition(permitted) { guards.append("not \(condition)") }
        let made = groups.isEmpty ? "" : groups.count == 1 ? "a rule" : "\(groups.count) rules"
        if !refused.isEmpty { return .notCarried((refused + (made.isEmpty ? [] : ["the other lines are \(made)"])).joined(separator: "; ")) }
        return .carried(made.isEmpty ? "no rule is needed: it refuses nobody" : made)
    }
}

/// What a table is asked about.
struct AccessSubject {
    private enum Kind { case client, sender, recipient, helo }
    private let kind: Kind
    var hint: String {
        switch kind {
        case .client: "client.ip"
        case .sender: "sender"
        case .recipient: "recipient"
        case .helo: "helo"
        }
    }

    init?(_ word: String) {
        switch word {
        case "check_client_access": kind = .client
        case "check_sender_access": kind = .sender
        case "check_recipient_access": kind = .recipient
        case "check_helo_access": kind = .helo
        default: return nil
        }
    }

    /// True of those whom one of the keys means; nil for none.
    func condition(_ keys: [String]) -> String? {
        let parts = switch kind {
        case .client: clients(keys)
        case .sender: addresses(keys, "sender")
        case .recipient: addresses(keys, "recipient")
        case .helo: names(keys)
        }
        return parts.isEmpty ? nil : parts.count == 1 ? parts[0] : "(\(parts.joined(separator: " or ")))"
    }

    private func clients(_ keys: [String]) -> [String] {
        let networks = keys.compactMap(Self.network), names = keys.filter { Self.network($0) == nil }
        return (networks.isEmpty ? [] : ["client.ip in [\(networks.joined(separator: ", "))]"]) + (names.isEmpty ? [] : ["client.name in [\(Self.domains(names))]"])
    }

    /// `192.0.2.1`, `192.0.2`, `192.0.2.0/24`: a part of an IPv4 address means all below it (access(5)).
    private static func network(_ key: String) -> String? {
        if let network = IPNetwork(key) { return network.description }
        let parts = key.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...3).contains(parts.count), parts.allSatisfy({ UInt8($0) != nil }) else { return nil }
        return IPNetwork((parts + Array(repeating: "0", count: 4 - parts.count)).joined(separator: ".") + "/\(parts.count * 8)")?.description
    }

    /// A domain means those below it too (parent_domain_matches_subdomains has smtpd_access_maps).
    private static func domains(_ names: [String]) -> String {
        names.flatMap { $0.hasPrefix(".") ? [$0] : [$0, "." + $0] }.map(TOMLText.string).joined(separator: ", ")
    }

    private func addresses(_ keys: [String], _ name: String) -> [String] {
        let entries = keys.filter { $0 != "<>" }.flatMap { key -> [String] in
            if key.hasSuffix("@") { return [key + "*"] }
            if key.contains("@") { return [key] }
            return key.hasPrefix(".") ? ["@" + key] : ["@" + key, "@." + key]
        }
        return (entries.isEmpty ? [] : ["\(name) in [\(entries.map(TOMLText.string).joined(separator: ", "))]"]) + (keys.contains("<>") ? ["\(name) == missing"] : [])
    }

    private func names(_ keys: [String]) -> [String] {
        keys.flatMap { key in key.hasPrefix(".") ? ["*" + key] : [key, "*." + key] }.map { "helo matches \(TOMLText.string($0))" }
    }
}

/// The right-hand side of access(5).
enum AccessAction: Hashable {
    case permit
    case dunno
    /// An action of the rule language.
    case does(String)

    init?(_ text: String) {
        let word = text.prefix { !$0.isWhitespace }, rest = trimmed(text.dropFirst(word.count))
        switch word.uppercased() {
        case "OK", "PERMIT": self = .permit
        case "DUNNO": self = .dunno
        case "REJECT": self = .does("reject 554 \"5.7.1\" \(Self.quoted(rest, or: "Access denied"))")
        case "DEFER", "DEFER_IF_PERMIT": self = .does("tempfail 450 \"4.7.1\" \(Self.quoted(rest, or: "Access denied"))")
        case "DISCARD": self = .does("discard")
        case let code where code.count == 3 && (code.hasPrefix("4") || code.hasPrefix("5")) && Int(code) != nil: self = Self.code(code, rest)
        // All digits mean permission, as Berkeley's tables for Sendmail have them.
        case let digits where digits.allSatisfy(\.isNumber) && !digits.isEmpty: self = .permit
        default: return nil
        }
    }

    private static func code(_ code: String, _ rest: String) -> AccessAction {
        let first = rest.prefix { !$0.isWhitespace }, isStatus = first.split(separator: ".").count == 3 && first.hasPrefix(code.prefix(1))
        let status = isStatus ? String(first) : "\(code.prefix(1)).7.1", text = isStatus ? trimmed(rest.dropFirst(first.count)) : rest
        return .does("\(code.hasPrefix("5") ? "reject" : "tempfail") \(code) \"\(status)\" \(quoted(text, or: "Access denied"))")
    }

    /// A text of the rule language, in which braces stand for values.
    private static func quoted(_ text: String, or fallback: String) -> String {
        var out = ""
        for character in text.isEmpty ? fallback : String(text.prefix(200)) where !character.isNewline { out += "\"\\{}".contains(character) ? "\\\(character)" : String(character) }
        return "\"\(out)\""
    }
}
