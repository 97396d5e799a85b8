import BlockingPool
import Foundation
import Logging
import MailQueue

/// Carries out an operator's requests on the queue: in the server, beside the relay, or in a command while there is no
/// server. A request that takes long says how far it is.
public struct QueueDesk: Sendable {
    public typealias Emit = @Sendable (QueueAnswer) async throws -> Void

    let queue: MailQueue
    /// nil while there is no server.
    let relay: RelayService?
    let pool: BlockingPool
    let clock: any RelayClock
    let log: Logger
    /// Files read between two looks at the clock.
    private static let batch = 200

    public init(queue: MailQueue, relay: RelayService?, pool: BlockingPool, clock: any RelayClock = SystemRelayClock(), log: Logger) {
        self.queue = queue
        self.relay = relay
        self.pool = pool
        self.clock = clock
        self.log = log
    }

    /// - Throws: what keeps all of it from being done, and what `emit` throws; a single message's failure is in the totals.
    public func run(_ request: QueueRequest, _ emit: Emit) async throws {
        switch request.action {
        case .stats: try await statistics(request.bySender, emit)
        case .list, .show, .count: try await look(request, emit)
        case .retry, .hold, .release, .remove, .flush: try await change(request, emit)
        }
    }

    private func statistics(_ bySender: Bool, _ emit: Emit) async throws {
        let now = clock.now()
        var statistics = try await pool.run { queue.statistics(at: now, bySender: bySender) }
        if !bySender { await relay?.annotate(&statistics) }
        var answer = QueueAnswer()
        answer.statistics = statistics
        try await emit(answer)
    }

    // MARK: Looking

    private func look(_ request: QueueRequest, _ emit: Emit) async throws {
        var totals = QueueAnswer.Totals(), shown = 0
        totals.queued = queue.count
        let limit = request.action == .count ? 0 : request.limit
        let isExact = queue.isExact(request.selection)
        passOver(request.selection, &totals)
        try await forEachBatch(request.selection, emit) { entries in
            var rows: [MailQueue.Entry] = []
            let fitting = isExact ? Array(entries) : try await fitting(entries, request.selection, &totals)
            for entry in fitting {
                totals.matched += 1
                totals.byteCount += entry.byteCount
                if entry.isHeld { totals.held += 1 }
                if shown < limit {
                    shown += 1
                    rows.append(entry)
                }
            }
            if request.action == .show { for entry in rows { try await show(entry.id, request, emit, &totals) } } else { try await list(rows, emit, &totals) }
        }
        try await end(totals, emit)
    }

    private func list(_ entries: [MailQueue.Entry], _ emit: Emit, _ totals: inout QueueAnswer.Totals) async throws {
        guard !entries.isEmpty else { return }
        let activities = await relay?.activities(of: entries.map(\.id)) ?? [:]
        var answer = QueueAnswer()
        answer.rows = try await reading(entries, &totals) { entry throws(QueueError) in
            var row = QueueRow(try queue.load(entry.id))
            row.activity = activities[entry.id]
            return row
        }
        try await emit(answer)
    }

    private func show(_ id: String, _ request: QueueRequest, _ emit: Emit, _ totals: inout QueueAnswer.Totals) async throws {
        let activity = await relay?.activities(of: [id])[id]
        do {
            let (message, history) = try await pool.run { (try queue.load(id), try queue.history(id)) }
            var answer = QueueAnswer(), row = QueueRow(message)
            row.activity = activity
            answer.detail = QueueDetail(message, history: history, row: row)
            try await emit(answer)
            if request.content != .none { try await content(of: message, request.content, emit) }
        } catch let error as QueueError {
            note(error, id, &totals)
        }
    }

    private func content(of message: QueuedMessage, _ wanted: QueueRequest.Content, _ emit: Emit) async throws {
        let reader = try await pool.run { try message.reader() }
        let count = wanted == .all ? message.byteCount : message.headerByteCount
        var offset = 0
        while offset < count {
            let (at, size) = (offset, min(262_144, count - offset))
            let piece = try await pool.run { try reader.read(at: at, maximum: size) }
            guard !piece.isEmpty else { return }
            var answer = QueueAnswer()
            answer.content = Data(piece)
            try await emit(answer)
            offset += piece.count
        }
    }

    // MARK: Changing

