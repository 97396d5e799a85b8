import Foundation
import GRDB
import StateFiles
import Synchronization

/// One folder's index: sizes and dates, what lists show, and which texts occur where. A cache: the files are the truth,
/// and whatever is missing or wrong here is found in them. Every method blocks. Thread-safe.
final class MessageIndex: Sendable {
    let path: String
    private let reader: DatabaseQueue
    private let writer: DatabaseQueue
    private let known: Mutex<Known>
    /// As long as the file has this one, its rows are those that are known.
    private let epoch: Int

    /// Somebody emptied the file.
    struct Emptied: Error {}

    /// Which messages have rows.
    struct Known: Sendable {
        /// Ascending.
        var uids: [UInt32] = []
        /// Of them, those whose texts are not all in the index.
        var partial: Set<UInt32> = []

        func contains(_ uid: UInt32) -> Bool { uids.holdsSorted(uid) }
    }

    /// - Parameter live: the folder's messages, whose names the rows must bear out; rows of others are passed over.
    /// - Throws: SQLite's errors, when not even a new file can be used.
    init(path: String, version: Int, uidValidity: UInt32, live: MessageList) throws {
        self.path = path
        var writer = try IndexDatabase.open(path, version: version, uidValidity: uidValidity)
        var rows = try? writer.read { try Self.rows($0, live) }
        if rows.flatMap({ $0 }) == nil {
            // A row that speaks of another file, or a damaged table: nothing in it can be believed.
            try writer.close()
            IndexDatabase.remove(path)
            writer = try IndexDatabase.open(path, version: version, uidValidity: uidValidity)
            rows = Known()
        }
        known = Mutex(rows.flatMap { $0 } ?? Known())
        epoch = try writer.read { try IndexDatabase.epoch($0) }
        self.writer = writer
        reader = try DatabaseFile.openReading(path)
    }

    deinit { close() }

    /// No use of it afterwards, but it may be made again from the file.
    func close() {
        try? reader.close()
        try? writer.close()
    }

    /// nil when a row and a file disagree, or so much of it is of messages that are gone that it had better be made anew.
    private static func rows(_ db: Database, _ live: MessageList) throws -> Known? {
        var known = Known(), gone = 0, messages = live.makeIterator(), next = messages.next()
        let cursor = try Row.fetchCursor(db.cachedStatement(sql: IndexDatabase.rows))
        while let row = try cursor.next() {
            let uid: UInt32 = row[0]
            while let message = next, message.uid < uid { next = messages.next() }
            guard let message = next, message.uid == uid else {
                gone += 1
                continue
            }
            let base: String = row[1], whole: Int = row[2]
            guard base == message.base else { return nil }
            known.uids.append(uid)
            if whole == 0 { known.partial.insert(uid) }
        }
        return gone > known.uids.count + 1000 ? nil : known
    }

    // MARK: Asking

    /// Messages that have rows now.
    var knownMessages: Known { known.withLock { $0 } }

    func details(_ uids: ClosedRange<UInt32>) throws -> [MessageDetails] {
        try reader.read { db in
            let cursor = try Row.fetchCursor(db.cachedStatement(sql: IndexDatabase.details), arguments: [Int64(uids.lowerBound), Int64(uids.upperBound)])
            var found: [MessageDetails] = []
            while let row = try cursor.next() { found.append(MessageDetails(uid: row[0], internalDate: row[2], size: row[1])) }
            return found
        }
    }

    func summaries(_ uids: ClosedRange<UInt32>) throws -> [UInt32: IndexedSummary] {
        try reader.read { db in
            let cursor = try Row.fetchCursor(db.cachedStatement(sql: IndexDatabase.summaries), arguments: [Int64(uids.lowerBound), Int64(uids.upperBound)])
            var found: [UInt32: IndexedSummary] = [:]
            while let row = try cursor.next() {
                let header: Data = row[1], structure: Data = row[2], envelope: Data = row[3]
                found[row[0]] = IndexedSummary(header: Array(header), envelope: Array(envelope), structure: Array(structure))
            }
            return found
        }
    }

    /// Messages that may contain the text, ascending; nil when the index cannot tell.
    func candidates(_ place: IndexedPlace, _ pattern: [UInt8]) throws -> [UInt32]? {
        try reader.read { db in
            guard try IndexDatabase.epoch(db) == epoch else { throw Emptied() }
            return try IndexDatabase.candidates(db, place, pattern)
        }
    }

    // MARK: Filling

    func add(_ entries: [IndexEntry]) throws {
        try writer.write { db in
            guard try IndexDatabase.epoch(db) == epoch else { throw Emptied() }
            for entry in entries { try IndexDatabase.insert(db, entry) }
        }
        known.withLock { known in
            let isLater = (entries.first?.uid ?? 0) > (known.uids.last ?? 0)
            known.uids += entries.map(\.uid)
            if !isLater { known.uids = Set(known.uids).sorted() }
            for entry in entries where !entry.summary.isWhole { known.partial.insert(entry.uid) }
        }
    }

    /// What lists showed of messages that are gone need not stay.
    func forget(_ uids: [UInt32]) throws {
        guard !uids.isEmpty else { return }
        try writer.write { db in
            for uid in uids { try db.cachedStatement(sql: "DELETE FROM summary WHERE uid = ?").execute(arguments: [Int64(uid)]) }
        }
    }
}

extension Array where Element: Comparable {
    /// Whether an ascending array holds the element, by binary search.
    func holdsSorted(_ wanted: Element) -> Bool {
        var low = 0, high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < wanted { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low] == wanted
    }
}
