#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What a process knows of a folder, brought up to date by looking at the files. Guarded by ``Mailbox``'s mutex.
struct MailboxState: Sendable {
    let paths: MailboxPaths
    let validities: UIDValidities
    var snapshot = MailboxSnapshot()
    var list: UIDList?
    /// Every base name in the list, also of files that are gone.
    var uids: [String: UInt32] = [:]
    /// What was read from the files themselves: internal date and size. Pruned with the messages.
    var details: [UInt32: MessageDetails] = [:]
    var listStamp = FileStamp.missing
    var keywordStamp = FileStamp.missing
    private var newStamp = FileStamp.missing
    private var curStamp = FileStamp.missing
    private var scannedAt = 0

    init(paths: MailboxPaths, validities: UIDValidities) {
        self.paths = paths
        self.validities = validities
    }

    /// Looks for changes by anybody, and takes them in. Cheap when nothing changed: four `stat` calls.
    /// - Throws: ``StoreError/noSuchMailbox(_:)`` when the folder was removed.
    mutating func refresh() throws(StoreError) {
        let began = time(nil)
        let newStamp = try FileStamp.of(paths.new), curStamp = try FileStamp.of(paths.cur)
        guard curStamp != .missing, newStamp != .missing else { throw .noSuchMailbox(paths.folder) }
        let listStamp = try FileStamp.of(paths.uidList)
        try reloadKeywords()
        let unchanged = list != nil && newStamp == self.newStamp && curStamp == self.curStamp && listStamp == self.listStamp
        if unchanged, newStamp.isSettled(at: scannedAt), curStamp.isSettled(at: scannedAt) { return }
        try reloadList()
        try takeIn(try scanConfirmingLosses())
        (self.newStamp, self.curStamp, scannedAt) = (newStamp, curStamp, began)
    }

    /// Reads the folder whatever the stamps say: a file was not where it should be.
    mutating func rescan() throws(StoreError) {
        try reloadList()
        try takeIn(try scanConfirmingLosses())
    }

    /// A file that is renamed while a folder is read can be missed; what seems lost is therefore looked for once more.
    private func scanConfirmingLosses() throws(StoreError) -> [String: FoundFile] {
        var found = try FolderScan.scan(paths)
        if snapshot.messages.contains(where: { found[$0.base] == nil }) {
            for (base, file) in try FolderScan.scan(paths) where found[base] == nil { found[base] = file }
        }
        return found
    }

    /// Builds the message list from what is on disk, giving UIDs to files that have none.
    private mutating func takeIn(_ found: [String: FoundFile]) throws(StoreError) {
        let unknown = found.keys.filter { uids[$0] == nil }
        if list == nil || !unknown.isEmpty { try assignUIDs(to: unknown, live: found) }
        var messages: [StoredMessage] = []
        messages.reserveCapacity(found.count)
        for (base, file) in found {
            guard let uid = uids[base] else { continue }
            var message = StoredMessage(uid: uid, flags: file.name.flags, isNew: file.isNew, keywordBits: file.name.keywords, base: base)
            if message.canonicalName != file.spelling { message.foreignName = file.spelling }
            messages.append(message)
        }
        messages.sort { $0.uid < $1.uid }
        guard let list else { return }
        let changed = messages != snapshot.messages || list.uidValidity != snapshot.uidValidity
        if changed, !details.isEmpty {
            let live = Set(messages.map(\.uid))
            details = details.filter { live.contains($0.key) }
        }
        snapshot.messages = messages
        snapshot.uidValidity = list.uidValidity
        snapshot.uidNext = list.nextUID
        if changed { snapshot.generation += 1 }
    }

    mutating func reloadKeywords() throws(StoreError) {
        let stamp = try FileStamp.of(paths.keywords)
        guard stamp != keywordStamp || !stamp.isSettled(at: time(nil)) else { return }
        let file = KeywordFile(parsing: try Files.contents(paths.keywords) ?? [])
        keywordStamp = stamp
        if file != snapshot.keywordFile {
            snapshot.keywordFile = file
            snapshot.generation += 1
        }
    }
}

/// A message file as a scan found it.
struct FoundFile: Sendable {
    let name: MaildirFileName
    let isNew: Bool
    let spelling: String
}

enum FolderScan {
    /// Base name to file, from `new` and then `cur`: what moves from the one to the other meanwhile is seen in the latter.
    static func scan(_ paths: MailboxPaths) throws(StoreError) -> [String: FoundFile] {
        var found: [String: FoundFile] = [:]
        for (folder, isNew) in [(paths.new, true), (paths.cur, false)] {
            for name in try Files.names(in: folder) where !name.hasPrefix(".") {
                let parsed = MaildirFileName(name)
                found[parsed.base] = FoundFile(name: parsed, isNew: isNew, spelling: name)
            }
        }
        return found
    }
}
