#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif
import Synchronization

/// One account's folders. Every method blocks on files. Thread-safe.
public final class Mailboxes: Sendable {
    let root: String
    private let validities: UIDValidities
    private let syncs: FolderSync
    private let uniqueNames: UniqueName
    private let indexes: MailIndexes?
    private let watcher: FolderWatcher?
    private let recent: RecentMailboxes?
    let limit: LimitInForce?
    let sizes = FolderSizes()
    private let open = Mutex<[FolderName: WeakMailbox]>([:])
    private let subscriptions = Mutex(())
    let events = FolderEvents()

    init(root: String, syncs: FolderSync, uniqueNames: UniqueName, indexes: MailIndexes? = nil, watcher: FolderWatcher? = nil, recent: RecentMailboxes? = nil, limit: LimitInForce? = nil) throws(StoreError) {
        self.root = root
        self.watcher = watcher
        self.recent = recent
        self.limit = limit
        self.indexes = indexes
        self.syncs = syncs
        self.uniqueNames = uniqueNames
        validities = UIDValidities(folder: root)
        let inbox = MailboxPaths(folder: root)
        if !inbox.exists { try inbox.create(isInbox: true) }
    }

    /// The folder's shared object; everybody who asks while it is in use gets the same one.
    /// - Throws: ``StoreError/noSuchMailbox(_:)``.
    public func mailbox(_ name: FolderName) throws(StoreError) -> Mailbox {
        guard paths(name).exists else { throw .noSuchMailbox(name.description) }
        let found = open.withLock { table in
            if let known = table[name]?.mailbox { return known }
            let made = Mailbox(
                name: name, paths: paths(name), validities: validities, syncs: syncs, uniqueNames: uniqueNames, indexes: indexes, watcher: watcher, account: self)
            table = table.filter { $0.value.mailbox != nil }
            table[name] = WeakMailbox(mailbox: made)
            return made
        }
        recent?.keep(found)
        return found
    }

    public func exists(_ name: FolderName) -> Bool { paths(name).exists }

    /// All folders, the inbox first, then by name; parents that exist only in their children's names included.
    public func list() throws(StoreError) -> [FolderSummary] {
        let real = Set(try folders() + [.inbox])
        var all = real
        for name in real {
            for depth in 1..<max(name.levels.count, 1) {
                if let parent = try? FolderName(name.levels.prefix(depth).joined(separator: "/")) { all.insert(parent) }
            }
        }
        let subscribed = Set(try subscribedFolders())
        return all.sorted { $0.isInbox || (!$1.isInbox && $0.description < $1.description) }.map { name in
            FolderSummary(name: name, exists: real.contains(name), hasChildren: all.contains { $0.isBelow(name) }, isSubscribed: subscribed.contains(name))
        }
    }

    /// Makes a folder; its parents need not exist (Maildir++ keeps no hierarchy).
    /// - Throws: ``StoreError/alreadyExists(_:)``.
    public func create(_ name: FolderName) throws(StoreError) {
        try make(name)
        events.note(.created(name))
    }

    private func make(_ name: FolderName) throws(StoreError) {
        guard !exists(name) else { throw .alreadyExists(name.description) }
        try paths(name).create(isInbox: name.isInbox)
    }

    /// Removes a folder and its mail; its children stay (RFC 3501 §6.3.4). The inbox cannot be removed.
    public func delete(_ name: FolderName) throws(StoreError) {
        guard !name.isInbox else { throw .invalidName("INBOX", reason: "the inbox cannot be deleted") }
        guard exists(name) else { throw .noSuchMailbox(name.description) }
        // Out of sight in one step; a name with two leading dots is no Maildir++ folder.
        let hidden = root + "/..deleted-" + uniqueNames.next()
        let index = (try? UIDList.header(of: paths(name).uidList)).flatMap { indexPath(guid: $0.guid, uidValidity: $0.uidValidity) }
        try Files.rename(paths(name).folder, to: hidden)
        try syncs.sync(root)
        forget(name)
        events.note(.deleted(name))
        if let index { indexes?.remove(at: index) }
        try Files.removeTree(hidden)
    }

    /// Renames a folder and its children (RFC 3501 §6.3.5). For the inbox its messages move and it stays, empty, and
    /// its children stay where they are.
    public func rename(_ old: FolderName, to new: FolderName) throws(StoreError) {
        guard old != new, !exists(new) else { throw .alreadyExists(new.description) }
        if old.isInbox { return try moveInbox(to: new) }
        guard !new.isBelow(old) else { throw .invalidName(new.description, reason: "a folder cannot move below itself") }
        let affected = try folders().filter { $0 == old || $0.isBelow(old) }
        guard !affected.isEmpty else { throw .noSuchMailbox(old.description) }
        var moves: [(FolderName, FolderName)] = []
        for name in affected {
            let target = try name.moved(from: old, to: new)
            guard !exists(target) else { throw .alreadyExists(target.description) }
            moves.append((name, target))
        }
        for (from, to) in moves {
            try Files.rename(paths(from).folder, to: paths(to).folder)
            forget(from)
        }
        try syncs.sync(root)
        events.note(.renamed(old, to: new))
    }

