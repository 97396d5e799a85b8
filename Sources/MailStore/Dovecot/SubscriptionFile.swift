/// `subscriptions`: the folders a user subscribed to. Dovecot 2.3's version 2 (`V\t2`, an empty line, then names whose
/// levels are separated by tabs) is written; version 1 (one name per line, levels separated by `.`) is read too.
struct SubscriptionFile: Sendable, Equatable {
    /// In storage form: mUTF-7 levels.
    private(set) var names: [[String]] = []

    init(parsing bytes: [UInt8] = []) {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let isVersion2 = lines.first == "V\t2"
        for line in isVersion2 ? lines.dropFirst() : lines[...] where !line.isEmpty {
            let levels = isVersion2 ? line.split(separator: "\t").map(Self.unescaped) : line.split(separator: ".").map(String.init)
            if !levels.isEmpty, !names.contains(levels) { names.append(levels) }
        }
    }

    func contains(_ levels: [String]) -> Bool { names.contains(levels) }

    mutating func set(_ levels: [String], subscribed: Bool) {
        if !subscribed { names.removeAll { $0 == levels } } else if !names.contains(levels) { names.append(levels) }
    }

    func serialised() -> [UInt8] {
        Array(("V\t2\n\n" + names.map { $0.map(Self.escaped).joined(separator: "\t") + "\n" }.joined()).utf8)
    }

    /// Dovecot's tab escaping: SOH stands before `1` (SOH), `t` (tab), `n` (LF), `r` (CR).
    private static func escaped(_ text: String) -> String {
        String(text.flatMap { character -> [Character] in
            switch character {
            case "\u{1}": ["\u{1}", "1"]
            case "\t": ["\u{1}", "t"]
            case "\n": ["\u{1}", "n"]
            case "\r": ["\u{1}", "r"]
            default: [character]
            }
        })
    }

    private static func unescaped(_ text: some StringProtocol) -> String {
        var out = ""
        var escape = false
        for character in text {
            if escape {
                out.append(["1": "\u{1}", "t": "\t", "n": "\n", "r": "\r"][character] ?? character)
                escape = false
            } else if character == "\u{1}" { escape = true } else { out.append(character) }
        }
        return out
    }
}
