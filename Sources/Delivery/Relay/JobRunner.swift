import BlockingPool
import Foundation
import InternetMessage
import Logging
import MailQueue
import SMTPClient
import SMTPCore

/// Carries out one job: attempt, notification, record, in this order, so that a crash may repeat a notification but loses
/// none, and no recorded recipient is tried again.
struct JobRunner: Sendable {
    let queue: MailQueue
    let local: LocalDelivery
    let remote: any RemoteDelivery
    let notifier: StatusNotifier
    let pool: BlockingPool
    let clock: any RelayClock
    let policy: RetryPolicy
    let log: Logger
    var outcome: @Sendable (DeliveryOutcome) -> Void = { _ in }

    /// - Parameter notBefore: set when no attempt was made.
    func conclude(_ job: DeliveryJob, _ queued: QueuedMessage, _ attempts: [Attempt], notBefore: Date? = nil) async {
        let results = attempts.map(\.result)
        var statuses: [Int: RecipientStatus] = [:]
        var failed: [Int: DeliveryNote] = [:]
        // One time for all: what went in one transaction goes in one again, and is told of in one notification.
        let moment = Moment(now: clock.now(), jitter: policy.random(), notBefore: notBefore)
        for (index, result) in zip(job.recipients, results) {
            logResult(queued.envelope, index, result)
            let note = result.note(at: moment.now)
            switch result.kind {
            case .delivered: statuses[index] = .delivered(note)
            case .permanent: failed[index] = note
            case .temporary:
                if let expired = expired(queued.envelope, note) { failed[index] = expired } else { statuses[index] = retry(queued.envelope, index, note, moment) }
            }
        }
        await notifyFailures(queued, failed, &statuses, moment)
        await notifyDelays(queued, &statuses)
        let done = successes(queued, job, results)
        let original = done.isEmpty ? nil : try? await pool.run { try queued.message() }
        await record(job.id, statuses)
        for (index, attempt) in zip(job.recipients, attempts) { tell(queued.envelope, index, attempt, statuses[index]) }
        if let original { await notifySuccess(queued, job, done, original) }
    }

    /// A recipient's result, and the file when it was stored here.
    struct Attempt: Sendable {
        let result: RecipientResult
        var file: String?
    }

    func attempt(_ job: DeliveryJob, _ queued: QueuedMessage) async -> [Attempt] {
        switch job.destination {
        case .local: await deliverLocally(job, queued)
        case .remote(let hop): await deliverRemotely(job, queued, hop).map { Attempt(result: $0) }
        }
    }

    private func deliverLocally(_ job: DeliveryJob, _ queued: QueuedMessage) async -> [Attempt] {
        do {
            return try await pool.run { [local] in
                let message = try queued.message()
                return job.recipients.map { index in
                    let recipient = queued.envelope.recipients[index]
                    guard case .local(let place) = recipient.destination else {
                        return Attempt(result: RecipientResult(.temporary, status: "4.3.5", text: "recipient is not local"))
                    }
                    do throws(LocalDelivery.Failure) {
                        let file = try local.deliver(message, from: queued.envelope.sender.address, to: recipient, place)
                        return Attempt(result: RecipientResult(.delivered, status: "2.0.0", text: "stored"), file: file.path)
                    } catch {
                        return Attempt(result: RecipientResult(error.isPermanent ? .permanent : .temporary, status: error.status, text: error.text))
                    }
                }
            }
        } catch {
            return job.recipients.map { _ in Attempt(result: RecipientResult(.temporary, status: "4.3.0", text: "\(error)")) }
        }
    }

    private func deliverRemotely(_ job: DeliveryJob, _ queued: QueuedMessage, _ hop: NextHop) async -> [RecipientResult] {
        let sender = queued.envelope.sender
        let recipients = job.recipients.map { index in
            let recipient = queued.envelope.recipients[index]
            return ClientRecipient(recipient.address, notify: recipient.notify.map(Self.notifyValue), originalRecipient: recipient.originalRecipient)
        }
        do {
            let reader = try await pool.run { try queued.reader() }
            let message = OutgoingMessage(byteCount: queued.byteCount, headerIs8Bit: queued.headerIs8Bit, bodyIs8Bit: queued.bodyIs8Bit) { [pool] offset, maximum in
                try await pool.run { try reader.read(at: offset, maximum: maximum) }
            }
            let outgoing = OutgoingSender(sender.address, returnContent: sender.returnContent?.rawValue, envelopeID: sender.envelopeID,
                                          smtpUTF8: sender.smtpUTF8, requireTLS: sender.requireTLS)
            return await remote.deliver(from: outgoing, to: recipients, via: hop, message: message).results
        } catch {
            return job.recipients.map { _ in RecipientResult(.temporary, status: "4.3.0", text: "\(error)") }
        }
    }

    static func notifyValue(_ set: Set<QueueRecipient.Notify>) -> String {
        set.isEmpty ? "NEVER" : QueueRecipient.Notify.allCases.filter(set.contains).map(\.rawValue).joined(separator: ",")
    }

    /// Notes the outcome; as long as the disk refuses, tries again, for until then the message counts as busy and nobody
    /// gets a second copy.
    private func record(_ id: String, _ statuses: [Int: RecipientStatus]) async {
        guard !statuses.isEmpty else { return }
        for attempt in 1... {
            do {
                _ = try await pool.run { [queue] in try queue.record(id, statuses) }
                return
            } catch QueueError.unknownMessage {
                return
            } catch {
                log.error("\(id): the outcome cannot be recorded: \(error)")
                guard (try? await clock.sleep(until: clock.now() + policy.backoff(afterAttempts: attempt))) != nil else { return }
            }
        }
    }

    private func tell(_ envelope: QueueEnvelope, _ index: Int, _ attempt: Attempt, _ status: RecipientStatus?) {
        guard let status else { return }
        let recipient = envelope.recipients[index].address
        switch status {
        case .delivered(let note): outcome(DeliveryOutcome(id: envelope.id, recipient: recipient, kind: .delivered, note: note, file: attempt.file))
        case .failed(let note): outcome(DeliveryOutcome(id: envelope.id, recipient: recipient, kind: .failed, note: note))
        case .pending(let pending):
            if let note = pending.lastNote { outcome(DeliveryOutcome(id: envelope.id, recipient: recipient, kind: .deferred, note: note)) }
        }
    }

    private func logResult(_ envelope: QueueEnvelope, _ index: Int, _ result: RecipientResult) {
        let delay = clock.now().timeIntervalSince(envelope.arrival)
        let status = switch result.kind { case .delivered: "sent"; case .temporary: "deferred"; case .permanent: "bounced" }
        let cause = result.kind == .delivered ? "" : ", cause=\(result.cause.rawValue)"
        log.info("""
            \(envelope.id): to=<\(envelope.recipients[index].address)>, relay=\(result.server.map(\.description) ?? "none"), \
            delay=\(String(format: "%.2f", delay)), dsn=\(result.status), status=\(status) (\(StatusNotification.clean(result.text)))\(cause)
            """)
    }
}

extension RecipientResult {
    func note(at time: Date) -> DeliveryNote {
        DeliveryNote(status: status, text: text, replyCode: reply?.code, remoteMTA: server?.name, cause: kind == .delivered ? nil : cause.rawValue, time: time)
    }
}
