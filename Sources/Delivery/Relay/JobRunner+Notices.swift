import Foundation
import InternetMessage
import MailQueue
import SMTPClient

/// What the sender is told of a job's outcome.
extension JobRunner {
    /// The note of a recipient whose time is over, or nil while it may be tried again.
    func expired(_ envelope: QueueEnvelope, _ note: DeliveryNote) -> DeliveryNote? {
        guard clock.now() >= policy.expiry(arrival: envelope.arrival, isBounce: envelope.sender.address == nil) else { return nil }
        var out = note
        // RFC 3463 §3.5, X.4.7: delivery time expired; the last reply stays for people to read.
        out.status = "5.4.7"
        out.text = "it could not be delivered in time; last: " + StatusNotification.diagnosis(note)
        out.replyCode = nil
        return out
    }

    /// When a job ended, and what its recipients wait together.
    struct Moment: Sendable {
        let now: Date
        /// 0..<1
        let jitter: Double
        /// Set when no attempt was made; it does not count as one then.
        var notBefore: Date?
    }

    func retry(_ envelope: QueueEnvelope, _ index: Int, _ note: DeliveryNote, _ moment: Moment) -> RecipientStatus {
        guard case .pending(var state) = envelope.recipients[index].status else { return envelope.recipients[index].status }
        if moment.notBefore == nil { state.attempts += 1 }
        state.lastNote = note
        state.nextAttempt = max(moment.now + policy.backoff(afterAttempts: state.attempts, jitter: moment.jitter),
                                (moment.notBefore ?? .distantPast) + policy.minimalBackoff * moment.jitter / 10)
        return .pending(state)
    }

    /// Queues the notification, and only then lets the recipients fail. If it cannot be queued they stay, to be refused and
    /// told of later.
    func notifyFailures(_ queued: QueuedMessage, _ failed: [Int: DeliveryNote], _ statuses: inout [Int: RecipientStatus], _ moment: Moment) async {
        guard !failed.isEmpty else { return }
        let settled = failed.mapValues(RecipientStatus.failed)
        do {
            try await notifier.send(.failed, about: subject(queued, settled), entries(queued, failed))
            statuses.merge(settled) { $1 }
        } catch {
            log.error("\(queued.envelope.id): the failure notification cannot be queued, so the recipients stay: \(error)")
            for (index, note) in failed { statuses[index] = retry(queued.envelope, index, note, Moment(now: moment.now, jitter: moment.jitter)) }
        }
    }

    /// Tells once, when `delay_warning_time` has passed (RFC 3464 §2.3.3 `delayed`).
    func notifyDelays(_ queued: QueuedMessage, _ statuses: inout [Int: RecipientStatus]) async {
        guard let warning = policy.delayWarning, clock.now() >= queued.envelope.arrival + warning else { return }
        var late: [Int: DeliveryNote] = [:], told: [Int: RecipientStatus] = [:]
        for (index, status) in statuses {
            guard case .pending(var state) = status, !state.delayNoticed, let note = state.lastNote else { continue }
            state.delayNoticed = true
            (late[index], told[index]) = (note, .pending(state))
        }
        guard !late.isEmpty else { return }
        let until = policy.expiry(arrival: queued.envelope.arrival, isBounce: queued.envelope.sender.address == nil)
        do {
            try await notifier.send(.delayed, about: subject(queued, told), entries(queued, late), retryUntil: until)
        } catch {
            log.warning("\(queued.envelope.id): the delay notification cannot be queued: \(error)")
            return
        }
        statuses.merge(told) { $1 }
    }

    /// Whom to tell of success: where asked for, and where no other server has promised to (RFC 3461 §5.2).
    func successes(_ queued: QueuedMessage, _ job: DeliveryJob, _ results: [RecipientResult]) -> [Int: DeliveryNote] {
        var done: [Int: DeliveryNote] = [:]
        for (index, result) in zip(job.recipients, results) where result.kind == .delivered && !result.serverNotifies {
            if queued.envelope.recipients[index].wants(.success) { done[index] = result.note(at: clock.now()) }
        }
        return done
    }

    /// Success is told after the record: a second notification would be worse than none. The message was opened before,
    /// since the record may have removed its file.
    func notifySuccess(_ queued: QueuedMessage, _ job: DeliveryJob, _ done: [Int: DeliveryNote], _ original: Message) async {
        let envelope = queued.envelope
        let subject = StatusNotifier.Subject(id: envelope.id, arrival: envelope.arrival, sender: envelope.sender) { original }
        do {
            try await notifier.send(job.destination == .local ? .delivered : .relayed, about: subject, entries(queued, done))
        } catch {
            log.warning("\(envelope.id): the success notification cannot be queued: \(error)")
        }
    }

    private func entries(_ queued: QueuedMessage, _ notes: [Int: DeliveryNote]) -> [StatusNotification.Entry] {
        notes.sorted { $0.key < $1.key }.map { StatusNotification.Entry(queued.envelope.recipients[$0.key], $0.value) }
    }

    private func subject(_ queued: QueuedMessage, _ settles: [Int: RecipientStatus]) -> StatusNotifier.Subject {
        var out = StatusNotifier.Subject(id: queued.envelope.id, arrival: queued.envelope.arrival, sender: queued.envelope.sender, original: queued.message)
        out.settles = settles
        return out
    }
}
