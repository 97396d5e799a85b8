import BlockingPool
import Control
import Delivery
import Foundation
import Logging
import MailQueue

/// The queue as a command reaches it: through the server while one runs, else the files themselves, locked so that no two
/// write them. Started as root, the process becomes `user` before it touches a file.
public struct QueueAccess: Sendable {
    /// Takes a ``QueueRequest``, answers with ``QueueAnswer``s.
    static let command = "queue"
    /// Tells the server that files were put into the queue's folders; answers with the ids taken in.
    static let changed = "queue.changed"

    public struct Problem: Error, CustomStringConvertible {
        public let description: String
    }

    private let settings: Settings

    public init(_ settings: Settings) { self.settings = settings }

    /// Carries a request out.
    /// - Parameter told: called with each piece of the answer, on a thread that may block.
    /// - Throws: what keeps it from being done, in words for an operator.
    public func run(_ request: QueueRequest, _ told: @escaping @Sendable (QueueAnswer) throws -> Void) async throws {
        let pool = BlockingPool(threads: 2, name: "queue")
        let client = ControlClient(path: ControlWiring.path(settings))
        if try await pool.run({ try client.ask(Self.command, request, as: QueueAnswer.self, each: told) }) { return }
        let data = try LiveParts.enterDataFolder(settings)
        let lock: QueueLock, queue: MailQueue
        (lock, queue) = try await pool.run {
            let lock = try Self.lock(data + "/queue")
            return (lock, try MailQueue(.init(root: data + "/queue", minimumFreeBytes: 0)))
        }
        let desk = QueueDesk(queue: queue, relay: nil, pool: pool, log: Logger(label: "postern") { _ in SwiftLogNoOpLogHandler() })
        try await desk.run(request) { answer in try await pool.run { try told(answer) } }
        withExtendedLifetime(lock) {}
    }

    /// Waits a little: a command or a server that stops is soon done. Blocks.
    /// - Throws: ``Problem`` when another process keeps it.
    static func lock(_ root: String) throws -> QueueLock {
        if mkdir(root, 0o700) != 0, errno != EEXIST { throw Problem(description: "\(root) cannot be made: \(String(cString: strerror(errno)))") }
        guard let lock = try QueueLock.wait(root: root, seconds: 10) else {
            throw Problem(description: "\(root) is in use by another process: a gateway that starts or stops, one without a control socket, or a postern queue command. Try again when it is done")
        }
        return lock
    }
}
