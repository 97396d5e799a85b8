import Foundation
import MailFilters
import Milter

/// Makes the record of each message that ended, wherever it came in, once, and gives it to all who want it.
struct DecisionObserver: TransactionObserver {
    let log: DecisionLog
    /// nil where no records are kept.
    let journal: DecisionJournal?

    func ended(_ end: TransactionEnd) {
        var end = end
        if end.mtaID == nil, end.received.connection.listener == "lmtp" { end.mtaID = HintHandover.queueID(ofRelayed: end.received.message.header) }
        let made = RecordMaker.make(end, at: Self.now)
        log.ended(made.record)
        journal?.ended(made)
    }

    func refused(_ refusal: ConnectionRefusal) {
        log.refused(refusal)
        journal?.ended(RecordMaker.make(refusal, at: Self.now))
    }

    static var now: Int { Int(Date().timeIntervalSince1970 * 1000) }
}
