import IMAPCore
import MailStore

/// The folders with a purpose (RFC 6154): the usual ones known by their names, others by an annotation.
enum SpecialUse {
    private static let names: [(String, ListEntry.Attribute)] = [
        ("Drafts", .drafts), ("Sent", .sent), ("Junk", .junk), ("Trash", .trash), ("Archive", .archive),
    ]

    /// What a new account gets.
    static let folders: [FolderName] = names.compactMap { try? FolderName($0.0) }

    /// What a folder can be made for: those of the other uses would be views of all mail (§2).
    static let offered: Set<ListEntry.Attribute> = Set(names.map(\.1))

    /// §4: where the uses stand, as `\Drafts \Sent`.
    static let entry = "/private/specialuse"

    static func value(_ uses: [ListEntry.Attribute]) -> [UInt8] { Array(uses.map(\.rawValue).joined(separator: " ").utf8) }

    /// nil: that names something else than uses that are offered.
    static func parse(_ value: [UInt8]) -> [ListEntry.Attribute]? {
        let words = String(decoding: value, as: UTF8.self).split(separator: " ")
        let uses = words.compactMap { word in offered.first { $0.rawValue.lowercased() == word.lowercased() } }
        return uses.count == words.count ? uses : nil
    }

    static func byName(_ folder: FolderName) -> ListEntry.Attribute? { names.first { $0.0 == folder.description }?.1 }
}

extension Mailboxes {
    /// What the folders are for; an annotation stands over the name. Blocks.
    func specialUses(of folders: [FolderSummary]) throws(StoreError) -> [FolderName: [ListEntry.Attribute]] {
        var out: [FolderName: [ListEntry.Attribute]] = [:]
        for folder in folders where folder.exists {
            // One that vanishes meanwhile is for nothing.
            let annotation = (try? metadata(of: folder.name))?[SpecialUse.entry]
            out[folder.name] = annotation.flatMap(SpecialUse.parse) ?? SpecialUse.byName(folder.name).map { [$0] }
        }
        return out
    }
}
