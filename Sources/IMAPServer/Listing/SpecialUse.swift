import IMAPCore
import MailStore

/// The folders with a purpose (RFC 6154), known by their names.
enum SpecialUse {
    private static let names: [(String, ListEntry.Attribute)] = [
        ("Drafts", .drafts), ("Sent", .sent), ("Junk", .junk), ("Trash", .trash), ("Archive", .archive),
    ]

    /// What a new account gets.
    static let folders: [FolderName] = names.compactMap { try? FolderName($0.0) }

    static func attribute(of name: String) -> ListEntry.Attribute? { names.first { $0.0 == name }?.1 }
}
