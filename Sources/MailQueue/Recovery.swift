import Dispatch
import Foundation
import Synchronization
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
    /// Messages whose notification was queued when the crash came, and that know of it only now.
    public var caughtUp = 0
    /// Damaged files, now in `corrupt`: name and what is wrong.
    public var corrupt: [Damage] = []

    public struct Damage: Sendable, Hashable, CustomStringConvertible {
        public let name: String
        public let reason: String
        public var description: String { "\(name): \(reason)" }
    }

    typealias Found = (recovery: Recovery, index: QueueIndex, settlements: [QueueSettlement])

    /// Scans the folders, on all cores. Blocks. - Throws: when a folder cannot be read.
    static func run(_ folders: QueueFolders) throws(QueueError) -> Found {
        let shared = Mutex<Found>((Recovery(), QueueIndex(), []))
        let failure = Mutex<QueueError?>(nil)
        for name in try names(in: folders.tmp) where unlink(folders.tmp + "/" + name) == 0 { shared.withLock { $0.recovery.leftovers += 1 } }
        DispatchQueue.concurrentPerform(iterations: QueueFolders.split) { number in
            do throws(QueueError) {
                for name in try names(in: folders.folder(number)) { take(name, folders.folder(number), folders, shared) }
            } catch {
                failure.withLock { $0 = $0 ?? error }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
        var found = shared.withLock { $0 }
        found.recovery.corrupt.sort { $0.name < $1.name }
        catchUp(folders, &found)
        return found
    }

    private static func take(_ name: String, _ folder: String, _ folders: QueueFolders, _ shared: borrowing Mutex<Found>) {
        let path = folder + "/" + name
        do throws(QueueError) {
            guard QueueFolders.isValid(id: name), folders.path(of: name) == path else { throw .corrupt(id: name, reason: "name or folder is wrong") }
            let (queued, _, wasTorn) = try parts(id: name, path: path, repairing: true)
            let isFinished = queued.envelope.pending.isEmpty
            if isFinished { unlink(path) }
            shared.withLock { found in
                if wasTorn { found.recovery.repaired += 1 }
                guard !isFinished else { return found.recovery.finished += 1 }
                found.recovery.restored += 1
                found.index.add(queued.envelope, byteCount: queued.byteCount)
                if let settlement = queued.envelope.settles { found.settlements.append(settlement) }
            }
        } catch {
            let damage = setAside(name, path, folders, "\(error)")
            shared.withLock { $0.recovery.corrupt.append(damage) }
        }
    }

    private static func setAside(_ name: String, _ path: String, _ folders: QueueFolders, _ reason: String) -> Damage {
        let moved = rename(path, folders.corrupt + "/" + name) == 0
        return Damage(name: name, reason: moved ? reason : reason + " (and it could not be moved aside)")
    }

    /// Reads head, envelope and journal of one file.
    static func read(id: String, path: String) throws(QueueError) -> QueuedMessage { try parts(id: id, path: path, repairing: false).message }

    typealias Parts = (message: QueuedMessage, lines: [QueueFile.Line], wasTorn: Bool)

    /// The same with the journal's lines.
    /// - Parameter repairing: whether a torn last line is cut off.
    static func parts(id: String, path: String, repairing: Bool) throws(QueueError) -> Parts {
        let file = try QueueDescriptor(path, openReadOnly)
        let size = try file.size()
        // Most files are read whole in one go.
        let start = try file.read(at: 0, count: firstRead)
        guard let head = QueueFile.parseHead(start[...]) else {
            throw .corrupt(id: id, reason: "it does not begin as a queue file of this version")
        }
        guard size >= head.journalOffset else { throw .corrupt(id: id, reason: "\(head.journalOffset - size) octets are missing at the end") }
        guard size - head.journalOffset <= QueueFile.journalLimit else { throw .corrupt(id: id, reason: "its journal is over the limit") }
        var envelope = try parseEnvelope(id, try piece(of: file, start, head.length, head.envelope))
        let journal = size == head.journalOffset ? [] : try piece(of: file, start, head.journalOffset, size - head.journalOffset)
        let (lines, valid) = QueueFile.parseJournal(journal, recipients: envelope.recipients.count)
        let wasTorn = valid < journal.count
        if wasTorn, repairing { try QueueDescriptor(path, openAppend).truncate(to: head.journalOffset + valid) }
        for line in lines { envelope.apply(line) }
        let message = QueuedMessage(envelope: envelope, headerIs8Bit: head.headerIs8Bit, bodyIs8Bit: head.bodyIs8Bit, path: path,
                                    contentOffset: head.contentOffset, headerCount: head.header, bodyCount: head.body)
        return (message, lines, wasTorn)
    }

    private static let firstRead = 4096

    private static func piece(of file: borrowing QueueDescriptor, _ start: [UInt8], _ offset: Int, _ count: Int) throws(QueueError) -> [UInt8] {
        offset + count <= start.count ? Array(start[offset..<offset + count]) : try file.read(at: offset, count: count)
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

    static func names(in folder: String) throws(QueueError) -> [String] {
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

extension QueueEnvelope {
    mutating func apply(_ line: QueueFile.Line) {
        switch line {
        case .step(let step): if !recipients[step.recipient].status.isTerminal { recipients[step.recipient].status = step.status }
        case .hold(let hold): self.hold = hold
        case .release: hold = nil
        }
    }
}
