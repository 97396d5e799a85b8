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

    /// Copies, then removes the originals (RFC 6851 §3.3). Blocks.
    public func move(uids: [UInt32], to destination: Mailbox) throws(StoreError) -> (source: [UInt32], assigned: AssignedUIDs) {
        let result = try copy(uids: uids, to: destination)
        try expunge(uids: result.source)
        return result
    }

    /// Links one file under a new name, looking again when another program renamed it.
    fileprivate func link(_ uid: UInt32, to path: String) throws(StoreError) {
        try changing { state throws(StoreError) in
            for _ in 0..<3 {
                guard let message = state.snapshot.message(withUID: uid) else { break }
                do throws(StoreError) { return try Files.link(state.path(of: message), to: path) } catch .system(_, _, ENOENT) { try state.rescan() }
            }
            throw .noSuchMessage(uid: uid)
        }
    }
}

/// The files of one COPY, so that all can be taken back.
private struct LinkBatch {
    let destination: Mailbox
    var sources: [UInt32] = []
    private var bases: [String] = []
    private var paths: [String] = []

    init(destination: Mailbox) { self.destination = destination }

    /// Links into the destination's `tmp`: nothing shows before ``finish()``.
    mutating func add(_ message: StoredMessage, keywords: [String], from source: Mailbox) throws(StoreError) {
        let bits = try destination.changing { state throws(StoreError) in
            if keywords.isEmpty { return UInt32(0) }
            try state.reloadKeywords()
            return try state.keywordBits(for: keywords, creating: true)
        }
        let sizes = message.base.split(separator: ",").dropFirst().filter { $0.hasPrefix("S=") || $0.hasPrefix("W=") }
        let base = ([destination.uniqueNames.next()] + sizes.map(String.init)).joined(separator: ",")
        let name = MaildirFileName(base: base, flags: message.flags, keywords: bits).nameInCur
        do throws(StoreError) { try source.link(message.uid, to: destination.paths.tmp + "/" + name) } catch .noSuchMessage { return }
        sources.append(message.uid)
        bases.append(base)
        paths.append(name)
    }

    /// Shows all files at once, as far as a file system can, and gives them ascending UIDs in order.
    mutating func finish() throws(StoreError) -> AssignedUIDs {
        for name in paths { try Files.rename(destination.paths.tmp + "/" + name, to: destination.paths.cur + "/" + name) }
        try destination.syncs.sync(destination.paths.cur)
        return try destination.changing { [bases] state throws(StoreError) in
            try state.refresh()
            return AssignedUIDs(uidValidity: state.snapshot.uidValidity, uids: bases.compactMap { state.uids[$0] })
        }
    }

    func undo() {
        for name in paths {
            unlink(destination.paths.tmp + "/" + name)
            unlink(destination.paths.cur + "/" + name)
        }
    }
}
