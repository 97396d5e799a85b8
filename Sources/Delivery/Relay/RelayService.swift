import BlockingPool
import Foundation
import InternetMessage
import Logging
import MailQueue
import MailStore
import SMTPClient

/// Works the queue: tries what is due, in fair turns (``Scheduler``), until ``stop(within:)``. In memory is an id for each
/// message that waits; envelopes are read when their turn has come.
public actor RelayService {
    public struct Settings: Sendable {
        public var retry = RetryPolicy()
        /// Deliveries at once with one destination at the beginning (`initial_destination_concurrency`).
        public var initialConcurrency = 5
        /// And at the most (`default_destination_concurrency_limit`).
        public var destinationConcurrency = 20
        /// Failures in a row, in whole windows, that make a destination count as dead; 0: it never does
        /// (`default_destination_concurrency_failed_cohort_limit`).
        public var failedCohortLimit = 1
        /// Deliveries at once in all (`default_process_limit`).
        public var totalConcurrency = 100
        /// Recipients in one transaction (`default_destination_recipient_limit`).
        public var recipientLimit = 50
        /// Other limits of single destinations (`destination_limits`).
        public var destinationLimits = DestinationLimits()
        public init() {}
    }

    let settings: Settings
    let queue: MailQueue
    let runner: JobRunner
    let pool: BlockingPool
    let clock: any RelayClock
    let log: Logger
    private var due = RetryHeap()
    var scheduler: Scheduler
    /// Messages that wait for their turn or are being delivered, with their errands left: no second attempt begins for them.
    private(set) var inHand: [String: Int] = [:]
    /// Of messages with several errands, so that the file is read once.
    private var opened: [String: QueuedMessage] = [:]
    private static let openedLimit = 200
    /// What ``flush()`` wants tried before its time.
    private var forced: Set<String> = []
    private var timer: (time: Date, task: Task<Void, Never>)?
    private var lastNow = Date.distantPast
    private var state = State.idle
    private var idleWaiters: [CheckedContinuation<Void, Never>] = []
    private var running: [Int: Task<Void, Never>] = [:]
    private var nextTask = 0
    private(set) var delivering: [String: Int] = [:]

    private enum State { case idle, running, stopping, stopped }

    /// - Parameter outcome: told what each attempt came to, recipient by recipient, for the message's record.
    public init(settings: Settings = Settings(), queue: MailQueue, store: MailStore, remote: any RemoteDelivery, notifier: StatusNotifier,
                pool: BlockingPool, clock: any RelayClock = SystemRelayClock(), log: Logger, outcome: @escaping @Sendable (DeliveryOutcome) -> Void = { _ in }) {
        self.settings = settings
        self.queue = queue
        self.pool = pool
        self.clock = clock
        self.log = log
        runner = JobRunner(queue: queue, local: LocalDelivery(store: store), remote: remote, notifier: notifier, pool: pool, clock: clock,
                           policy: settings.retry, log: log, outcome: outcome)
        scheduler = Scheduler(limits: .init(initial: settings.initialConcurrency, most: settings.destinationConcurrency, failedCohorts: settings.failedCohortLimit),
                              special: settings.destinationLimits,
                              total: settings.totalConcurrency)
    }

    /// Takes up what the queue holds and begins to deliver. Returns at once.
    public func start() {
        guard state == .idle else { return }
        state = .running
        for entry in queue.entries() where !entry.isHeld { due.add(entry.id, at: entry.nextAttempt) }
        pump()
    }

    /// A message is new in the queue, or was released: it is tried when it is due, if there is room.
    public nonisolated func enqueued(_ id: String) { Task { await self.take(id) } }

    /// Tries these now, whatever their time, and their destinations though they count as dead.
    public func retry(_ ids: some Sequence<String> & Sendable) {
        guard state == .running else { return }
        scheduler.reviveAll()
        for id in ids where inHand[id] == nil && queue.entry(id)?.isHeld == false {
            forced.insert(id)
            due.add(id, at: .distantPast)
        }
        pump()
    }

    /// Tries everything that is not held now, whatever its time (`postqueue -f`).
    public func flush() {
        due = RetryHeap()
        retry(queue.entries().map(\.id))
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
        guard state == .running, let entry = queue.entry(id), !entry.isHeld else { return }
        due.add(id, at: entry.nextAttempt)
        pump()
    }

    /// Starts what may start and sets the timer for what is due next.
    private func pump() {
        guard state == .running else { return }
        let now = clock.now()
        if now < lastNow - Self.clockTolerance { restack(now, 0...settings.retry.longest, "back") }
        lastNow = now
        // A great many at once would keep the deliveries that have ended waiting.
        var budget = 5000
        while budget > 0, let id = due.takeDue(now) {
            budget -= 1
            consider(id, now)
        }
        while let start = scheduler.start(now) { run(start) }
        setTimer()
    }

    private func consider(_ id: String, _ now: Date) {
        guard inHand[id] == nil, let entry = queue.entry(id), !entry.isHeld else { return }
        if forced.remove(id) != nil { return enlist(id, nil) }
        // An older mark of a message that has been tried meanwhile must not bring its next attempt forward; but what is due
        // later than anything can be was written by a clock that has been set back since.
        if entry.nextAttempt > now, entry.nextAttempt <= now + settings.retry.longest { due.add(id, at: entry.nextAttempt) } else { enlist(id, entry.nextAttempt > now ? nil : now) }
    }

    /// - Parameter time: of the recipients due until then; nil for all that wait.
    private func enlist(_ id: String, _ time: Date?) {
        guard let flow = queue.flow(of: id, due: time), !flow.domains.isEmpty else { return }
        inHand[id] = flow.domains.count
        for domain in flow.domains {
            scheduler.add(Errand(id: id, sender: flow.sender, destination: destination(of: domain), domain: domain, isForced: time == nil))
        }
    }

    func destination(of domain: String) -> Destination {
        guard domain != MailQueue.localDomain, let address = EmailAddress("postmaster@" + domain) else { return .local }
        return .remote(runner.remote.nextHop(for: address))
    }

    // MARK: The clock

    /// Seconds by which a clock may be off without anybody's notice.
    private static let clockTolerance: TimeInterval = 600

    /// Puts the times anew after the clock was set: what waits is spread over some time, so that nothing waits for days and
    /// not all of it comes at once.
    func restack(_ now: Date, _ spread: ClosedRange<TimeInterval>, _ direction: String) {
        log.warning("the clock was set \(direction): waiting messages are spread anew")
        due = RetryHeap()
        for entry in queue.entries() where !entry.isHeld && inHand[entry.id] == nil {
            let latest = now + spread.lowerBound + (spread.upperBound - spread.lowerBound) * settings.retry.random()
            due.add(entry.id, at: forced.contains(entry.id) ? now : direction == "back" ? min(entry.nextAttempt, latest) : max(entry.nextAttempt, latest))
        }
    }

    private func setTimer() {
        guard let next = [due.nextTime, scheduler.nextOpening].compactMap({ $0 }).min(), state == .running else { return }
        if let timer, timer.time <= next { return }
        timer?.task.cancel()
        timer = (next, Task { [clock] in
            guard (try? await clock.sleep(until: next)) != nil else { return }
            self.timerFired(next)
        })
    }

    private func timerFired(_ time: Date) {
        if timer?.time == time { timer = nil }
        let now = clock.now()
        // It slept for as long as it takes until then: a clock far beyond was set.
        if now > time + Self.clockTolerance, time >= lastNow { restack(now, 0...settings.retry.minimalBackoff, "forward") }
        pump()
    }

    // MARK: Deliveries

    private func run(_ start: Scheduler.Start) {
        let errand = start.errand
        delivering[errand.id, default: 0] += 1
        spawn { relay in
            let (outcome, lastBegan) = await relay.carry(start)
            await relay.finished(errand, outcome, lastBegan)
        }
    }

    /// - Returns: also when the last transaction began.
    private func carry(_ start: Scheduler.Start) async -> (outcome: Scheduler.Outcome, lastBegan: Date?) {
        let errand = start.errand
        guard queue.entry(errand.id)?.isHeld == false, let message = await open(errand.id) else { return (.neutral, nil) }
        let now = clock.now()
        let ready = message.envelope.pending.filter { index in
            guard case .pending(let pending) = message.envelope.recipients[index].status else { return false }
            return MailQueue.domain(of: message.envelope.recipients[index]) == errand.domain && (errand.isForced || pending.nextAttempt <= now)
        }
        var outcome = Scheduler.Outcome.neutral, lastBegan: Date?
        let delay = start.suspension == nil ? settings.destinationLimits.limits(of: errand.destination)?.rateDelay ?? 0 : 0
        for (number, job) in split(message.envelope, ready).enumerated() {
            if number > 0, delay > 0 { try? await clock.sleep(until: clock.now() + delay) }
            if Task.isCancelled { break }
            lastBegan = clock.now()
            if let suspension = start.suspension { await runner.suspend(job, message, suspension) } else { outcome = await runner.run(job, message) }
        }
        return (outcome, lastBegan)
    }

    private func open(_ id: String) async -> QueuedMessage? {
        if let message = opened[id] { return message }
        do {
            let message = try await pool.run { [queue] in try queue.load(id) }
            if inHand[id, default: 0] > 1, opened.count < Self.openedLimit { opened[id] = message }
            return message
        } catch {
            if case QueueError.corrupt = error {
                log.error("\(id): \(error); it stays in its place until the next start sets it aside")
            } else if queue.entry(id) != nil {
                log.error("\(id): cannot be read now: \(error)")
            }
            return nil
        }
    }

    /// One job for each next hop, and more where one has more recipients than a transaction takes.
    private func split(_ envelope: QueueEnvelope, _ indexes: [Int]) -> [DeliveryJob] {
        let groups = Dictionary(grouping: indexes) { index -> Destination in
            switch envelope.recipients[index].destination {
            case .local: .local
            case .remote: .remote(runner.remote.nextHop(for: envelope.recipients[index].address))
            }
        }
        return groups.flatMap { destination, indexes in
            let size = max(1, settings.destinationLimits.limits(of: destination)?.recipients ?? settings.recipientLimit)
            return stride(from: 0, to: indexes.count, by: size).map { start in
                DeliveryJob(id: envelope.id, destination: destination, recipients: Array(indexes[start..<min(start + size, indexes.count)]))
            }
        }
    }

    private func finished(_ errand: Errand, _ outcome: Scheduler.Outcome, _ lastBegan: Date?) {
        scheduler.finished(errand, outcome, clock.now(), rest: settings.retry.minimalBackoff, lastBegan: lastBegan)
        Self.countDown(&delivering, errand.id)
        Self.countDown(&inHand, errand.id)
        guard inHand[errand.id] == nil else { return }
        opened[errand.id] = nil
        // The message may be tried again, but not at once, whatever its record says: a mistake must not become a flood.
        guard let entry = queue.entry(errand.id), !entry.isHeld else { return }
        due.add(errand.id, at: max(entry.nextAttempt, clock.now() + settings.retry.minimalBackoff / 2))
    }

    private static func countDown(_ counts: inout [String: Int], _ id: String) {
        guard let count = counts[id] else { return }
        counts[id] = count > 1 ? count - 1 : nil
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
