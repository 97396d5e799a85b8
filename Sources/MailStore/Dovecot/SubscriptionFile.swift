/// `subscriptions`: the folders a user subscribed to. Dovecot 2.3's version 2 (`V\t2`, an empty line, then names whose
/// levels are separated by tabs) is written; version 1 (one name per line, levels separated by `.`) is read too.
struct SubscriptionFile: Sendable, Equatable {
    /// In storage form: mUTF-7 levels.
    private(set) var names: [[String]] = []

    init(parsing bytes: [UInt8] = []) {
        let lines = bytes.split(separator: 10, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
        let isVersion2 = lines.first == "V\t2"
        for line in isVersion2 ? lines.dropFirst() : lines[...] where !line.isEmpty {
            let levels = isVersion2 ? line.unicodeScalars.split(separator: "\t").map { Self.unescaped(Substring($0)) } : line.unicodeScalars.split(separator: ".").map { String($0) }
            // A level is empty that was an escape with nothing behind it: no folder's name, and written it would be another.
            if !levels.isEmpty, !levels.contains(""), !names.contains(levels) { names.append(levels) }
        }
    }

    func contains(_ levels: [String]) -> Bool { names.contains(levels) }

    mutating func set(_ levels: [String], subscribed: Bool) {
        if !subscribed { names.removeAll { $0 == levels } } else if !names.contains(levels) { names.append(levels) }
    }

    func serialised() -> [UInt8] {
        Array(("V\t2\n\n" + names.map { $0.map(Self.escaped).joined(separator: "\t") + "\n" }.joined()).utf8)
    }

    /// Dovecot's tab escaping: SOH stands before `1` (SOH), `t` (tab), `n` (LF), `r` (CR). By scalars: CR and LF together,
    /// and a mark behind any of them, make one Character.
    private static func escaped(_ text: String) -> String {
        var out = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\u{1}": out.append(contentsOf: "\u{1}1".unicodeScalars)
            case "\t": out.append(contentsOf: "\u{1}t".unicodeScalars)
            case "\n": out.append(contentsOf: "\u{1}n".unicodeScalars)
            case "\r": out.append(contentsOf: "\u{1}r".unicodeScalars)
            default: out.append(scalar)
            }
        }
        return String(out)
    }

    private static func unescaped(_ text: some StringProtocol) -> String {
        var out = String.UnicodeScalarView()
        var escape = false
        for scalar in text.unicodeScalars {
            if escape {
                out.append(["1": "\u{1}", "t": "\t", "n": "\n", "r": "\r"][scalar] ?? scalar)
                escape = false
            } else if scalar == "\u{1}" { escape = true } else { out.append(scalar) }
        }
        return String(out)
    }
}
