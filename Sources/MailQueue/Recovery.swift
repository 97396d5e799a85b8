import Foundation
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What start-up found in the queue's folders, for the log.
public struct Recovery: Sendable, Hashable {
    /// Messages that wait for delivery.
    public var restored = 0
    /// Messages all of whose recipients were settled before the crash; removed.
    public var finished = 0
    /// Half-written files that nobody was promised; removed from `tmp`.
    public var leftovers = 0
    /// Journals whose last line was torn; cut back to the last whole one.
    public var repaired = 0
    /// Damaged files, now in `corrupt`: name and what is wrong.
    public var corrupt: [Damage] = []

    public struct Damage: Sendable, Hashable, CustomStringConvertible {
        public let name: String
        public let reason: String
        public var description: String { "\(name): \(reason)" }
    }

    typealias Found = (recovery: Recovery, records: [String: MailQueue.Record])

    /// Scans the folders. Blocks. - Throws: when a folder cannot be read.
    static func run(_ folders: QueueFolders) throws(QueueError) -> Found {
        var found: Found = (Recovery(), [:])
        for name in try names(in: folders.tmp) where unlink(folders.tmp + "/" + name) == 0 { found.recovery.leftovers += 1 }
        for number in 0..<QueueFolders.split {
            for name in try names(in: folders.folder(number)) { take(name, folders.folder(number), folders, &found) }
        }
        return found
    }

    private static func take(_ name: String, _ folder: String, _ folders: QueueFolders, _ found: inout Found) {
        let path = folder + "/" + name
        do throws(QueueError) {
            guard QueueFolders.isValid(id: name), folders.path(of: name) == path else { throw .corrupt(id: name, reason: "name or folder is wrong") }
            let before = try QueueDescriptor(path, openReadOnly).size()
            let queued = try read(id: name, path: path, repairing: true)
            if try QueueDescriptor(path, openReadOnly).size() < before { found.recovery.repaired += 1 }
            guard !queued.envelope.pending.isEmpty else {
                unlink(path)
                found.recovery.finished += 1
                return
            }
            found.recovery.restored += 1
            found.records[name] = MailQueue.Record(queued.envelope, byteCount: queued.byteCount)
        } catch {
            setAside(name, path, folders, "\(error)", &found.recovery)
        }
    }

    private static func setAside(_ name: String, _ path: String, _ folders: QueueFolders, _ reason: String, _ recovery: inout Recovery) {
        let moved = rename(path, folders.corrupt + "/" + name) == 0
        recovery.corrupt.append(Damage(name: name, reason: moved ? reason : reason + " (and it could not be moved aside)"))
    }

    /// Reads head, envelope and journal of one file.
    static func read(id: String, path: String, repairing: Bool) throws(QueueError) -> QueuedMessage {
        let file = try QueueDescriptor(path, repairing ? openAppend : openReadOnly)
        let size = try file.size()
        guard let head = QueueFile.parseHead(try file.read(at: 0, count: QueueFile.headLimit)[...]) else {
            throw .corrupt(id: id, reason: "it does not begin as a queue file of this version")
        }
        guard size >= head.journalOffset else { throw .corrupt(id: id, reason: "\(head.journalOffset - size) octets are missing at the end") }
        guard size - head.journalOffset <= QueueFile.journalLimit else { throw .corrupt(id: id, reason: "its journal is over the limit") }
        var envelope = try parseEnvelope(id, try file.read(at: head.length, count: head.envelope))
        let journal = try file.read(at: head.journalOffset, count: size - head.journalOffset)
        let (steps, valid) = QueueFile.parseJournal(journal, recipients: envelope.recipients.count)
        if repairing, valid < journal.count { try file.truncate(to: head.journalOffset + valid) }
        for step in steps where !envelope.recipients[step.recipient].status.isTerminal {
            envelope.recipients[step.recipient].status = step.status
        }
        return QueuedMessage(envelope: envelope, headerIs8Bit: head.headerIs8Bit, bodyIs8Bit: head.bodyIs8Bit, path: path,
                             contentOffset: head.contentOffset, headerCount: head.header, bodyCount: head.body)
    }

    private static func parseEnvelope(_ id: String, _ json: [UInt8]) throws(QueueError) -> QueueEnvelope {
        do {
            let envelope = try QueueJSON.decoder().decode(QueueEnvelope.self, from: Data(json))
            guard envelope.id == id else { throw QueueError.corrupt(id: id, reason: "the envelope belongs to \(envelope.id)") }
            return envelope
        } catch let error as QueueError {
            throw error
        } catch {
            throw .corrupt(id: id, reason: "the envelope cannot be read: \(error)")
        }
    }

    private static func names(in folder: String) throws(QueueError) -> [String] {
        guard let directory = opendir(folder) else { throw .errno("opendir", folder) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
