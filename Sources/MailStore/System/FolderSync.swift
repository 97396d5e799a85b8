import BlockingPool
import Synchronization

/// Group commit for folders: concurrent callers share fsyncs, and each returns only after an fsync of the folder that
/// began after its call. With 50 deliveries into one mailbox that is two or three fsyncs, not 50.
final class FolderSync: Sendable {
    private let rounds = Mutex<[String: (round: GroupCommit<StoreError>, users: Int)]>([:])

    /// Makes what was renamed or linked into the folder durable. Blocks.
    func sync(_ path: String) throws(StoreError) {
        let round = rounds.withLock { table in
            let entry = table[path] ?? (GroupCommit { () throws(StoreError) in try Files.syncFolder(path) }, 0)
            table[path] = (entry.round, entry.users + 1)
            return entry.round
        }
        defer {
            rounds.withLock { table in
                if let entry = table[path] { table[path] = entry.users > 1 ? (entry.round, entry.users - 1) : nil }
            }
        }
        try round.run()
    }
}
