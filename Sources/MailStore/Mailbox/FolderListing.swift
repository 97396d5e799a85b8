import CMemory

/// A message file as a scan found it; its base name is kept beside it.
struct FoundFile: Sendable {
    let info: MaildirInfo
    let isNew: Bool
    /// The whole name, where it is not spelt as this program would spell it.
    let foreignSpelling: StoredName?

    /// - Parameters:
    ///   - octets: the whole name.
    ///   - count: of its base.
    init(_ octets: UnsafeBufferPointer<UInt8>, base count: Int, isNew: Bool, arena: inout NameArena) {
        info = MaildirInfo(of: octets, base: count)
        self.isNew = isNew
        foreignSpelling = info.isSpelling(octets, base: count, isNew: isNew) ? nil : arena.keep(octets)
    }

    func spelling(of base: String) -> String { foreignSpelling?.text ?? (isNew ? base : base + info.text) }
}

/// The message files of a folder, by base name. Names that the UID list has are only marked, so that a folder of which
/// everything is known costs no name.
struct FolderListing: Sendable {
    let known: NameTable
    /// Beside the known names; nil: there is no such file.
    private(set) var files: ContiguousArray<FoundFile?>
    /// Names that the list does not have, and their files.
    private(set) var strangers = NameTable()
    private var strangerFiles: ContiguousArray<FoundFile> = []
    private var spellings = NameArena()
    private(set) var count = 0

    /// Reads `new` and then `cur`: what moves from the one to the other meanwhile is seen in the latter.
    /// Files alone: a symbolic link could show any file of this machine, and a pipe would be waited at for ever.
    init(_ paths: MailboxPaths, known: NameTable = NameTable()) throws(StoreError) {
        self.known = known
        files = ContiguousArray(repeating: nil, count: known.names.count)
        if known.isEmpty { try expectStrangers(in: paths.cur) }
        for (folder, isNew) in [(paths.new, true), (paths.cur, false)] {
            var batch = NameBatch()
            try Files.forEachFileName(in: folder) { name in
                guard name.first != 46, name.count <= NameArena.longest else { return }
                let base = name.firstPlace(of: 58)
                guard UIDList.canHold(UnsafeBufferPointer(rebasing: name[..<base])) else { return }
                batch.append(name, base: base, tag: UInt32(base))
                if batch.isFull { take(&batch, isNew: isNew) }
            }
            take(&batch, isNew: isNew)
        }
    }

    /// What the folder's own size lets expect, so that the table does not grow in steps; ext4 never shrinks a folder.
    private mutating func expectStrangers(in path: String) throws(StoreError) {
        let most = min(Int(max(try FileStamp.of(path).size, 0)) / 128, 1 << 18)
        strangers.reserveCapacity(most)
        strangerFiles.reserveCapacity(most)
    }

    /// Names whose tags are the lengths of their bases.
    private mutating func take(_ batch: inout NameBatch, isNew: Bool) {
        files.withUnsafeBufferPointer { files in
            known.announce(batch.hashes) { index in postern_prefetch(files.baseAddress.map { $0 + index }) }
        }
        strangers.announce(batch.hashes)
        batch.empty { name, length, hash in
            let file = FoundFile(name, base: Int(length), isNew: isNew, arena: &spellings)
            put(file, UnsafeBufferPointer(rebasing: name[..<Int(length)]), hash: hash)
        }
    }

    private mutating func put(_ file: FoundFile, _ base: UnsafeBufferPointer<UInt8>, hash: UInt32) {
        if let index = known.index(of: base, hash: hash) {
            if files[index] == nil { count += 1 }
            files[index] = file
            return
        }
        let index = strangers.insert(base, hash: hash)
        if index < strangerFiles.count { strangerFiles[index] = file } else {
            strangerFiles.append(file)
            count += 1
        }
    }

    /// Takes in what another listing of the same folder has and this one has not.
    mutating func fillGaps(from other: FolderListing) {
        for index in files.indices where files[index] == nil {
            guard let file = other.files[index] else { continue }
            files[index] = file
            count += 1
        }
        for (name, file) in zip(other.strangers.names, other.strangerFiles) where strangers.index(of: name) == nil {
            name.withOctets { put(file, $0, hash: NameTable.hash(of: $0)) }
        }
    }

    /// Puts those that the list does not have into the order in which they arrived.
    mutating func arrangeStrangers() {
        guard !strangers.isEmpty else { return }
        let order = Arrival.order(of: strangers.names)
        strangers.arrange(order)
        strangerFiles = ContiguousArray(order.map { strangerFiles[$0] })
    }

    // MARK: Asking

    /// The file of the name that is at an index of a list which has grown by the strangers since, as it does as a rule.
    subscript(index: Int, name: StoredName) -> FoundFile? {
        if index < files.count { return files[index] }
        let place = index - files.count
        return place < strangerFiles.count && strangers.names[place] == name ? strangerFiles[place] : self[name]
    }

    subscript(base: StoredName) -> FoundFile? { base.withOctets { self[$0] } }
    subscript(base: [UInt8]) -> FoundFile? { base.withUnsafeBufferPointer { self[$0] } }
    subscript(base: String) -> FoundFile? { self[Array(base.utf8)] }

    private subscript(base: UnsafeBufferPointer<UInt8>) -> FoundFile? {
        let hash = NameTable.hash(of: base)
        if let index = known.index(of: base, hash: hash) { return files[index] }
        return strangers.index(of: base, hash: hash).map { strangerFiles[$0] }
    }

    /// All base names, in no order.
    var bases: [StoredName] { known.names.indices.filter { files[$0] != nil }.map { known.names[$0] } + strangers.names }
}
