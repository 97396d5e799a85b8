#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

// The UID list: reading, giving UIDs under Dovecot's lock, rewriting when it has grown stale.
extension MailboxState {
    /// Reads the list again if it changed. A list that cannot be trusted counts as none: UIDVALIDITY changes then.
    mutating func reloadList() throws(StoreError) {
        let stamp = try FileStamp.of(paths.uidList)
        guard list == nil || stamp != listStamp || !stamp.isSettled(at: time(nil)) else { return }
        guard let bytes = try Files.contents(paths.uidList), let parsed = try? UIDList(parsing: bytes) else {
            list = nil
            uids = [:]
            listStamp = .missing
            return
        }
        list = parsed
        listStamp = stamp
        uids = Dictionary(parsed.entries.map { ($0.base, $0.uid) }, uniquingKeysWith: { $1 })
    }

    func lockingList<Value>(_ work: () throws(StoreError) -> Value) throws(StoreError) -> Value {
        try DotLock.holding(paths.uidListLock, work)
    }

    /// Gives UIDs to files in the order in which they arrived, and makes that durable before anybody hears of them.
    mutating func assignUIDs(to bases: [String], live: [String: FoundFile]) throws(StoreError) {
        try DotLock.holding(paths.uidListLock) { () throws(StoreError) in
            try reloadListUnderLock()
            let unknown = bases.filter { uids[$0] == nil }.map { MaildirFileName($0) }.sorted { $0.arrival < $1.arrival }
            try appendUnderLock(unknown.map(\.base))
            try compactUnderLock(live: live)
        }
    }

    /// The lock is held: what others appended is taken in, or a list begun.
    mutating func reloadListUnderLock() throws(StoreError) {
        listStamp = .missing
        try reloadList()
        guard list == nil else { return }
        let fresh = UIDList(uidValidity: try validities.next(), guid: Self.newGUID())
        try Files.replace(paths.uidList, with: fresh.serialised())
        list = fresh
        uids = [:]
        listStamp = try FileStamp.of(paths.uidList)
    }

    /// The lock is held and the list current. One append, one fdatasync.
    /// - Returns: the UIDs, in the order of the names.
    @discardableResult
    mutating func appendUnderLock(_ bases: [String]) throws(StoreError) -> [UInt32] {
        guard !bases.isEmpty, var grown = list else { return [] }
        guard UInt64(grown.nextUID) + UInt64(bases.count) < UInt64(UInt32.max) else { throw .uidsExhausted }
        var lines: [UInt8] = [], given: [UInt32] = []
        for base in bases {
            let entry = UIDList.Entry(uid: grown.nextUID, extensions: "", base: base)
            grown.entries.append(entry)
            grown.nextUID += 1
            given.append(entry.uid)
            lines += UIDList.line(entry).utf8
        }
        if try endsTorn() { try Files.replace(paths.uidList, with: grown.serialised()) } else { try Files.append(lines, to: paths.uidList) }
        list = grown
        for (base, uid) in zip(bases, given) { uids[base] = uid }
        listStamp = try FileStamp.of(paths.uidList)
        return given
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
    private mutating func compactUnderLock(live: [String: FoundFile]) throws(StoreError) {
        guard var slim = list, slim.entries.count - live.count > max(64, live.count / 4) else { return }
        slim.entries.removeAll { live[$0.base] == nil }
        try Files.replace(paths.uidList, with: slim.serialised())
        list = slim
        uids = Dictionary(slim.entries.map { ($0.base, $0.uid) }, uniquingKeysWith: { $1 })
        listStamp = try FileStamp.of(paths.uidList)
    }

    /// 128 random bits in hex, as Dovecot identifies a mailbox.
    static func newGUID() -> String {
        (0..<2).map { _ in
            let digits = String(UInt64.random(in: 0...UInt64.max), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
