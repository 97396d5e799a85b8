#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What tells that a file or folder changed: inode, size and modification time.
struct FileStamp: Equatable, Sendable {
    var inode: UInt64 = 0
    var size: Int64 = -1
    var seconds: Int = 0
    var nanoseconds: Int = 0

    /// The file does not exist.
    static let missing = FileStamp()

    static func of(_ path: String) throws(StoreError) -> FileStamp {
        var info = stat()
        guard lstat(path, &info) == 0 else {
            if errno == ENOENT { return missing }
            throw Files.failure("stat", path)
        }
        return FileStamp(inode: UInt64(info.st_ino), size: Int64(info.st_size), seconds: info.st_mtim.tv_sec, nanoseconds: info.st_mtim.tv_nsec)
    }

    /// Unix seconds.
    static var now: Int { time(nil) }

    /// Whether a change after `time` (Unix seconds) would surely show in the stamp. File systems may keep whole seconds
    /// only, so what was touched within the last second before a look must be looked at again (Dovecot does the same).
    func isSettled(at time: Int) -> Bool { seconds + 1 < time }
}
