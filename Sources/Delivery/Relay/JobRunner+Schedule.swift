import Foundation
import MailQueue
import SMTPClient

/// A job as the scheduler sees it.
extension JobRunner {
    /// - Returns: what it says of the destination.
    func run(_ job: DeliveryJob, _ queued: QueuedMessage) async -> Scheduler.Outcome {
        let attempts = await attempt(job, queued)
        await conclude(job, queued, attempts)
        return job.destination == .local ? .neutral : Self.outcome(attempts.map(\.result))
    }

    /// Puts off, without an attempt, what is for a destination that counts as dead.
    func suspend(_ job: DeliveryJob, _ queued: QueuedMessage, _ suspension: Scheduler.Suspension) async {
        let finding = suspension.finding
        let result = RecipientResult(.temporary, status: finding.status, text: "delivery temporarily suspended: " + finding.text, server: finding.server)
        await conclude(job, queued, job.recipients.map { _ in Attempt(result: result) }, notBefore: suspension.until)
    }

    /// Whether a session came about. What a server says of the mail or of a recipient says that it is there.
    static func outcome(_ results: [RecipientResult]) -> Scheduler.Outcome {
        guard let first = results.first else { return .neutral }
        guard results.allSatisfy({ $0.kind == .temporary && ($0.reply == nil || $0.reply?.code == 421) }) else { return .reached }
        // Without a reply, 4.3.x is a finding about ourselves, the disk; and 4.4.5 about how much is under way.
        return first.reply == nil && (first.status.hasPrefix("4.3.") || first.status == "4.4.5") ? .neutral : .unreachable(first)
    }
}
