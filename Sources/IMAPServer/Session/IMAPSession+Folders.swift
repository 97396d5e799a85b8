import IMAPCore
import MailStore

extension IMAPSession {
    /// CREATE; a trailing delimiter only announces children (RFC 3501 §6.3.3).
    func create(_ tag: String, _ name: MailboxName, _ uses: [ListEntry.Attribute?], in mailboxes: Mailboxes) throws(StoreError) {
        let wanted = uses.compactMap { $0 }
        guard wanted.count == uses.count, wanted.allSatisfy(SpecialUse.offered.contains) else {
            return respond(tag, .no("a mailbox cannot be made for that", code: .useAttribute))
        }
        var text = name.text[...]
        if text.last == environment.configuration.hierarchySeparator { text = text.dropLast() }
        let folder = try FolderName(String(text), separator: environment.configuration.hierarchySeparator)
        try mailboxes.create(folder)
        noteOwn(.created(folder))
        if !wanted.isEmpty, let changed = try mailboxes.setMetadata(of: folder, [(SpecialUse.entry, SpecialUse.value(wanted))]), !changed.isEmpty {
            noteOwn(.metadata(folder, entries: changed))
        }
        // RFC 8474 §4.1.
        finish(tag, .ok("created", code: .mailboxID(try mailboxes.mailbox(folder).refresh().objectID)))
    }

    func mailboxName(_ folder: FolderName) -> MailboxName { MailboxName(folder.text(separator: environment.configuration.hierarchySeparator)) }
    func folderName(_ name: MailboxName) throws(StoreError) -> FolderName { try FolderName(name.text, separator: environment.configuration.hierarchySeparator) }

    func delete(_ name: MailboxName, in mailboxes: Mailboxes) throws(StoreError) {
        let folder = try folderName(name)
        if let selection, (try? folderName(selection.name)) == folder { deselect() }
        try mailboxes.delete(folder)
        noteOwn(.deleted(folder))
    }

    func rename(_ old: FolderName, to new: FolderName, in mailboxes: Mailboxes) throws(StoreError) {
        try mailboxes.rename(old, to: new)
        noteOwn(.renamed(old, to: new))
    }

    func setSubscribed(_ name: FolderName, _ subscribed: Bool, in mailboxes: Mailboxes) throws(StoreError) {
        let was = try mailboxes.subscribedFolders().contains(name)
        try mailboxes.setSubscribed(name, subscribed)
        if was != subscribed { noteOwn(subscribed ? .subscribed(name) : .unsubscribed(name)) }
    }

    func list(_ tag: String, _ request: ListRequest, _ mailboxes: Mailboxes) throws(StoreError) {
        // RFC 5258 §3.1: RECURSIVEMATCH needs something to match.
        guard !request.selection.contains(.recursiveMatch) || request.selection.contains(.subscribed) || request.selection.contains(.specialUse) else {
            return respond(tag, .bad("RECURSIVEMATCH cannot stand alone"))
        }
        let folders = try mailboxes.list()
        let listing = FolderListing(folders: folders, subscribed: try mailboxes.subscribedFolders(), uses: try mailboxes.specialUses(of: folders),
                                    separator: environment.configuration.hierarchySeparator)
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
    func status(of name: MailboxName, _ items: [StatusItem], _ mailboxes: Mailboxes) throws(StoreError) -> [(StatusItem, StatusValue)] {
        if items.contains(.highestModSequence) { useModSequences() }
        let mailbox = try mailboxes.mailbox(folderName(name))
        let snapshot = try mailbox.refresh()
        var values: [(StatusItem, StatusValue)] = []
        for item in items { values.append((item, try value(item, snapshot, mailbox))) }
        return values
    }

    private func value(_ item: StatusItem, _ snapshot: MailboxSnapshot, _ mailbox: Mailbox) throws(StoreError) -> StatusValue {
        let tally = snapshot.messages.tally
        switch item {
        case .messages: return .number(UInt64(snapshot.messages.count))
        case .recent: return .number(UInt64(snapshot.recentUIDs.count))
        case .uidNext: return .number(UInt64(snapshot.uidNext))
        case .uidValidity: return .number(UInt64(snapshot.uidValidity))
        case .highestModSequence: return .number(snapshot.highestModSequence)
        case .appendLimit: return .number(UInt64(environment.configuration.maximumMessageSize))
        case .deletedStorage:
            return .number(try mailbox.details(of: snapshot.messages.deletedUIDs).reduce(0) { $0 + UInt64($1.size) })
        case .mailboxID: return .objectID(snapshot.objectID)
        case .unseen: return .number(UInt64(tally.unseen))
        case .deleted: return .number(UInt64(tally.deleted))
        case .size: return .number(try mailbox.details(of: snapshot.messages.map(\.uid)).reduce(0) { $0 + UInt64($1.size) })
        }
    }
}
