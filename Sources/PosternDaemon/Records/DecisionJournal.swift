import DecisionRecords
import Delivery
import Foundation
import InternetMessage
import MailFilters
import MailQueue
import Milter

/// Notes what became of each message, wherever it came in, for its record. Takes note and returns: the record is made and
/// written elsewhere.
struct DecisionJournal: TransactionObserver {
    let store: DecisionRecordStore
    /// What a transaction weighs beside its header, about.
    private static let weight = 4096

    func ended(_ end: TransactionEnd) {
        let time = Self.now
        var end = end
        if end.mtaID == nil, end.received.connection.listener == "lmtp" { end.mtaID = HintHandover.queueID(ofRelayed: end.received.message.header) }
        store.record(octets: end.received.message.header.byteCount + Self.weight) { [end] in RecordMaker.make(end, at: time) }
    }

    func refused(_ refusal: ConnectionRefusal) {
        let time = Self.now
        store.record(octets: Self.weight) { RecordMaker.make(refusal, at: time) }
    }

    /// A status notification was made here.
    /// - Parameter judged: what the filters made of it.
    func sent(_ notification: StatusNotification, _ submission: Submission, _ accepted: Accepted, _ judged: JudgedNotices.Judged?) {
        let time = Self.now
        let plain = Transaction(
            id: submission.id, connection: LocalMail.connection, helo: LocalMail.helo, sender: EnvelopeSender(submission.sender.address),
            recipients: submission.recipients.map { EnvelopeRecipient($0.address, original: $0.original) }, message: submission.message)
        var transaction = judged?.transaction ?? plain
        transaction[CopiesKey.self] = accepted.copies(of: submission.recipients).map(DecisionRecord.Copy.init)
        let end = TransactionEnd(received: judged?.made ?? plain, transaction: transaction, outcome: .accepted(SMTPReply(250, "2.0.0", "Ok: queued as \(submission.id)")))
        let about = notification.originalID
        store.record(octets: submission.message.header.byteCount + Self.weight) {
            var made = RecordMaker.make(end, at: time)
            made.record.about = about
            return made
        }
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

    private static var now: Int { Int(Date().timeIntervalSince1970 * 1000) }
}

extension DecisionRecord.Copy {
    init(_ copy: PlacedCopy) {
        self.init(recipient: copy.recipient.description, file: copy.file, queueID: copy.queueID, refusal: copy.refusal?.description)
    }
}
