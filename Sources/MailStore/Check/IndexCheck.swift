import Foundation
import GRDB
import StateFiles

/// Compares a folder's index with its messages, each of which it reads.
struct IndexCheck {
    let mailbox: Mailbox
    let summarizer: any MessageSummarizer
    let repairs: Bool

    /// - Returns: what is wrong; with ``repairs`` the index is empty afterwards, and filled again when the folder is used.
    func run(progress: (Int) -> Void) throws(StoreError) -> [String] {
        guard let header = try UIDList.header(of: mailbox.paths.uidList),
            let path = mailbox.account.indexPath(guid: header.guid, uidValidity: header.uidValidity), try FileStamp.of(path) != .missing else { return [] }
        guard let list = (try Files.contents(mailbox.paths.uidList)).flatMap({ try? UIDList(parsing: $0) }) else { return [] }
        let bases = Dictionary(list.entries.map { ($0.uid, $0.base) }, uniquingKeysWith: { $1 })
        do {
            let queue = try DatabaseFile.openReading(path)
            defer { try? queue.close() }
            // A process that was making it ended before it had a table: it is made when the folder is next used.
            guard try queue.read({ try $0.tableExists("folder") }) else { return [] }
            let version: Int? = try queue.read { try Int.fetchOne($0, sql: "SELECT version FROM folder") }
            // Made anew when the folder is next used, without any harm.
            guard version == IndexDatabase.version * 1000 + summarizer.version else { return [] }
            let health = try queue.read { try String.fetchOne($0, sql: "PRAGMA quick_check(1)") } ?? ""
            var wrong: String? = health == "ok" ? nil : "the index is damaged: \(health)"
            if wrong == nil { wrong = try compare(queue, bases, progress) }
            guard let wrong else { return [] }
            if repairs { IndexDatabase.empty(path) }
            return [wrong]
        } catch {
            if repairs { IndexDatabase.remove(path) }
            return ["the index cannot be read: \(error)"]
        }
    }

    private func compare(_ queue: DatabaseQueue, _ bases: [UInt32: String], _ progress: (Int) -> Void) throws -> String? {
        let files = try FolderListing(mailbox.paths)
        var last: UInt32 = 0, done = 0
        while true {
            let rows = try queue.read { try Row.fetchAll($0, sql: IndexDatabase.checked, arguments: [Int64(last)]) }
            for row in rows {
                last = row[0]
                done += 1
                progress(done)
                let base: String = row[1]
                if let other = bases[last], other != base { return "the index takes UID \(last) for \(base), but it is \(other)" }
                guard let file = files[base] else { continue }
                if let wrong = compare(row, base, file) { return wrong }
            }
            if rows.isEmpty { return nil }
        }
    }

    /// - Returns: nil also for a file that another program moved meanwhile.
    private func compare(_ row: Row, _ base: String, _ found: FoundFile) -> String? {
        let folder = found.isNew ? mailbox.paths.new : mailbox.paths.cur
        guard let file = try? MessageFile(path: folder + "/" + found.spelling(of: base)), let size = try? file.countVirtualSize() else { return nil }
        let uid: UInt32 = row[0], header: Data? = row[5], structure: Data? = row[6], envelope: Data? = row[7]
        if row[2] != size { return "the index is wrong about the size of UID \(uid): \(row[2] as Int), which is \(size)" }
        if row[3] != file.internalDate { return "the index is wrong about the date of UID \(uid)" }
        guard let header, let structure, let envelope, let summary = try? summarizer.summary(of: file) else { return nil }
        let isRight = Array(header) == summary.header && Array(structure) == summary.structure && Array(envelope) == summary.envelope && (row[4] == 1) == summary.isWhole
        return isRight ? nil : "the index is wrong about the content of UID \(uid)"
    }
}