    private func change(_ request: QueueRequest, _ emit: Emit) async throws {
        var totals = QueueAnswer.Totals()
        totals.queued = queue.count
        var wanted = request.selection
        switch request.action {
        case .hold, .retry, .flush: wanted.held = false
        case .release: wanted.held = true
        default: break
        }
        let now = clock.now()
        let selection = wanted
        passOver(selection, &totals)
        var touched: [String] = []
        try await forEachBatch(selection, emit) { entries in
            for entry in try await fitting(entries, selection, &totals) {
                totals.matched += 1
                totals.byteCount += entry.byteCount
                do {
                    try await pool.run { try apply(request, entry.id, now) }
                    totals.changed += 1
                    touched.append(entry.id)
                    logChange(request, entry.id)
                } catch let error as QueueError {
                    note(error, entry.id, &totals)
                }
            }
        }
        await tell(request.action, touched)
        if !touched.isEmpty { log.notice("queue: \(request.action.rawValue)", metadata: ["messages": "\(touched.count)", "first": "\(touched.first ?? "")"]) }
        totals.held = request.action == .hold ? totals.changed : 0
        try await end(totals, emit)
    }

    private func apply(_ request: QueueRequest, _ id: String, _ now: Date) throws {
        switch request.action {
        case .hold: try queue.hold(id, QueueHold(reason: request.reason.isEmpty ? "no reason given" : request.reason, by: "operator", since: now))
        case .release:
            try queue.release(id)
            // Who let it go wants it gone.
            if relay == nil { try queue.expedite(id, to: now) }
        case .remove: try queue.remove(id)
        // With a server it knows; without one, the next start finds it due.
        case .retry, .flush: if relay == nil { try queue.expedite(id, to: now) }
        case .list, .show, .count, .stats: break
        }
    }

    /// What somebody finds who looks for a message by its id.
    private func logChange(_ request: QueueRequest, _ id: String) {
        switch request.action {
        case .hold: log.info("\(id): held by operator: \(request.reason)")
        case .release: log.info("\(id): released by operator")
        case .remove: log.info("\(id): removed by operator")
        case .list, .show, .count, .retry, .flush, .stats: break
        }
    }

    private func tell(_ action: QueueRequest.Action, _ ids: [String]) async {
        switch action {
        case .retry, .flush, .release: await relay?.retry(ids)
        default: break
        }
    }

    // MARK: Steps

    /// Walks the candidates, and says how far it is once a second.
    private func forEachBatch(_ selection: QueueSelection, _ emit: Emit, _ body: (ArraySlice<MailQueue.Entry>) async throws -> Void) async throws {
        let candidates = try await pool.run { queue.candidates(selection) }
        var told = ContinuousClock.now
        for start in stride(from: 0, to: candidates.count, by: Self.batch) {
            try Task.checkCancellation()
            let end = min(start + Self.batch, candidates.count)
            try await body(candidates[start..<end])
            guard ContinuousClock.now - told > .seconds(1) else { continue }
            told = .now
            var answer = QueueAnswer()
            answer.progress = .init(done: end, total: candidates.count)
            try await emit(answer)
        }
    }

    private func fitting(_ entries: ArraySlice<MailQueue.Entry>, _ selection: QueueSelection, _ totals: inout QueueAnswer.Totals) async throws -> [MailQueue.Entry] {
        try await reading(Array(entries), &totals) { entry throws(QueueError) in try queue.matches(entry.id, selection) ? entry : nil }
    }

    /// What `read` makes of each message's file, on the pool; a single one's failure goes into the totals.
    private func reading<Found: Sendable>(
        _ entries: [MailQueue.Entry], _ totals: inout QueueAnswer.Totals, _ read: @escaping @Sendable (MailQueue.Entry) throws(QueueError) -> Found?
    ) async throws -> [Found] {
        let (found, failures) = try await pool.run {
            var found: [Found] = [], failures: [(String, QueueError)] = []
            for entry in entries {
                do throws(QueueError) { if let one = try read(entry) { found.append(one) } } catch { failures.append((entry.id, error)) }
            }
            return (found, failures)
        }
        for (id, error) in failures { note(error, id, &totals) }
        return found
    }

    private func note(_ error: QueueError, _ id: String, _ totals: inout QueueAnswer.Totals) {
        // It left meanwhile: delivered, or removed by somebody else.
        if case .unknownMessage = error { return }
        if totals.failures.count < 100 { totals.failures.append("\(id): \(error)") }
    }

    /// Says which of the ids that were named cannot be meant: it would be taken for done otherwise.
    private func passOver(_ selection: QueueSelection, _ totals: inout QueueAnswer.Totals) {
        for id in (selection.ids ?? []).sorted() where totals.passedOver.count < 100 {
            guard let entry = queue.entry(id) else { totals.passedOver.append("\(id): not in the queue"); continue }
            guard let held = selection.held, held != entry.isHeld else { continue }
            totals.passedOver.append("\(id): \(entry.isHeld ? "is held" : "is not held")")
        }
    }

    private func end(_ totals: QueueAnswer.Totals, _ emit: Emit) async throws {
        var answer = QueueAnswer()
        answer.totals = totals
        try await emit(answer)
    }
}
