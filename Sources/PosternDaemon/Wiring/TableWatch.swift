import BlockingPool
import Logging
import Policy
import Synchronization

/// Takes up tables of the rules whose files changed, without a reload: an entry that a script adds counts within seconds.
final class TableWatch: Sendable {
    /// Between two looks, each a few `stat` calls.
    static let interval = Duration.seconds(3)

    private let live: Live
    private let logger: Logger
    private let pool = BlockingPool(threads: 1, name: "tables")
    private let task = Mutex<Task<Void, Never>?>(nil)

    init(live: Live, logger: Logger) {
        self.live = live
        self.logger = logger
    }

    func start() {
        let watch = Task(executorPreference: pool) { [self] in
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                look()
            }
        }
        task.withLock { $0 = watch }
    }

    func stop() { task.withLock { $0?.cancel() } }

    /// Blocks for the files; runs on the pool.
    func look() {
        for table in live.current.rules.tables {
            switch table.refresh() {
            case .none: break
            case .read: logger.notice("a table was read again", metadata: ["table": "\(table.path)"])
            case .refused(let mistakes):
                logger.error("a table is not taken: the entries of before stay", metadata: [
                    "table": "\(table.path)", "error": "\(mistakes.first?.description ?? "")", "mistakes": "\(mistakes.count)",
                ])
            }
        }
    }
}
