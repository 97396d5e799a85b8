import DecisionRecords
import Delivery
import Foundation
import InternetMessage
import MailFilters
import MailQueue
import Milter

/// Keeps what became of each message, wherever it came in. Takes note and returns: the record is written elsewhere.
struct DecisionJournal {
    let store: DecisionRecordStore

    func ended(_ made: StoredDecision) { store.record(made) }

    /// A status notification was made here.
    /// - Parameter judged: what the filters made of it.
    func sent(_ notification: StatusNotification, _ submission: Submission, _ accepted: Accepted, _ judged: JudgedNotices.Judged?) {
        let plain = Transaction(
            id: submission.id, connection: LocalMail.connection, helo: LocalMail.helo, sender: EnvelopeSender(submission.sender.address),
            recipients: submission.recipients.map { EnvelopeRecipient($0.address, original: $0.original) }, message: submission.message)
        var transaction = judged?.transaction ?? plain
        transaction[CopiesKey.self] = accepted.copies(of: submission.recipients).map(DecisionRecord.Copy.init)
        let end = TransactionEnd(received: judged?.made ?? plain, transaction: transaction, outcome: .accepted(SMTPReply(250, "2.0.0", "Ok: queued as \(submission.id)")))
        var made = RecordMaker.make(end, at: DecisionObserver.now)
        made.record.about = notification.originalID
        ended(made)
    }

    /// A queued copy was tried.
    func delivered(_ outcome: DeliveryOutcome) {
        let kind: DeliveryRecord.Outcome = switch outcome.kind { case .delivered: .delivered; case .deferred: .deferred; case .failed: .bounced }
        let note = outcome.note
        let reply = note.replyCode.map { "\($0) \(note.status) " } ?? ""
        store.record(DeliveryRecord(
            queueID: outcome.id, recipient: outcome.recipient.description, outcome: kind, time: Int(note.time.timeIntervalSince1970 * 1000),
            status: note.status, text: String((reply + note.text).prefix(500)), host: note.remoteMTA, file: outcome.file))
    }
}

extension DecisionRecord.Copy {
    init(_ copy: PlacedCopy) {
        self.init(recipient: copy.recipient.description, file: copy.file, queueID: copy.queueID, refusal: copy.refusal?.description)
    }
}
