import Foundation
import InternetMessage
import MailQueue
import MailStore

extension MailAcceptor {
    /// Takes a message by recipient, for LMTP (RFC 2033 §4.2): each local copy is stored, durably, or its client keeps it.
    /// Unlike ``accept(_:)`` nothing that could not be stored is queued here: the client has a queue, and knows each
    /// recipient's fate. Recipients elsewhere, which only a filter can have added, are queued one by one.
    /// - Returns: a reply for each of the submission's recipients, in their order.
    public func acceptEach(_ submission: Submission) async -> [SMTPReply] {
        let hops = submission.message.header.count(of: "Received")
        guard hops <= settings.hopcountLimit else { return submission.recipients.map { _ in AcceptError.tooManyHops(hops).reply } }
        let now = clock.now()
        let outcomes: [EachOutcome]
        do {
            outcomes = try await pool.run { submission.recipients.enumerated().map { takeOne(submission, $0.offset, now) } }
        } catch {
            return submission.recipients.map { _ in AcceptError.unavailable("\(error)").reply }
        }
        for case .queued(let id) in outcomes { enqueued(id) }
        let wanted = outcomes.indices.filter { index in
            if case .stored = outcomes[index] { submission.recipients[index].notify?.contains(.success) == true } else { false }
        }
        if !wanted.isEmpty { await stored(submission, wanted) }
        return zip(submission.recipients, outcomes).map { $1.reply(to: $0.address, id: submission.id) }
    }

    private enum EachOutcome: Sendable {
        case stored
        case queued(String)
        case failed(SMTPReply)

        func reply(to address: EmailAddress, id: String) -> SMTPReply {
            switch self {
            case .stored: SMTPReply(250, "2.1.5", "<\(address)> stored as \(id)")
            case .queued(let entry): SMTPReply(250, "2.0.0", "Ok: queued as \(entry)")
            case .failed(let reply): reply
            }
        }
    }

    private func takeOne(_ submission: Submission, _ index: Int, _ now: Date) -> EachOutcome {
        let recipient = submission.recipients[index]
        let fresh = recipient.queued(.fresh(at: now))
        guard case .local(let place) = recipient.destination else { return queueOne(submission, fresh, "\(submission.id).\(index)", now) }
        do throws(LocalDelivery.Failure) {
            _ = try local.deliver(submission.message, from: submission.sender.address, to: fresh, place)
            return .stored
        } catch {
            return .failed(SMTPReply(error.isPermanent ? 550 : 451, error.status, "<\(recipient.address)>: \(error.isPermanent ? error.text : "cannot be stored now")"))
        }
    }

    private func queueOne(_ submission: Submission, _ recipient: QueueRecipient, _ id: String, _ now: Date) -> EachOutcome {
        do throws(QueueError) {
            try queue.enqueue(QueueEnvelope(id: id, arrival: now, sender: submission.sender, recipients: [recipient]), message: submission.message)
            return .queued(id)
        } catch {
            return .failed(AcceptError(error).reply)
        }
    }
}
