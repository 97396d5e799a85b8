import Foundation
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Whoever writes the queue's files holds this: the server, or a command while there is no server. It ends with the
/// process at the latest.
public final class QueueLock: Sendable {
    private let descriptor: Int32

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// - Returns: nil when somebody else holds it. Makes the folder's lock file when it is missing. Does not wait.
    /// - Throws: ``QueueError`` when there is no such folder or it may not be written.
    public static func take(root: String) throws(QueueError) -> QueueLock? {
        let path = root + "/lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .errno("open", path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            if code == EWOULDBLOCK { return nil }
            throw .system(call: "flock", path: path, code: code)
        }
        return QueueLock(descriptor)
    }

    /// Tries for some seconds. Blocks.
    /// - Returns: nil when somebody else holds it still.
    public static func wait(root: String, seconds: Double) throws(QueueError) -> QueueLock? {
        let end = Date() + seconds
        while true {
            if let lock = try take(root: root) { return lock }
            guard Date() < end else { return nil }
            usleep(50_000)
        }
    }
}
