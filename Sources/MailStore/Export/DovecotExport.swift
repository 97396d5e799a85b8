/// What a folder is to Dovecot.
public struct ExportedFolder: Sendable, Hashable, Encodable {
    public let name: String
    public let messages: Int
    public let uidValidity: UInt32
    public let uidNext: UInt32
    public let keywords: [String]
}

/// Makes an account ready for Dovecot. Its own files are what this program works on, so nothing is converted: what is
/// new gets its UID line, lines of files that are gone go, and the list of subscriptions is there.
public enum DovecotExport {
    /// Blocks.
    /// - Parameter place: where copies of the lists go, folder by folder as in the Maildir; nil: they stay where they are.
    public static func run(_ account: String, in store: MailStore, to place: String?) throws(StoreError) -> [ExportedFolder] {
        let mailboxes = try store.maildir(for: account)
        var exported: [ExportedFolder] = []
        for summary in try mailboxes.list() where summary.exists {
            let mailbox = try mailboxes.mailbox(summary.name)
            let snapshot = try mailbox.completeList()
            exported.append(ExportedFolder(
                name: summary.name.description, messages: snapshot.messages.count, uidValidity: snapshot.uidValidity, uidNext: snapshot.uidNext, keywords: snapshot.keywordNames))
        }
        try mailboxes.keepSubscriptions()
        if let place { try copy(mailboxes, to: place) }
        return exported
    }

    private static func copy(_ mailboxes: Mailboxes, to place: String) throws(StoreError) {
        try Files.makeFolder(place)
        for name in ["subscriptions", "dovecot-uidvalidity"] + (try Files.names(in: mailboxes.root).filter { $0.hasPrefix("dovecot-uidvalidity.") }) {
            try copy(mailboxes.root + "/" + name, to: place + "/" + name)
        }
        for summary in try mailboxes.list() where summary.exists {
            let folder = summary.name.isInbox ? place : place + "/" + summary.name.storageName
            try Files.makeFolder(folder)
            for name in ["dovecot-uidlist", "dovecot-keywords"] { try copy(mailboxes.paths(summary.name).folder + "/" + name, to: folder + "/" + name) }
        }
    }

    private static func copy(_ from: String, to: String) throws(StoreError) {
        if let bytes = try Files.contents(from) { try Files.replace(to, with: bytes) }
    }
}

extension Mailbox {
    /// Gives a UID to whatever has none, in `new` too, and rewrites the list: a line for each file and no other. Blocks.
    func completeList() throws(StoreError) -> MailboxSnapshot {
        let snapshot = try refresh()
        try DotLock.holding(paths.uidListLock) { () throws(StoreError) in
            guard let bytes = try Files.contents(paths.uidList), var list = try? UIDList(parsing: bytes) else { return }
            let live = try FolderListing(paths)
            list.entries.removeAll { live[$0.name] == nil }
            try Files.replace(paths.uidList, with: list.serialised())
        }
        return snapshot
    }
}

extension Mailboxes {
    /// Makes the file where there is none: to Dovecot that means no subscriptions.
    func keepSubscriptions() throws(StoreError) {
        let path = root + "/subscriptions"
        guard try FileStamp.of(path) == .missing else { return }
        try Files.replace(path, with: SubscriptionFile().serialised())
    }
}

extension MailStore {
    /// Accounts that have mail here, whether anybody may log in to them or not. Blocks.
    public func accountNames() throws(StoreError) -> [String] {
        try Files.names(in: root).filter { !$0.hasPrefix(".") && Files.isFolder(root + "/" + $0 + "/Maildir") }.sorted()
    }
}