    private func moveInbox(to new: FolderName) throws(StoreError) {
        try make(new)
        // Before the mail moves, which wakes who watches the inbox: they would take the folder for one that came by itself.
        events.note(.renamed(.inbox, to: new))
        let inbox = try mailbox(.inbox)
        let uids = try inbox.refresh().messages.map(\.uid)
        _ = try inbox.move(uids: uids, to: try mailbox(new))
        // RFC 5464 §4.1: the inbox keeps its annotations, and its mail's new place has them too.
        let annotations = try metadata(of: .inbox)
        if !annotations.isEmpty { _ = try setMetadata(of: new, annotations.map { ($0.key, $0.value) }) }
    }

    /// What is subscribed, whether it exists or not (RFC 3501 §6.3.9).
    public func subscribedFolders() throws(StoreError) -> [FolderName] {
        SubscriptionFile(parsing: try Files.contents(subscriptionPath) ?? []).names.compactMap { levels in
            levels == ["INBOX"] ? .inbox : FolderName(storageLevels: levels)
        }
    }

    public func setSubscribed(_ name: FolderName, _ subscribed: Bool) throws(StoreError) {
        try DotLock.holding(subscriptionPath + ".lock") { () throws(StoreError) in
            var file = SubscriptionFile(parsing: try Files.contents(subscriptionPath) ?? [])
            let before = file
            file.set(name.storageLevels, subscribed: subscribed)
            guard file != before else { return }
            try Files.replace(subscriptionPath, with: file.serialised())
            events.note(subscribed ? .subscribed(name) : .unsubscribed(name))
        }
    }

    /// Makes the folders a new account should have, and subscribes to them and the inbox. Does nothing once the account
    /// has a `subscriptions` file: what its owner deleted, or another server arranged, stays as it is.
    public func prepare(folders names: [FolderName]) throws(StoreError) {
        guard try FileStamp.of(subscriptionPath) == .missing else { return }
        for name in names where !exists(name) {
            do throws(StoreError) { try create(name) } catch .alreadyExists {
                // A delivery made it meanwhile.
            }
        }
        for name in [.inbox] + names { try setSubscribed(name, true) }
    }

    /// Puts a message into a folder, which is made where there is none.
    func deliver(_ delivery: Delivery, to name: FolderName) throws(StoreError) -> DeliveredFile {
        let paths = paths(name)
        if !paths.exists {
            do throws(StoreError) { try create(name) } catch .alreadyExists {
                // Another delivery made it first.
            }
        }
        var bits: UInt32 = 0
        if !delivery.keywords.isEmpty {
            bits = try mailbox(name).keywordBits(for: delivery.keywords.sorted())
        }
        let placed = try delivery.write(paths: paths, uniqueName: uniqueNames.next(), keywordBits: bits)
        try syncs.sync(placed.folder)
        open.withLock { $0[name]?.mailbox }?.noteChange()
        return DeliveredFile(path: placed.path, folder: name, size: placed.size)
    }

    /// Where indexes are: beside the Maildir.
    var indexFolder: String { Files.parent(of: root) + "/index" }

    func indexPath(_ snapshot: MailboxSnapshot) -> String? { indexPath(guid: snapshot.guid, uidValidity: snapshot.uidValidity) }

    /// - Returns: nil for a folder that has no UIDVALIDITY yet.
    func indexPath(guid: String?, uidValidity: UInt32) -> String? {
        uidValidity == 0 ? nil : indexFolder + "/\(guid ?? "folder").\(uidValidity).sqlite"
    }

    func paths(_ name: FolderName) -> MailboxPaths {
        MailboxPaths(folder: name.isInbox ? root : root + "/" + name.storageName)
    }

    private var subscriptionPath: String { root + "/subscriptions" }

    /// The folders on disk, without the inbox.
    func folders() throws(StoreError) -> [FolderName] {
        try Files.names(in: root).filter { $0.hasPrefix(".") && !$0.hasPrefix("..") }.compactMap { FolderName(storageName: $0) }
            .filter { !$0.isInbox && paths($0).exists }
    }

    private func forget(_ name: FolderName) {
        let gone = open.withLock { $0.removeValue(forKey: name)?.mailbox }
        guard let gone else { return }
        recent?.forget(gone)
        gone.noteChange()
    }
}

private struct WeakMailbox: Sendable {
    weak var mailbox: Mailbox?
}
