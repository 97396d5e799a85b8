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
    /// What the list's header says; its lines are in ``uids``.
    var list: UIDList?
    /// How far the list was read, so that what is appended to it is read alone.
    var listEnd = UIDListEnd()
    /// Every base name in the list, also of files that are gone.
    var uids = UIDNames()
    /// How often they were read as a whole, so that places in them are others than before.
    var uidsVersion = 0
    /// What was read from the files themselves: internal date and size. Pruned with the messages.
    var details: [UInt32: MessageDetails] = [:]
    var listStamp = FileStamp.missing
    var keywordStamp = FileStamp.missing
    private var newStamp = FileStamp.missing
    private var curStamp = FileStamp.missing
    private var scannedAt = 0
    /// nil until the first look.
    var modSequences: ModSequences?
    var settledGeneration: UInt64 = 0
    var settledValidity: UInt32 = 0
    var modSequenceFileIsTorn = false

    /// Tells what happens in the folder; nil where the kernel does not.
    var watch: FolderWatch?
    /// Of `cur`: another folder may have been put in its place.
    private var watchedInode: UInt64 = 0
    private let startWatch: @Sendable () -> FolderWatch?

    init(paths: MailboxPaths, validities: UIDValidities, startWatch: @escaping @Sendable () -> FolderWatch? = { nil }) {
        self.startWatch = startWatch
        self.paths = paths
        self.validities = validities
    }

    /// Looks for changes by anybody, and takes them in. Cheap when nothing changed: a few `stat` calls, or where the
    /// folder is watched a question to the kernel.
    /// - Throws: ``StoreError/noSuchMailbox(_:)`` when the folder was removed.
    mutating func refresh() throws(StoreError) {
        try reloadKeywords()
        let curStamp = try FileStamp.of(paths.cur)
        guard curStamp != .missing else { throw .noSuchMailbox(paths.folder) }
        guard let watch, list != nil else { return try look(curStamp) }
        var isAnother = curStamp.inode != watchedInode
        let version = uidsVersion
        if !isAnother, try FileStamp.of(paths.uidList) != listStamp { isAnother = try !reloadsList() }
        if isAnother {
            self.watch = nil
            return try rescan()
        }
        switch watch.news() {
        case .events(let events):
            try take(events, unlisted: version == uidsVersion ? [:] : unlistedMessages())
            // Not even the kernel knows why.
            if version != uidsVersion, !unlistedMessages().isEmpty { try rescan() }
        case .unknown: try rescan()
        case .over:
            self.watch = nil
            try rescan()
        }
    }

    /// Messages that a list which was written anew has no more, or under another UID: as a rule another program removed
    /// them, and their lines before this one heard of it.
    private func unlistedMessages() -> [[UInt8]: UInt32] {
        var unlisted: [[UInt8]: UInt32] = [:]
        for message in snapshot.messages where uids[message.storedBase] != message.uid { unlisted[message.storedBase.withOctets { Array($0) }] = message.uid }
        return unlisted
    }

    /// Reads the list again, of which another program made another version.
    /// - Returns: whether it speaks of the same messages and more, so that nothing else needs to be read.
    private mutating func reloadsList() throws(StoreError) -> Bool {
        let before = snapshot.uidValidity
        try reloadList()
        takeHeader()
        return list != nil && snapshot.uidValidity == before
    }

    /// By modification times.
    private mutating func look(_ curStamp: FileStamp) throws(StoreError) {
        let began = time(nil)
        let newStamp = try FileStamp.of(paths.new)
        guard newStamp != .missing else { throw .noSuchMailbox(paths.folder) }
        let listStamp = try FileStamp.of(paths.uidList)
        let unchanged = list != nil && newStamp == self.newStamp && curStamp == self.curStamp && listStamp == self.listStamp
        if unchanged, newStamp.isSettled(at: scannedAt), curStamp.isSettled(at: scannedAt) { return }
        try rescan()
        (self.newStamp, self.curStamp, scannedAt) = (newStamp, curStamp, began)
    }

    /// Reads the folder whatever is known of it: for the first time, or because a file was not where it should be.
    mutating func rescan() throws(StoreError) {
        // What happens from now on is told again, on top of what is read.
        if watch == nil {
            watch = startWatch()
            watchedInode = try FileStamp.of(paths.cur).inode
        }
        // Once in a process: what another left unfinished when it ended.
        if list == nil { try UnfinishedBatch.undo(in: paths) }
        try reloadList()
        var found = try scanConfirmingLosses()
        found.arrangeStrangers()
        try takeIn(found)
    }

    /// A file that is renamed while a folder is read can be missed; what seems lost is therefore looked for once more.
    private func scanConfirmingLosses() throws(StoreError) -> FolderListing {
        var found = try FolderListing(paths, known: uids.table)
        if snapshot.messages.contains(where: { found[$0.storedBase] == nil }) { found.fillGaps(from: try FolderListing(paths, known: uids.table)) }
        return found
    }

    /// Builds the message list from what is on disk, giving UIDs to files that have none.
    private mutating func takeIn(_ found: FolderListing) throws(StoreError) {
        let version = uidsVersion
        if list == nil || !found.strangers.isEmpty { try assignUIDs(to: found.strangers, live: found.count) { found[$0] != nil } }
        var messages = ascending(found, isSameList: uidsVersion == version)
        guard let list else { return }
        // Both ascending; what is the same keeps its mod-sequence, so that they compare equal.
        Self.carryModSequences(from: snapshot.messages, to: &messages)
        let changed = !snapshot.messages.elementsEqual(messages) || list.uidValidity != snapshot.uidValidity
        if changed, !details.isEmpty {
            let live = Set(messages.map(\.uid))
            details = details.filter { live.contains($0.key) }
        }
        if changed { snapshot.messages = MessageList(messages) }
        takeHeader()
        if changed { snapshot.generation += 1 }
    }

    /// - Parameter isSameList: whether the list has only grown since the folder was read, so that its names are where they were.
    private func ascending(_ found: FolderListing, isSameList: Bool) -> ContiguousArray<StoredMessage> {
        var messages = ContiguousArray<StoredMessage>()
        messages.reserveCapacity(found.count)
        let names = uids.table.names, isInPlace = isSameList || found.files.isEmpty
        for index in names.indices {
            guard let file = isInPlace ? found[index, names[index]] : found[names[index]], !uids.table.isOutdated(index) else { continue }
            messages.append(StoredMessage(uid: uids.uids[index], base: names[index], file))
        }
        return messages
    }

    mutating func takeHeader() {
        guard let list else { return }
        snapshot.uidValidity = list.uidValidity
        snapshot.uidNext = list.nextUID
        snapshot.guid = list.guid
    }

    private static func carryModSequences(from old: MessageList, to messages: inout ContiguousArray<StoredMessage>) {
        var before = old.makeIterator(), next = before.next()
        for index in messages.indices {
            while let known = next, known.uid < messages[index].uid { next = before.next() }
            guard let known = next else { return }
            if known.uid == messages[index].uid { messages[index].modSequence = known.modSequence }
        }
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
