import BlockingPool
import Foundation
import InternetMessage
import Logging
import MailQueue
import MailStore
import SMTPClient

/// Works the queue: tries what is due, at most so many at once for each destination, until ``stop(within:)``.
public actor RelayService {
    public struct Settings: Sendable {
        public var retry = RetryPolicy()
        /// Sessions at once with one next hop (`default_destination_concurrency_limit`).
        public var destinationConcurrency = 20
        /// Deliveries at once in all (`default_process_limit`).
        public var totalConcurrency = 100
        /// Recipients in one transaction (`default_destination_recipient_limit`).
        public var recipientLimit = 50
        /// Messages whose jobs are in memory (`qmgr_message_active_limit`); more wait on disk.
        public var activeLimit = 10_000
        public init() {}
    }

    private struct Active {
        let message: QueuedMessage
        var jobsLeft: Int
    }

    private let settings: Settings
    private let queue: MailQueue
    private let runner: JobRunner
    private let pool: BlockingPool
    private let clock: any RelayClock
    private let log: Logger
    private var due = RetryHeap()
    private var jobs: DestinationQueues
    /// Messages being loaded or delivered: no second attempt begins for them.
    private var active: [String: Active?] = [:]
    /// What ``flush()`` wants tried before its time.
    private var forced: Set<String> = []
    private var timer: (time: Date, task: Task<Void, Never>)?
    private var state = State.idle
    private var idleWaiters: [CheckedContinuation<Void, Never>] = []
    private var running: [Int: Task<Void, Never>] = [:]
    private var nextTask = 0

    private enum State { case idle, running, stopping, stopped }

    public init(settings: Settings = Settings(), queue: MailQueue, store: MailStore, remote: any RemoteDelivery, notifier: StatusNotifier,
                pool: BlockingPool, clock: any RelayClock = SystemRelayClock(), log: Logger) {
        self.settings = settings
        self.queue = queue
        self.pool = pool
        self.clock = clock
        self.log = log
        runner = JobRunner(queue: queue, local: LocalDelivery(store: store), remote: remote, notifier: notifier, pool: pool, clock: clock,
                           policy: settings.retry, log: log)
        jobs = DestinationQueues(perDestination: settings.destinationConcurrency, total: settings.totalConcurrency)
    }

    /// Takes up what the queue holds and begins to deliver. Returns at once.
    public func start() {
        guard state == .idle else { return }
        state = .running
        for entry in queue.entries() { due.add(entry.id, at: entry.nextAttempt) }
        pump()
    }

    /// A new message is in the queue: it is tried at once, if there is room.
    public nonisolated func enqueued(_ id: String) { Task { await self.take(id) } }

    /// Tries everything now, whatever its time (`postqueue -f`).
    public func flush() {
        guard state == .running else { return }
        due = RetryHeap()
        forced = Set(queue.entries().map(\.id).filter { active[$0] == nil })
        for id in forced { due.add(id, at: clock.now()) }
        pump()
    }

    /// Begins nothing new and waits for the deliveries under way; after that long they are cut off. What was cut off is
    /// tried again at the next start.
    public func stop(within grace: Duration = .seconds(30)) async {
        guard state != .stopped else { return }
        state = .stopping
        timer?.task.cancel()
        timer = nil
        let cutter = Task {
            guard (try? await Task.sleep(for: grace)) != nil else { return }
            self.cutOff()
        }
        await waitUntilIdle()
        cutter.cancel()
        state = .stopped
    }

    /// Returns when no delivery is under way and none is due now.
    public func waitUntilIdle() async {
        guard !running.isEmpty else { return }
        await withCheckedContinuation { idleWaiters.append($0) }
    }

    private func cutOff() {
        log.warning("\(running.count) deliveries are cut off; they will be tried again")
        for task in running.values { task.cancel() }
        running = [:]
        wakeWaiters()
    }

    /// Looks at the time anew, as the timer does.
    func poke() { pump() }

    func take(_ id: String) {
        guard state == .running, let entry = queue.entry(id) else { return }
        due.add(id, at: entry.nextAttempt)
        pump()
    }

    /// Starts what may start and sets the timer for what is due next.
    private func pump() {
        guard state == .running else { return }
        let now = clock.now()
        while active.count < settings.activeLimit, let id = due.takeDue(now) {
            guard active[id] == nil, let entry = queue.entry(id) else { continue }
            let isForced = forced.remove(id) != nil
            // An older mark of a message that has been tried meanwhile must not bring its next attempt forward.
            if entry.nextAttempt > now, !isForced { due.add(id, at: entry.nextAttempt) } else { load(id, isForced) }
        }
        while let job = jobs.start() { run(job) }
        setTimer()
    }

    private func setTimer() {
        guard let next = due.nextTime, active.count < settings.activeLimit else { return }
        if let timer, timer.time <= next { return }
        timer?.task.cancel()
        timer = (next, Task { [clock] in
            guard (try? await clock.sleep(until: next)) != nil else { return }
            self.timerFired(next)
        })
    }

    private func timerFired(_ time: Date) {
        if timer?.time == time { timer = nil }
        pump()
    }

    private func load(_ id: String, _ isForced: Bool) {
        active[id] = .some(nil)
        let (pool, queue) = (pool, queue)
        spawn { relay in
            do {
                let message = try await pool.run { try queue.load(id) }
                await relay.loaded(message, isForced)
            } catch {
                await relay.loadFailed(id, error)
            }
        }
    }

    private func loaded(_ message: QueuedMessage, _ isForced: Bool) {
        let envelope = message.envelope
        let now = clock.now()
        let ready = envelope.pending.filter { index in
            if case .pending(let pending) = envelope.recipients[index].status { isForced || pending.nextAttempt <= now } else { false }
        }
        let made = split(envelope, ready)
        active[envelope.id] = Active(message: message, jobsLeft: made.count)
        if made.isEmpty { release(envelope.id) }
        for job in made { jobs.add(job) }
    }

    /// One job for each destination, and more where a destination has more recipients than a transaction takes.
    private func split(_ envelope: QueueEnvelope, _ indexes: [Int]) -> [DeliveryJob] {
        let groups = Dictionary(grouping: indexes) { index -> Destination in
            switch envelope.recipients[index].destination {
            case .local: .local
            case .remote: .remote(runner.remote.nextHop(for: envelope.recipients[index].address))
            }
        }
        return groups.flatMap { destination, indexes in
            stride(from: 0, to: indexes.count, by: max(1, settings.recipientLimit)).map { start in
                DeliveryJob(id: envelope.id, destination: destination, recipients: Array(indexes[start..<min(start + max(1, settings.recipientLimit), indexes.count)]))
            }
        }
    }

    private func loadFailed(_ id: String, _ error: any Error) {
        active[id] = nil
        if case QueueError.corrupt = error {
            log.error("\(id): \(error); it stays in its place until the next start sets it aside")
        } else if queue.entry(id) != nil {
            log.error("\(id): cannot be read now: \(error)")
            due.add(id, at: clock.now() + settings.retry.minimalBackoff)
        }
    }

    private func run(_ job: DeliveryJob) {
        guard let message = (active[job.id] ?? nil)?.message else { return jobs.finished(job) }
        let runner = runner
        spawn { relay in
            await runner.run(job, message)
            await relay.finished(job)
        }
    }

    private func finished(_ job: DeliveryJob) {
        jobs.finished(job)
        guard var entry = active[job.id] ?? nil else { return }
        entry.jobsLeft -= 1
        active[job.id] = entry
        if entry.jobsLeft == 0 { release(job.id) }
    }

    /// The message may be tried again, but not at once, whatever its record says: a mistake must not become a flood.
    private func release(_ id: String) {
        active[id] = nil
        if let entry = queue.entry(id) { due.add(id, at: max(entry.nextAttempt, clock.now() + settings.retry.minimalBackoff / 2)) }
    }

    private func spawn(_ work: @escaping @Sendable (RelayService) async -> Void) {
        let number = nextTask
        nextTask += 1
        running[number] = Task {
            await work(self)
            self.pump()
            self.running[number] = nil
            if self.running.isEmpty { self.wakeWaiters() }
        }
    }

    private func wakeWaiters() {
        for waiter in idleWaiters { waiter.resume() }
        idleWaiters = []
    }
}
