import BlockingPool
import Foundation
import InternetMessage
import MailQueue
import MailStore

/// Takes responsibility for messages: local copies into the store, everything else into the queue, all durable before
/// ``accept(_:)`` returns and the client hears 250.
///
/// Nothing half-happens. Remote recipients are queued first, since that fails as a whole; local copies follow, and those
/// that cannot be stored now are queued too. When even that fails, the remote entry is taken back and the client told to
/// keep the message. One case is left in which a resend makes a second copy: some local copies stored, others neither
/// storable nor queueable, that is, a disk that filled up between the two; losing mail would be the alternative.
public struct MailAcceptor: Sendable {
    public struct Settings: Sendable {
        /// Received fields at the most (`hopcount_limit`).
        public var hopcountLimit = 50
        public init() {}
    }

    let queue: MailQueue
    let local: LocalDelivery
    let pool: BlockingPool
    let clock: any RelayClock
    let settings: Settings
    /// Told of each new queue entry; ``RelayService/enqueued(_:)``.
    let enqueued: @Sendable (String) -> Void
    /// Told of stored copies whose senders want to hear of success.
    let stored: @Sendable (Submission, [Int]) async -> Void

    /// - Parameters:
    ///   - enqueued: called for each new queue entry, when it is durable.
    ///   - stored: called before ``accept(_:)`` returns with the positions of stored recipients that have NOTIFY=SUCCESS.
    public init(queue: MailQueue, store: MailStore, pool: BlockingPool, clock: any RelayClock = SystemRelayClock(), settings: Settings = Settings(),
                enqueued: @escaping @Sendable (String) -> Void, stored: @escaping @Sendable (Submission, [Int]) async -> Void = { _, _ in }) {
        self.queue = queue
        local = LocalDelivery(store: store)
        self.pool = pool
        self.clock = clock
        self.settings = settings
        self.enqueued = enqueued
        self.stored = stored
    }

    /// - Throws: ``AcceptError``; the client must then keep the message.
    public func accept(_ submission: Submission) async throws(AcceptError) -> Accepted {
        guard !submission.recipients.isEmpty else { throw .noRecipients }
        let hops = submission.message.header.count(of: "Received")
        guard hops <= settings.hopcountLimit else { throw .tooManyHops(hops) }
        // Refused here and not returned later: the field, and the sender, may be forged.
        let back = submission.recipients.first { if case .local = $0.destination { LocalDelivery.isBack(submission.message, at: $0.address) } else { false } }
        if let back { throw .circle(back.address) }
        let now = clock.now()
        let outcome: Outcome
        do {
            outcome = try await pool.run { try take(submission, now) }
        } catch {
            throw error as? AcceptError ?? .unavailable("\(error)")
        }
        for id in outcome.entries { enqueued(id) }
        let wanted = outcome.stored.keys.filter { submission.recipients[$0].notify?.contains(.success) == true }.sorted()
        if !wanted.isEmpty || !submission.notices.isEmpty { await stored(submission, wanted) }
        return Accepted(stored: outcome.stored, queued: outcome.queued, held: outcome.held)
    }

    /// Why nothing new is taken now; nil while there is room: `queue_minfree` stays free for what is in the queue already,
    /// whose local copies are stored all the same. Blocks.
    /// - Parameter octets: of the message, as far as that is known.
    public func shortage(_ octets: Int) -> AcceptError? {
        // Asked anew a second after the last time; a disk that fills up meanwhile fails the writing.
        if hadRoom(for: octets) { return nil }
        do throws(QueueError) { return try queue.hasRoom(for: octets) ? nil : .insufficientStorage } catch { return .unavailable("\(error)") }
    }

    /// Whether there was room within the last second; false when that is not known. Does not block.
    public func hadRoom(for octets: Int) -> Bool { queue.hadRoom(for: octets) }

    private struct Outcome: Sendable {
        var stored: [Int: DeliveredFile] = [:]
        var entries: [String] = []
        var queued: [Int: String] = [:]
        var held = 0
    }

    private func take(_ submission: Submission, _ now: Date) throws(AcceptError) -> Outcome {
        if let full = shortage(submission.message.byteCount) { throw full }
        var outcome = Outcome()
        do throws(AcceptError) {
            try take(submission, now, &outcome)
        } catch {
            // The scheduler has not heard of the entries, so they can still be taken back.
            for id in outcome.entries { try? queue.remove(id) }
            throw error
        }
        return outcome
    }

    private func take(_ submission: Submission, _ now: Date, _ outcome: inout Outcome) throws(AcceptError) {
        let remote = submission.recipients.indices.filter { submission.recipients[$0].destination == .remote }
        var leaving = submission
        leaving.message = PrivateFields.removed(from: submission.message)
        try enqueue(leaving, remote, id: submission.id, now, &outcome)
        var left: [Int] = [], full: SMTPReply?
        for (index, recipient) in submission.recipients.enumerated() {
            guard case .local(let place) = recipient.destination else { continue }
            let fresh = recipient.queued(.fresh(at: now))
            do throws(LocalDelivery.Failure) {
                outcome.stored[index] = try local.deliver(submission.message, from: submission.sender(of: recipient).address, to: fresh, place)
            } catch {
                left.append(index)
                if error.isFull { full = full ?? error.reply(recipient.address) }
            }
        }
        // One mailbox alone: whoever sends hears it now, and no bounce needs to be written.
        if let full, submission.recipients.count == 1 { throw .full(full) }
        try enqueue(submission, left, id: remote.isEmpty ? submission.id : submission.id + ".local", now, &outcome)
    }

    /// One entry for each sender.
    /// - Parameter places: positions in the submission.
    private func enqueue(_ submission: Submission, _ places: [Int], id: String, _ now: Date, _ outcome: inout Outcome) throws(AcceptError) {
        let recipients = submission.recipients
        var senders: [QueueSender] = []
        for place in places where !senders.contains(submission.sender(of: recipients[place])) { senders.append(submission.sender(of: recipients[place])) }
        let hold = submission.hold(of: places.map { recipients[$0] }, now)
        for (number, sender) in senders.enumerated() {
            let members = places.filter { submission.sender(of: recipients[$0]) == sender }
            let id = number == 0 ? id : "\(id).\(number)"
            do throws(QueueError) {
                try queue.enqueue(QueueEnvelope(id: id, arrival: now, sender: sender, recipients: members.map { recipients[$0].queued(.fresh(at: now)) }, hold: hold,
                                                settles: submission.settles),
                                  message: submission.message)
            } catch {
                throw AcceptError(error)
            }
            outcome.entries.append(id)
            for place in members { outcome.queued[place] = id }
            if hold != nil { outcome.held += members.count }
        }
    }
}
