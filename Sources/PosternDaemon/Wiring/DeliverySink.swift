import DecisionRecords
import Delivery
import InternetMessage
import Logging
import MailFilters
import MailQueue
import Milter
import SMTPServer

/// Takes what the SMTP front end accepted and the chain let pass: stored or queued, on disk, before the reply.
struct DeliverySink: MessageSink {
    /// Where held mail goes, for its recipient to look at.
    static let quarantineFolder = "Quarantine"

    let live: Live
    let acceptor: MailAcceptor
    let logger: Logger
    let handover: HintHandover
    /// Holds what goes beyond an account's limit; nil for no limits.
    var limits: AccountGuard?

    func hadRoom(for octets: Int) -> Bool { acceptor.hadRoom(for: octets) }

    func shortage(_ octets: Int) async -> SMTPReply? {
        guard let shortage = acceptor.shortage(octets) else { return nil }
        logger.warning("no new mail is taken", metadata: ["error": "\(shortage)"])
        return shortage.reply
    }

    func take(_ transaction: inout Transaction) async -> SMTPReply { await place(&transaction).naming(transaction.id) }

    private func place(_ transaction: inout Transaction) async -> SMTPReply {
        let lost = leaveOutLostCopies(&transaction)
        var submission: Submission
        do { submission = try self.submission(of: transaction) } catch {
            logger.error("message not taken: the recipients cannot be looked up", metadata: ["id": "\(transaction.id)", "error": "\(error)"])
            return SMTPReply(451, "4.3.0", "Temporary lookup failure")
        }
        let charge = limits?.charge(transaction)
        if let charge, charge.isOver { (submission.hold, submission.heldBy) = (charge.reason, "limit") }
        do {
            let accepted = try await acceptor.accept(submission)
            if let charge, charge.isFirstOfDay { await limits?.tell(charge) }
            transaction[CopiesKey.self] = accepted.copies(of: submission.recipients).map(DecisionRecord.Copy.init) + lost
            log(transaction, accepted, held: submission.hold)
            return SMTPReply(250, "2.0.0", "Ok: queued as \(transaction.id)")
        } catch {
            if let charge { limits?.refund(charge) }
            logger.error("message not taken", metadata: ["id": "\(transaction.id)", "error": "\(error)"])
            return error.reply
        }
    }

    func takeEach(_ transaction: inout Transaction) async -> [SMTPReply] {
        let lost = leaveOutLostCopies(&transaction)
        if let hints = handover.hints(for: transaction.message) { transaction.deliveryHints.add(hints, for: transaction.recipients) }
        do {
            let routes = try routes(of: transaction)
            var submission = Submission(id: transaction.id, sender: Self.sender(transaction.sender), recipients: [], message: transaction.message)
            submission.hold = transaction.quarantineReason
            let (replies, copies) = await acceptor.acceptEachNoting(submission, routes.map { ($0.recipients, $0.notices) })
            transaction[CopiesKey.self] = copies.map(DecisionRecord.Copy.init) + lost
            return replies
        } catch {
            logger.error("message not taken: the recipients cannot be looked up", metadata: ["id": "\(transaction.id)", "error": "\(error)"])
            return transaction.recipients.map { _ in SMTPReply(451, "4.3.0", "Temporary lookup failure") }
        }
    }

    private func submission(of transaction: Transaction) throws -> Submission {
        var out = Submission(id: transaction.id, sender: Self.sender(transaction.sender), recipients: [], message: transaction.message)
        out.hold = transaction.quarantineReason
        var taken: [RoutedRecipient.Copy: Int] = [:]
        for routed in try routes(of: transaction) {
            for recipient in routed.recipients {
                // What several aliases lead to is one copy.
                if let place = taken.updateValue(taken[recipient.copy] ?? out.recipients.count, forKey: recipient.copy) {
                    out.recipients[place].addKeywords(of: recipient)
                } else {
                    out.recipients.append(recipient)
                }
            }
            out.notices += routed.notices
        }
        return out
    }

    private func routes(of transaction: Transaction) throws -> [RecipientRouter.Routed] {
        let router = RecipientRouter(book: live.current.book, transaction: transaction, sender: Self.sender(transaction.sender),
                                     quarantine: transaction.quarantineReason == nil ? nil : Self.quarantineFolder)
        return try transaction.recipients.map { try router.route($0) }
    }

    static func sender(_ sender: EnvelopeSender) -> QueueSender {
        let parameters = sender.parameters
        return QueueSender(sender.address, returnContent: parameters["RET"].flatMap { .init(rawValue: $0.uppercased()) }, envelopeID: parameters["ENVID"],
                           smtpUTF8: parameters["SMTPUTF8"] != nil, eightBitMIME: parameters["BODY"]?.uppercased() == "8BITMIME",
                           requireTLS: parameters["REQUIRETLS"] != nil)
    }

    /// RFC 3461 §4.1: absent, NEVER, or a list.
    static func notify(_ value: String?) -> Set<QueueRecipient.Notify>? {
        guard let value = value?.uppercased() else { return nil }
        return Set(value.split(separator: ",").compactMap { QueueRecipient.Notify(rawValue: String($0)) })
    }

    private func log(_ transaction: Transaction, _ accepted: Accepted, held reason: String?) {
        if accepted.held > 0 {
            logger.notice("held", metadata: ["id": "\(transaction.id)", "recipients": "\(accepted.held)", "reason": "\(reason ?? "")"])
        }
        // The session logs the decision; this is where the copies went.
        logger.debug("message taken", metadata: [
            "id": "\(transaction.id)", "client": "\(transaction.connection.clientAddress?.description ?? "local")",
            "sender": "<\(transaction.sender.address?.description ?? "")>", "recipients": "\(transaction.recipients.count)",
            "size": "\(transaction.message.byteCount)", "stored": "\(accepted.stored.count)", "queued": "\(accepted.queuedRecipients)",
        ])
    }
}

extension DeliveryHints {
    /// Adds what was wished when the mail came in. Keywords for one recipient were noted under the address that the MTA was
    /// told, before its aliases.
    mutating func add(_ earlier: DeliveryHints, for recipients: [EnvelopeRecipient]) {
        folder = folder ?? earlier.folder
        keywords.formUnion(earlier.keywords)
        for recipient in recipients {
            let wished = earlier.recipientKeywords[recipient.original] ?? earlier.recipientKeywords[recipient.address]
            if let wished { recipientKeywords[recipient.address, default: []].formUnion(wished) }
        }
    }
}
