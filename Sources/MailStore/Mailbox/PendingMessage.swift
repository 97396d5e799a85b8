#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A message that arrives in pieces, with what it is to have when it is in its folder (APPEND). Letting go of it without
/// committing removes what was written.
public final class PendingMessage {
    fileprivate var writer: MessageWriter?
    public var flags: MessageFlags = []
    public var keywords: [String] = []
    /// Unix seconds; nil for now.
    public var internalDate: Int64?

    fileprivate init(_ writer: consuming MessageWriter) { self.writer = consume writer }

    /// Octets so far, with CRLF line ends.
    var count: Int { writer?.count ?? 0 }
    var uniqueName: String? { writer?.uniqueName }

    /// Takes the next octets. Blocks.
    public func append(_ bytes: [UInt8]) throws(StoreError) { try writer?.append(bytes) }
}

extension Mailbox {
    /// Begins a message of several. Blocks.
    public func beginMessage(expecting size: Int = 0) throws(StoreError) -> PendingMessage { PendingMessage(try beginAppend(expecting: size)) }

    /// Puts the messages into the folder, durably, all or none (RFC 3502 §6.3.11), with ascending UIDs. Blocks.
    public func commit(_ batch: [PendingMessage]) throws(StoreError) -> AssignedUIDs {
        try account.checkRoom(for: batch.reduce(0) { $0 + $1.count })
        var bits: [UInt32] = []
        for message in batch {
            bits.append(try changing { state throws(StoreError) in
                try state.reloadKeywords()
                return try state.keywordBits(for: message.keywords, creating: true)
            })
        }
        var placed: [PlacedFile] = []
        let note = try UnfinishedBatch(batch.compactMap(\.uniqueName), in: paths, uniqueName: uniqueNames.next())
        do throws(StoreError) {
            for (message, bits) in zip(batch, bits) {
                guard var writer = message.writer.take() else { throw .noSuchMessage(uid: 0) }
                placed.append(try writer.place(flags: message.flags, keywordBits: bits, internalDate: message.internalDate))
            }
            for folder in Set(placed.map(\.folder)) { try syncs.sync(folder) }
        } catch {
            for file in placed { unlink(file.path) }
            note.finish()
            throw error
        }
        let inCur = Set(placed.filter { $0.folder == paths.cur }.map(\.base))
        let assigned = try changing { [placed] state throws(StoreError) in
            try state.refresh()
            return state.assigned(to: placed.map(\.base), inCur: inCur)
        }
        note.finish()
        return assigned
    }
}
