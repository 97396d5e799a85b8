import Foundation
import GRDB
import StateFiles

/// The tables of one folder's index and the statements over them.
///
/// One file for each folder, beside the account's Maildir and named by the folder's lasting id, and not one for each
/// account: a search reads nothing of other folders, a folder that goes takes its index along, one that is renamed keeps
/// it, and damage costs one folder's rebuilding. The Maildir itself holds nothing that Dovecot does not know.
///
/// The rows of `message` are small, since all of them are read when a folder is first searched. The texts are indexed by
/// trigrams without positions (`detail=none`): a quarter of the room and half of the time of an index that could tell
/// neighbourhood; what it finds are candidates, and each is read before it counts.
enum IndexDatabase {
    /// Of the tables; the maker of summaries has its own version.
    static let version = 2

    private static let schema = """
        CREATE TABLE folder (version INTEGER NOT NULL, uid_validity INTEGER NOT NULL, epoch INTEGER NOT NULL DEFAULT 0);
        CREATE TABLE message (uid INTEGER PRIMARY KEY, base TEXT NOT NULL, size INTEGER NOT NULL, date INTEGER NOT NULL, whole INTEGER NOT NULL);
        CREATE TABLE summary (uid INTEGER PRIMARY KEY, header BLOB NOT NULL, structure BLOB NOT NULL, envelope BLOB NOT NULL);
        CREATE VIRTUAL TABLE header_text USING fts5(text, content = '', detail = none, columnsize = 0, tokenize = 'trigram case_sensitive 1');
        CREATE VIRTUAL TABLE body_text USING fts5(text, content = '', detail = none, columnsize = 0, tokenize = 'trigram case_sensitive 1');
        """

    /// Opens the file, making it when there is none, and makes it anew when it is of another version or UIDVALIDITY, or
    /// cannot be read.
    static func open(_ path: String, version: Int, uidValidity: UInt32) throws -> DatabaseQueue {
        if let queue = try? attempt(path, version, uidValidity), try agrees(queue, version, uidValidity) { return queue }
        remove(path)
        return try attempt(path, version, uidValidity)
    }

    private static func attempt(_ path: String, _ version: Int, _ uidValidity: UInt32) throws -> DatabaseQueue {
        let queue = try DatabaseFile.open(path, label: "mail index", pragmas: "PRAGMA cache_size = -2048; PRAGMA journal_size_limit = 4194304", migrations: [("1", schema)])
        try queue.write { db in
            guard try Int.fetchOne(db, sql: "SELECT count(*) FROM folder") == 0 else { return }
            try db.execute(sql: "INSERT INTO folder (version, uid_validity) VALUES (?, ?)", arguments: [version, uidValidity])
        }
        return queue
    }

    private static func agrees(_ queue: DatabaseQueue, _ version: Int, _ uidValidity: UInt32) throws -> Bool {
        let row = try? queue.read { try Row.fetchOne($0, sql: "SELECT version, uid_validity FROM folder") }
        let found: (Int, UInt32)? = row.map { ($0[0], $0[1]) }
        if let found, found == (version, uidValidity) { return true }
        try queue.close()
        return false
    }

    /// Removes the file and SQLite's beside it.
    static func remove(_ path: String) {
        for suffix in ["", "-wal", "-shm", "-journal"] { unlink(path + suffix) }
    }

    /// Empties it where it is, since a server may have it open: that one sees another epoch.
    static func empty(_ path: String) {
        do {
            let queue = try DatabaseFile.open(path, label: "mail index", migrations: [("1", schema)])
            try queue.write { db in
                try db.execute(sql: """
                    UPDATE folder SET epoch = epoch + 1;
                    DELETE FROM message; DELETE FROM summary;
                    INSERT INTO header_text (header_text) VALUES ('delete-all');
                    INSERT INTO body_text (body_text) VALUES ('delete-all');
                    """)
            }
            try queue.close()
        } catch { remove(path) }
    }

