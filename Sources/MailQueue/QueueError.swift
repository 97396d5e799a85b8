#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Why the queue could not do what was asked.
public enum QueueError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The disk is full or below the reserve: answer `452 4.3.1` and free space.
    case insufficientStorage(freeBytes: Int)
    /// The limit on messages in the queue is reached: answer `451 4.3.2`.
    case queueFull(limit: Int)
    case invalidID(String)
    case duplicateID(String)
    /// No recipients, or an address that could not be read back.
    case invalidEnvelope(String)
    case unknownMessage(String)
    /// The queue file is not what was written.
    case corrupt(id: String, reason: String)
    case system(call: String, path: String, code: Int32)

    public var description: String {
        switch self {
        case .insufficientStorage(let free): "the queue's disk is nearly full (\(free) bytes free): free space or lower the reserve"
        case .queueFull(let limit): "the queue holds its limit of \(limit) messages"
        case .invalidID(let id): "not a queue id: \(id.debugDescription)"
        case .duplicateID(let id): "\(id) is in the queue already"
        case .invalidEnvelope(let why): "the envelope cannot be queued: \(why)"
        case .unknownMessage(let id): "\(id) is not in the queue"
        case .corrupt(let id, let reason): "queue file \(id) is damaged: \(reason)"
        case .system(let call, let path, let code): "queue: \(call) \(path): \(String(cString: strerror(code)))"
        }
    }

    /// The current errno as an error; a full disk or quota is told apart.
    static func errno(_ call: String, _ path: String) -> QueueError {
        let code = currentErrno
        return code == ENOSPC || code == EDQUOT ? .insufficientStorage(freeBytes: 0) : .system(call: call, path: path, code: code)
    }

    private static var currentErrno: Int32 {
        #if canImport(Glibc)
        Glibc.errno
        #else
        Musl.errno
        #endif
    }
}
