import DecisionRecords
import InternetMessage
import Milter

/// A recipient that is ours and nobody's. The sender did not name it, since RCPT refuses those: a rule or a milter led mail
/// there, or its account went away meanwhile. The message is put off, so that nothing is lost until that is mended.
struct LostRecipient: Error, CustomStringConvertible {
    let address: EmailAddress
    var description: String { "nobody here has <\(address)>: a rule or a milter leads there, or its account is gone" }
}

extension DeliverySink {
    /// Leaves out copies that rules wished for nobody: a mistyped archive stops no mail. As Postfix does with such an
    /// `always_bcc`, nobody is told but the log.
    /// - Returns: for the message's record, what became of them.
    func leaveOutLostCopies(_ transaction: inout Transaction) -> [DecisionRecord.Copy] {
        let book = live.current.book, all = transaction.recipients
        var lost: [DecisionRecord.Copy] = []
        let kept = all.filter { recipient in
            guard recipient.parameters["NOTIFY"]?.uppercased() == "NEVER", recipient.original == recipient.address, book.isLocal(recipient.address),
                let places = try? book.destinations(of: recipient.address, from: transaction.sender.address), places.isEmpty else { return true }
            lost.append(.init(recipient: recipient.address.description, refusal: "nobody here has that address"))
            return false
        }
        // With no other recipient left there is nothing that it is a copy of.
        guard !kept.isEmpty else { return [] }
        transaction.recipients = kept
        for copy in lost { logger.error("a copy gets lost: nobody here has the address", metadata: ["id": "\(transaction.id)", "recipient": "\(copy.recipient)"]) }
        return lost
    }
}
