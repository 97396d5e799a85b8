import BlockingPool
import Foundation
import Logging
import Synchronization

/// Takes dropped messages in: each is read, handed on, and removed only when somebody else has it on disk.
public final class PickupService: Sendable {
    public enum Outcome: Sendable, Hashable {
        /// Queued, stored, bounced or thrown away by a filter: it can go.
        case done
        /// It stays in the folder; why, for the log.
        case later(String)
    }

    public struct Settings: Sendable {
        public var folder: DropFolder
        /// Octets of a message.
        public var sizeLimit: Int
        public var spoolFolder: String
        /// Between two looks when nothing is heard of changes, as Postfix's `pickup` wakes up.
        public var interval = Duration.seconds(60)
        /// After which a file that never became whole goes.
        public var abandonedAfter: TimeInterval = 2 * 86_400

        public init(folder: DropFolder, sizeLimit: Int, spoolFolder: String) {
            self.folder = folder
            self.sizeLimit = sizeLimit
            self.spoolFolder = spoolFolder
        }
    }

    struct State {
        var isAwake = false
        var sleeper: CheckedContinuation<Void, Never>?
        /// What was put off, until when, and for how long. The clock that nobody sets.
        var waiting: [String: (until: ContinuousClock.Instant, delay: Duration)] = [:]
        /// Durable elsewhere, but its file cannot be removed.
        var stuck: Set<String> = []
        var task: Task<Void, Never>?
        var watch: FolderWatch?
    }

    let settings: Settings
    let take: @Sendable (DroppedMessage) async -> Outcome
    let pool: BlockingPool
    let logger: Logger
    let state = Mutex(State())

    /// - Parameter take: makes a message durable elsewhere before it says ``Outcome/done``.
    public init(settings: Settings, pool: BlockingPool, logger: Logger, take: @escaping @Sendable (DroppedMessage) async -> Outcome) {
        self.settings = settings
        self.pool = pool
        self.logger = logger
        self.take = take
    }

    public func start() {
        let watch = FolderWatch(path: settings.folder.path) { [weak self] in self?.wake() }
        if watch == nil { logger.warning("maildrop is not watched: mail there waits for the next look", metadata: ["folder": "\(settings.folder.path)"]) }
        let task = Task(executorPreference: pool) { [weak self] in
            while !Task.isCancelled {
                guard let self else { return }
                let more = await self.look()
                if !more { await self.sleep() }
            }
        }
        state.withLock { ($0.task, $0.watch) = (task, watch) }
    }

    /// Begins nothing new and waits for what is in hand; what takes longer stays in the folder, to be taken once more.
    public func stop(within grace: Duration) async {
        let task = state.withLock { state in
            state.watch?.cancel()
            state.task?.cancel()
            return state.task
        }
        wake()
        let end = OnceContinuation()
        await withCheckedContinuation { continuation in
            end.set(continuation)
            Task {
                await task?.value
                end.resume()
            }
            Task {
                try? await Task.sleep(for: grace)
                end.resume()
            }
        }
    }

    func wake() {
        let sleeper = state.withLock { state in
            state.isAwake = true
            defer { state.sleeper = nil }
            return state.sleeper
        }
        sleeper?.resume()
    }

    private func sleep() async {
        let alarm = Task { [weak self, interval = settings.interval] in
            try? await Task.sleep(for: interval)
            self?.wake()
        }
        await withCheckedContinuation { continuation in
            let isAwake = state.withLock { state in
                if !state.isAwake { state.sleeper = continuation }
                return state.isAwake
            }
            if isAwake { continuation.resume() }
        }
        alarm.cancel()
        state.withLock { $0.isAwake = false }
    }
}

/// Resumed by whoever is first.
private final class OnceContinuation: Sendable {
    private let continuation = Mutex<CheckedContinuation<Void, Never>?>(nil)
    func set(_ continuation: CheckedContinuation<Void, Never>) { self.continuation.withLock { $0 = continuation } }
    func resume() { continuation.withLock { $0.take() }?.resume() }
}
