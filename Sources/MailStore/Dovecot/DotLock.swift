#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A lock file as Dovecot makes it: `dovecot-uidlist.lock`, created exclusively, holding `pid:host`.
enum DotLock {
    /// Dovecot touches or drops its uidlist lock well within this; an older one belongs to a program that died.
    static let staleAfterSeconds = 120

    /// Runs the work while the lock is held. Blocks, up to the deadline, while another program holds it.
    /// - Throws: ``StoreError/lockTimeout(path:)``, or what the work throws.
    static func holding<Value>(
        _ path: String, deadline: Duration = .seconds(10), _ work: () throws(StoreError) -> Value
    ) throws(StoreError) -> Value {
        try acquire(path, until: .now + deadline)
        defer { unlink(path) }
        return try work()
    }

    private static func acquire(_ path: String, until deadline: ContinuousClock.Instant) throws(StoreError) {
        var pause: UInt32 = 500
        while true {
            do throws(StoreError) {
                // With its content from the first moment on: an empty lock, left by a crash between making and writing it,
                // could be anybody's, and would be waited for until it is old.
                return try Files.createWhole(path, with: Array(holder.utf8))
            } catch .system(_, _, EEXIST) {
                if removeIfStale(path) { continue }
                guard ContinuousClock.now < deadline else { throw .lockTimeout(path: path) }
                usleep(pause)
                pause = min(pause * 2, 50_000)
            }
        }
    }

    /// Whether there is a lock whose holder is surely gone: too old, or a dead process of this host.
    static func isStale(_ path: String) -> Bool {
        var info = stat()
        return lstat(path, &info) == 0 && (time(nil) - info.st_mtim.tv_sec > staleAfterSeconds || holderIsDead(path))
    }

    /// Removes such a lock.
    /// - Returns: whether the way is free.
    static func removeIfStale(_ path: String) -> Bool {
        var info = stat()
        guard lstat(path, &info) == 0 else { return errno == ENOENT }
        guard isStale(path) else { return false }
        // Only the very file that was judged: another process may have removed it and locked anew.
        var again = stat()
        guard lstat(path, &again) == 0, again.st_ino == info.st_ino else { return true }
        unlink(path)
        return true
    }

    private static func holderIsDead(_ path: String) -> Bool {
        ((try? Files.contents(path)) ?? nil).map { isGone(holder: $0[...]) } ?? false
    }

    /// This process, as lock files name it: `pid:host`.
    static var holder: String { "\(getpid()):\(hostName())" }

    /// Whether such a process surely runs no more.
    static func isGone(holder bytes: ArraySlice<UInt8>) -> Bool {
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let pid = pid_t(parts[0]), pid > 0, parts[1] == hostName() else { return false }
        return kill(pid, 0) != 0 && errno == ESRCH
    }

    private static func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
