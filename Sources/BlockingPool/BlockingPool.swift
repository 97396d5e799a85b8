import Foundation
import Synchronization

/// A bounded set of threads for what may block or burn the processor: file I/O with fsync, libopendkim, password
/// hashing, SQLite. Neither the event loops nor Swift's cooperative threads ever run such work.
///
/// It is a `TaskExecutor`: a task started with `Task(executorPreference: pool)` runs its nonisolated code on these
/// threads, suspends without holding one, and may therefore call blocking functions in a straight line.
public final class BlockingPool: TaskExecutor {
    private let state: JobQueue

    /// - Parameters:
    ///   - threads: how many jobs may block at once; at least 1.
    ///   - name: the threads' name prefix, as `ps -L` shows it.
    public init(threads: Int, name: String = "blocking") {
        state = JobQueue()
        for index in 0..<max(threads, 1) {
            let state = state
            Thread {
                // Set by the thread itself: Foundation on Linux does not pass a name on at the start.
                Thread.current.name = "\(name)-\(index)"
                while let job = state.next() { job() }
            }.start()
        }
    }

    deinit { state.close() }

    public func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        let executor = asUnownedTaskExecutor()
        state.add { unowned.runSynchronously(on: executor) }
    }

    /// Runs a blocking closure on one of the threads and waits for its value without blocking the caller. A task that prefers
    /// this pool is on one already, and goes on there: handing over to a second thread would wake it for nothing.
    public func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        if withUnsafeCurrentTask(body: { $0?.unownedTaskExecutor == asUnownedTaskExecutor() }) { return try work() }
        return try await withCheckedThrowingContinuation { continuation in
            state.add { continuation.resume(with: Result(catching: work)) }
        }
    }

    /// Jobs waiting for a thread now; a measure of overload for those who must answer `4xx` rather than queue more.
    public var backlog: Int { state.count }
}

/// The jobs in their order. `NSCondition` guards the array: `Mutex` has no way to wait.
private final class JobQueue: @unchecked Sendable {
    // Sendable by proof: `jobs`, `head` and `closed` are touched only between `condition.lock()` and `unlock()`.
    private let condition = NSCondition()
    private var jobs: [(@Sendable () -> Void)?] = []
    private var head = 0
    private var closed = false

    var count: Int { condition.withLock { jobs.count - head } }

    func add(_ job: @escaping @Sendable () -> Void) {
        condition.lock()
        jobs.append(job)
        condition.unlock()
        // Afterwards: the thread that wakes wants the lock at once.
        condition.signal()
    }

    /// The next job, waiting for one; nil when the pool is gone and every job is done.
    func next() -> (@Sendable () -> Void)? {
        condition.lock()
        defer { condition.unlock() }
        while head == jobs.count {
            if closed { return nil }
            condition.wait()
        }
        let job = jobs[head]
        jobs[head] = nil
        head += 1
        if head == jobs.count {
            jobs.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 1024, head * 2 >= jobs.count {
            // Under a load that never lets it run empty, what is done with must not pile up.
            jobs.removeFirst(head)
            head = 0
        }
        return job
    }

    func close() {
        condition.lock()
        closed = true
        condition.broadcast()
        condition.unlock()
    }
}
