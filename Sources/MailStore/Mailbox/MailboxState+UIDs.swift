#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

// The UID list: reading, giving UIDs under Dovecot's lock, rewriting when it has grown stale.
extension MailboxState {
    /// Reads the list again if it changed: what was appended to it alone, or a list that replaced it. One that cannot be
    /// trusted counts as none: UIDVALIDITY changes then.
    mutating func reloadList() throws(StoreError) {
        let stamp = try FileStamp.of(paths.uidList)
        guard list == nil || stamp != listStamp || !stamp.isSettled(at: time(nil)) else { return }
        if try readAppended(stamp) { return }
        uids = UIDNames()
        uidsVersion += 1
        guard let bytes = try Files.contents(paths.uidList), let parsed = Self.parse(bytes, into: &uids) else {
            list = nil
            uids = UIDNames()
            listStamp = .missing
            return
        }
        listEnd = UIDListEnd(of: bytes, inode: stamp.inode)
        listStamp = stamp
        list = parsed
    }

    /// - Returns: the list without its lines; nil for one that cannot be trusted.
    private static func parse(_ bytes: [UInt8], into uids: inout UIDNames) -> UIDList? {
        // Lines with a file name as most programs make it are longer.
        uids.reserveCapacity(bytes.count / 48)
        var batch = NameBatch()
        let list = try? UIDList(parsing: bytes) { line in
            // No file has such a name.
            guard line.base.count <= NameArena.longest else { return }
            batch.append(line.base, base: line.base.count, tag: line.uid)
            if batch.isFull { uids.append(&batch) }
        }
        uids.append(&batch)
        return list
    }

    /// - Returns: false when the list must be read as a whole.
    private mutating func readAppended(_ stamp: FileStamp) throws(StoreError) -> Bool {
        guard var known = list, stamp.inode == listEnd.inode, stamp.size >= listEnd.offset,
            let tail = try Files.contents(paths.uidList, from: listEnd.offset - listEnd.lastLine.count), tail.starts(with: listEnd.lastLine),
            known.parseAppended(tail.dropFirst(listEnd.lastLine.count), { uids.append($0.base, uid: $0.uid) }) else { return false }
        list = known
        listEnd.take(tail)
        listStamp = stamp
        return true
    }

    func lockingList<Value>(_ work: () throws(StoreError) -> Value) throws(StoreError) -> Value {
        try DotLock.holding(paths.uidListLock, work)
    }

    /// Gives UIDs to files, and makes that durable before anybody hears of them.
    /// - Parameters:
    ///   - bases: in the order in which they arrived; each ``UIDList/canHold(_:)``.
    ///   - live: how many files there are; many lines more are worth a new list.
    ///   - isLive: whether a name is one of them.
    mutating func assignUIDs(to bases: NameTable, live: Int = .max, isLive: ([UInt8]) -> Bool = { _ in true }) throws(StoreError) {
        try DotLock.holding(paths.uidListLock) { () throws(StoreError) in
            try reloadListUnderLock()
            // Whoever held the lock before may have given them theirs.
            try appendUnderLock(uids.count == 0 ? bases : bases.filter { uids.table.index(of: $0) == nil })
            if live != .max { try compactUnderLock(live: live, isLive: isLive) }
        }
    }

    /// The lock is held: what others appended is taken in, or a list begun.
    mutating func reloadListUnderLock() throws(StoreError) {
        listStamp = .missing
        try reloadList()
        guard list == nil else { return }
        try write(UIDList(uidValidity: try validities.next(), guid: Self.newGUID()))
    }

    /// The lock is held and the list current. One append, one fdatasync.
    mutating func appendUnderLock(_ bases: NameTable) throws(StoreError) {
        guard !bases.isEmpty, let known = list else { return }
        let names = bases.names
        guard UInt64(known.nextUID) + UInt64(names.count) < UInt64(UInt32.max) else { throw .uidsExhausted }
        var lines: [UInt8] = []
        lines.reserveCapacity(names.reduce(0) { $0 + $1.count + 14 })
        for (offset, base) in names.enumerated() {
            // They do not lie in this order.
            if offset + 16 < names.count { names[offset + 16].announce() }
            base.withOctets { UIDList.append(uid: known.nextUID + UInt32(offset), $0, to: &lines) }
        }
        if try endsTorn() {
            guard let bytes = try Files.contents(paths.uidList), var whole = try? UIDList(parsing: bytes), whole.takeAppended(lines) else { return }
            try write(whole)
        } else {
            try Files.append(lines, to: paths.uidList)
            try takeWritten(lines, bases)
        }
    }

    /// What this process appended need not be read again, as long as it stands where the list ended for it.
    private mutating func takeWritten(_ lines: [UInt8], _ bases: NameTable) throws(StoreError) {
        let stamp = try FileStamp.of(paths.uidList)
        guard stamp.inode == listEnd.inode, stamp.size == listEnd.offset + lines.count, let first = list?.nextUID else {
            listStamp = .missing
            return try reloadList()
        }
        uids.append(bases, from: first)
        list?.nextUID = first + UInt32(bases.names.count)
        listEnd.append(lines)
        listStamp = stamp
    }

    /// Whether a crash cut the last line short, so that appending would glue two lines together.
    private func endsTorn() throws(StoreError) -> Bool {
        let descriptor = try Files.open(paths.uidList, O_RDONLY)
        defer { close(descriptor) }
        let size = lseek(descriptor, 0, SEEK_END)
        var last: UInt8 = 0
        guard size > 0, pread(descriptor, &last, 1, size - 1) == 1 else { return true }
        return last != 10
    }

    /// Rewrites the list without files that are gone, when they are many. The header keeps the next UID.
    private mutating func compactUnderLock(live: Int, isLive: ([UInt8]) -> Bool) throws(StoreError) {
        guard uids.count - live > max(64, live / 4), let bytes = try Files.contents(paths.uidList), var slim = try? UIDList(parsing: bytes) else { return }
        slim.entries.removeAll { !isLive($0.name) }
        try write(slim)
    }

    /// Puts another list in the place of the old one.
    private mutating func write(_ whole: UIDList) throws(StoreError) {
        try Files.replace(paths.uidList, with: whole.serialised())
        list = nil
        try reloadList()
    }

    /// 128 random bits in hex, as Dovecot identifies a mailbox.
    static func newGUID() -> String {
        (0..<2).map { _ in
            let digits = String(UInt64.random(in: 0...UInt64.max), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}

/// How far a list was read.
struct UIDListEnd: Sendable {
    private(set) var inode: UInt64 = 0
    private(set) var offset = 0
    /// What stands before that: a list that was replaced by another is not taken for one that grew.
    private(set) var lastLine: [UInt8] = []

    init() {}

    init(of bytes: [UInt8], inode: UInt64) {
        self.inode = inode
        take(bytes)
    }

    /// Whole lines that follow what is known.
    mutating func append(_ lines: [UInt8]) { take(lastLine + lines) }

    /// Octets from the last line known on, up to what a crash or another program's writing has not finished.
    mutating func take(_ bytes: [UInt8]) {
        guard let end = bytes.lastIndex(of: 10) else { return }
        let start = bytes[..<end].lastIndex(of: 10).map { $0 + 1 } ?? 0
        offset += end + 1 - lastLine.count
        lastLine = Array(bytes[start...end])
    }
}
