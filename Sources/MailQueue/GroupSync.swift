import BlockingPool
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// fsync of one folder, shared by all who ask while one is under way.
final class GroupSync: Sendable {
    private let rounds: GroupCommit<QueueError>

    init(path: String) {
        rounds = GroupCommit { () throws(QueueError) in
            let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard descriptor >= 0 else { throw .errno("open", path) }
            defer { close(descriptor) }
            guard fsync(descriptor) == 0 else { throw .errno("fsync", path) }
        }
    }

    /// How often the folder was really synced.
    var syncCount: Int { rounds.roundCount }

    /// Returns when a sync that began after this call has ended. Blocks.
    /// - Throws: ``QueueError`` when that sync failed.
    func sync() throws(QueueError) { try rounds.run() }
}
