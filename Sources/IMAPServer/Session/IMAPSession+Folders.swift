import IMAPCore
import MailStore

extension IMAPSession {
    /// CREATE; a trailing delimiter only announces children (RFC 3501 §6.3.3).
    func create(_ name: MailboxName, in mailboxes: Mailboxes) throws(StoreError) {
        var text = name.text[...]
        if text.hasSuffix("/") { text = text.dropLast() }
        try mailboxes.create(FolderName(String(text)))
    }

    func delete(_ name: MailboxName, in mailboxes: Mailboxes) throws(StoreError) {
        let folder = try FolderName(name.text)
        if let selection, (try? FolderName(selection.name.text)) == folder { deselect() }
        try mailboxes.delete(folder)
    }

    func list(_ tag: String, _ request: ListRequest, _ mailboxes: Mailboxes) throws(StoreError) {
        // RFC 5258 §3.1: RECURSIVEMATCH needs something to match.
        guard !request.selection.contains(.recursiveMatch) || request.selection.contains(.subscribed) || request.selection.contains(.specialUse) else {
            return respond(tag, .bad("RECURSIVEMATCH cannot stand alone"))
        }
        let listing = FolderListing(folders: try mailboxes.list(), subscribed: try mailboxes.subscribedFolders())
        for entry in listing.list(request) {
            respond(.list(entry))
            for case .status(let items) in request.returns where !entry.attributes.contains(.nonExistent) && !entry.attributes.contains(.noSelect) {
                // RFC 5819 §2: a folder that cannot be read is left out of the answers.
                if let values = try? status(of: entry.name, items, mailboxes) { respond(.status(entry.name, values)) }
            }
        }
        finish(tag)
    }

    /// STATUS (RFC 3501 §6.3.10, RFC 8438).
    func status(of name: MailboxName, _ items: [StatusItem], _ mailboxes: Mailboxes) throws(StoreError) -> [(StatusItem, UInt64)] {
        let mailbox = try mailboxes.mailbox(FolderName(name.text))
        let snapshot = try mailbox.refresh()
        var values: [(StatusItem, UInt64)] = []
        for item in items { values.append((item, try value(item, snapshot, mailbox))) }
        return values
    }

    private func value(_ item: StatusItem, _ snapshot: MailboxSnapshot, _ mailbox: Mailbox) throws(StoreError) -> UInt64 {
        func count(_ condition: (StoredMessage) -> Bool) -> UInt64 { snapshot.messages.reduce(0) { $0 + (condition($1) ? 1 : 0) } }
        switch item {
        case .messages: return UInt64(snapshot.messages.count)
        case .recent: return count(\.isNew)
        case .uidNext: return UInt64(snapshot.uidNext)
        case .uidValidity: return UInt64(snapshot.uidValidity)
        case .unseen: return count { !$0.flags.contains(.seen) }
        case .deleted: return count { $0.flags.contains(.deleted) }
        case .size: return try mailbox.details(of: snapshot.messages.map(\.uid)).reduce(0) { $0 + UInt64($1.size) }
        }
    }
}