    static func epoch(_ db: Database) throws -> Int { try Int.fetchOne(db.cachedStatement(sql: "SELECT epoch FROM folder")) ?? -1 }

    // MARK: Statements

    static let rows = "SELECT uid, base, whole FROM message ORDER BY uid"
    static let details = "SELECT uid, size, date FROM message WHERE uid BETWEEN ? AND ? ORDER BY uid"
    static let checked = """
        SELECT message.uid, base, size, date, whole, header, structure, envelope FROM message LEFT JOIN summary ON summary.uid = message.uid
        WHERE message.uid > ? ORDER BY message.uid LIMIT 200
        """
    static let summaries = "SELECT uid, header, structure, envelope FROM summary WHERE uid BETWEEN ? AND ? ORDER BY uid"
    private static let insertMessage = "INSERT OR REPLACE INTO message (uid, base, size, date, whole) VALUES (?, ?, ?, ?, ?)"
    private static let insertSummary = "INSERT OR REPLACE INTO summary (uid, header, structure, envelope) VALUES (?, ?, ?, ?)"

    static func insert(_ db: Database, _ entry: IndexEntry) throws {
        try db.cachedStatement(sql: insertMessage).execute(arguments: [
            Int64(entry.uid), entry.base, entry.size, entry.internalDate, entry.summary.isWhole ? 1 : 0,
        ])
        try db.cachedStatement(sql: insertSummary).execute(arguments: [Int64(entry.uid), Data(entry.summary.header), Data(entry.summary.structure), Data(entry.summary.envelope)])
        guard entry.summary.isWhole else { return }
        for (table, text) in [("header_text", entry.summary.headerText), ("body_text", entry.summary.bodyText)] where !text.isEmpty {
            try db.cachedStatement(sql: "INSERT INTO \(table) (rowid, text) VALUES (?, ?)").execute(arguments: [Int64(entry.uid), TrigramText.indexed(text)])
        }
    }

    /// Messages in whose text each trigram of the pattern occurs, ascending; nil for a pattern that is too short to have any.
    static func candidates(_ db: Database, _ place: IndexedPlace, _ pattern: [UInt8]) throws -> [UInt32]? {
        guard let query = TrigramText.query(pattern) else { return nil }
        let table = place == .header ? "header_text" : "body_text"
        return try UInt32.fetchAll(db.cachedStatement(sql: "SELECT rowid FROM \(table) WHERE \(table) MATCH ? ORDER BY rowid"), arguments: [query])
    }
}

/// A message's row.
struct IndexEntry: Sendable {
    let uid: UInt32
    let base: String
    let size: Int
    let internalDate: Int64
    let summary: MessageSummary
}

/// Text as SQLite's trigram tokenizer gets it.
enum TrigramText {
    /// So many trigrams of a pattern are asked for at most; what is found is read anyway.
    private static let limit = 32

    /// The tokenizer ends at a NUL, so a blank stands in its place, here and in the pattern.
    static func indexed(_ utf8: [UInt8]) -> String { String(decoding: utf8.contains(0) ? utf8.map { $0 == 0 ? 32 : $0 } : utf8, as: UTF8.self) }

    /// `"abc" AND "bcd" AND …`; nil for fewer than three characters.
    static func query(_ pattern: [UInt8]) -> String? {
        let scalars = Array(indexed(pattern).unicodeScalars)
        guard scalars.count >= 3 else { return nil }
        var trigrams: [String] = [], seen: Set<String> = []
        // Spread over the whole pattern when it is long.
        let step = max(1, (scalars.count - 2) / limit)
        for start in stride(from: 0, through: scalars.count - 3, by: step) where trigrams.count < limit {
            var trigram = ""
            trigram.unicodeScalars.append(contentsOf: scalars[start..<(start + 3)])
            if seen.insert(trigram).inserted { trigrams.append("\"" + trigram.replacingOccurrences(of: "\"", with: "\"\"") + "\"") }
        }
        return trigrams.joined(separator: " AND ")
    }
}
