#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What UIDPLUS reports (RFC 4315 §3): where messages went.
public struct AssignedUIDs: Sendable, Hashable {
    public let uidValidity: UInt32
    /// In the order of the messages given.
    public let uids: [UInt32]
}

extension Mailbox {
    /// Begins a message that arrives in pieces (APPEND, RFC 3501 §6.3.11). Blocks.
    public func beginAppend(expecting size: Int = 0) throws(StoreError) -> MessageWriter {
        try MessageWriter(paths: paths, uniqueName: uniqueNames.next(), expecting: size)
    }

    /// Puts the written message into the folder, durably, with its UID. Blocks.
    /// - Parameter internalDate: Unix seconds; nil for now.
    public func commit(
        _ writer: consuming MessageWriter, flags: MessageFlags = [], keywords: [String] = [], internalDate: Int64? = nil
    ) throws(StoreError) -> AssignedUIDs {
        try account.checkRoom(for: writer.count)
        let bits = try changing { state throws(StoreError) in
            try state.reloadKeywords()
            return try state.keywordBits(for: keywords, creating: true)
        }
        let placed = try writer.place(flags: flags, keywordBits: bits, internalDate: internalDate)
        try syncs.sync(placed.folder)
        return try changing { state throws(StoreError) in
            try state.refresh()
            guard let uid = state.uids[placed.base] else { throw .noSuchMessage(uid: 0) }
            return AssignedUIDs(uidValidity: state.snapshot.uidValidity, uids: [uid])
        }
    }

    /// Copies messages into another folder, all or none (RFC 3501 §6.4.7): flags, keywords and internal date stay.
    /// The files are hard links, so that a copy costs no space. Blocks.
    /// - Returns: the source UIDs that were still there, and the new UIDs in the same order.
    public func copy(uids: [UInt32], to destination: Mailbox) throws(StoreError) -> (source: [UInt32], assigned: AssignedUIDs) {
        let snapshot = try refresh()
        if account.limit?.value.octets ?? 0 > 0 { try account.checkRoom(for: details(of: uids).reduce(0) { $0 + $1.size }) }
        var links = LinkBatch(destination: destination)
        do throws(StoreError) {
            for uid in uids {
                guard let message = snapshot.message(withUID: uid) else { continue }
                try links.add(message, keywords: snapshot.keywords(of: message), from: self)
            }
            return (links.sources, try links.finish())
        } catch {
            links.undo()
            throw error
        }
    }

    /// Moves messages into another folder (RFC 6851 §3.3) by renaming their files: each is in one of both folders at any
    /// moment, whatever happens. When one cannot be moved those before it go back. Blocks.
    public func move(uids: [UInt32], to destination: Mailbox) throws(StoreError) -> (source: [UInt32], assigned: AssignedUIDs) {
        let snapshot = try refresh()
        var moved: [(uid: UInt32, base: String, from: String, to: String)] = []
        do throws(StoreError) {
            for uid in uids {
                guard let message = snapshot.message(withUID: uid) else { continue }
                let name = try destination.name(forCopyOf: message, keywords: snapshot.keywords(of: message))
                let target = destination.paths.cur + "/" + name.nameInCur
                if let source = try relocate(uid, { path throws(StoreError) in try Files.rename(path, to: target) }) { moved.append((uid, name.base, source, target)) }
            }
        } catch {
            for one in moved { try? Files.rename(one.to, to: one.from) }
            throw error
        }
        try destination.syncs.sync(destination.paths.cur)
        try syncs.sync(paths.cur)
        try changing { [moved] state throws(StoreError) in state.forget(moved.map(\.uid)) }
        let assigned = try destination.changing { [moved] state throws(StoreError) in
            try state.refresh()
            return AssignedUIDs(uidValidity: state.snapshot.uidValidity, uids: moved.compactMap { state.uids[$0.base] })
        }
        return (moved.map(\.uid), assigned)
    }

    /// A name in this folder for another message's copy: a new unique part, the sizes and flags as they are.
    fileprivate func name(forCopyOf message: StoredMessage, keywords: [String]) throws(StoreError) -> MaildirFileName {
        let bits = try changing { state throws(StoreError) in
            guard !keywords.isEmpty else { return UInt32(0) }
            try state.reloadKeywords()
            return try state.keywordBits(for: keywords, creating: true)
        }
        let sizes = message.base.split(separator: ",").dropFirst().filter { $0.hasPrefix("S=") || $0.hasPrefix("W=") }
        return MaildirFileName(base: ([uniqueNames.next()] + sizes.map(String.init)).joined(separator: ","), flags: message.flags, keywords: bits)
    }

    /// Does something with a message's file, looking again when another program renamed it.
    /// - Returns: the path that it had; nil when the message is gone.
    fileprivate func relocate(_ uid: UInt32, _ work: (String) throws(StoreError) -> Void) throws(StoreError) -> String? {
        try changing { state throws(StoreError) in
            for _ in 0..<3 {
                guard let message = state.snapshot.message(withUID: uid) else { return nil }
                let path = state.path(of: message)
                do throws(StoreError) {
                    try work(path)
                    return path
                } catch .system(_, _, ENOENT) { try state.rescan() }
            }
            return nil
        }
    }
}

extension MailboxState {
    /// The UIDs of files that were just put into the folder. Those put into `cur` are `\Recent` as well; what was put into
    /// `new` somebody may have claimed already.
    mutating func assigned(to bases: [String], inCur: Set<String>) -> AssignedUIDs {
        snapshot.unclaimed.formUnion(inCur.compactMap { uids[$0] })
        return AssignedUIDs(uidValidity: snapshot.uidValidity, uids: bases.compactMap { uids[$0] })
    }
}

/// The files of one COPY, so that all can be taken back.
private struct LinkBatch {
    let destination: Mailbox
    var sources: [UInt32] = []
    private var names: [MaildirFileName] = []

    init(destination: Mailbox) { self.destination = destination }

    /// Links into the destination's `tmp`: nothing shows before ``finish()``.
    mutating func add(_ message: StoredMessage, keywords: [String], from source: Mailbox) throws(StoreError) {
        let name = try destination.name(forCopyOf: message, keywords: keywords)
        let target = destination.paths.tmp + "/" + name.nameInCur
        guard try source.relocate(message.uid, { path throws(StoreError) in try Files.link(path, to: target) }) != nil else { return }
        sources.append(message.uid)
        names.append(name)
    }

    /// Shows all files and gives them ascending UIDs in order.
    mutating func finish() throws(StoreError) -> AssignedUIDs {
        let batch = try UnfinishedBatch(names.map(\.uniquePart), in: destination.paths, uniqueName: destination.uniqueNames.next())
        for name in names { try Files.rename(destination.paths.tmp + "/" + name.nameInCur, to: destination.paths.cur + "/" + name.nameInCur) }
        try destination.syncs.sync(destination.paths.cur)
        let assigned = try destination.changing { [names] state throws(StoreError) in
            try state.refresh()
            let bases = names.map(\.base)
            return state.assigned(to: bases, inCur: Set(bases))
        }
        batch.finish()
        return assigned
    }

    func undo() {
        for name in names {
            unlink(destination.paths.tmp + "/" + name.nameInCur)
            unlink(destination.paths.cur + "/" + name.nameInCur)
        }
    }
}
