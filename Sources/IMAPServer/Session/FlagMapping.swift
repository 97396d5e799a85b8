import IMAPCore
import MailStore

/// IMAP's flags and Maildir's letters.
enum FlagMapping {
    private static let pairs: [(Flag, MessageFlags)] = [
        (.answered, .answered), (.flagged, .flagged), (.deleted, .deleted), (.seen, .seen), (.draft, .draft),
    ]

    static func flags(_ flags: MessageFlags, keywords: [String]) -> [Flag] {
        pairs.filter { flags.contains($0.1) }.map(\.0) + keywords.compactMap { Flag($0) }
    }

    static func split(_ flags: [Flag]) -> (flags: MessageFlags, keywords: [String]) {
        var system: MessageFlags = []
        for (flag, letter) in pairs where flags.contains(flag) { system.insert(letter) }
        var seen: Set<Flag> = []
        return (system, flags.filter { !$0.isSystem && seen.insert($0).inserted }.map(\.text))
    }
}
