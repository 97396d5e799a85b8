import DecisionRecords
import Foundation

/// An account's mail, or one folder of it.
struct MailboxPlace: Sendable {
    private let prefix: String
    private let isFolder: Bool

    /// - Parameter name: an account, or an account, a slash and a folder.
    /// - Throws: when there is no such account's mail or folder.
    init(_ name: String, mail: String) throws {
        let cut = name.firstIndex(of: "/")
        let account = String(name[..<(cut ?? name.endIndex)]).lowercased()
        let folder = cut.map { String(name[name.index(after: $0)...]) }
        var path = mail + "/" + account + "/Maildir"
        // As Maildir++ names folders.
        if let folder, folder.uppercased() != "INBOX" { path += "/." + folder.replacing("/", with: ".") }
        guard !account.isEmpty, !account.hasPrefix("."), !name.contains(".."), FileManager.default.fileExists(atPath: path) else {
            throw Privileges.Failure(description: "there is no mail of \(name) at \(path)")
        }
        prefix = path + "/"
        isFolder = folder != nil
    }

    /// Whether a copy of the message was stored there.
    func holds(_ record: DecisionRecord) -> Bool {
        record.copies.contains { copy in
            guard let file = copy.file, file.hasPrefix(prefix) else { return false }
            return !isFolder || !file.dropFirst(prefix.count).dropFirst(4).contains("/")
        }
    }
}
