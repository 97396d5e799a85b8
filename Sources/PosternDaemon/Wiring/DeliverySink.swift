import Delivery
import InternetMessage
import Logging
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

    func take(_ transaction: Transaction) async -> SMTPReply {
        let submission: Submission
        do { submission = try self.submission(of: transaction) } catch {
            logger.error("message not taken: the recipients cannot be looked up", metadata: ["id": "\(transaction.id)", "error": "\(error)"])
            return SMTPReply(451, "4.3.0", "Temporary lookup failure")
        }
        if transaction.quarantineReason != nil, submission.recipients.contains(where: { $0.destination == .remote }) {
            // Nobody could look at it there; refusing tells the sender, who is one of ours.
            return SMTPReply(550, "5.7.1", "Held by policy, so it is not relayed")
        }
        do {
            let accepted = try await acceptor.accept(submission)
            log(transaction, accepted)
            return SMTPReply(250, "2.0.0", "Ok: queued as \(transaction.id)")
        } catch {
            logger.error("message not taken", metadata: ["id": "\(transaction.id)", "error": "\(error)"])
            return error.reply
        }
    }

    func takeEach(_ transaction: Transaction) async -> [SMTPReply] {
        var transaction = transaction
        if let hints = handover.hints(for: transaction.message) { transaction.deliveryHints.add(hints, for: transaction.recipients) }
        do { return await acceptor.acceptEach(try submission(of: transaction)) } catch {
            logger.error("message not taken: the recipients cannot be looked up", metadata: ["id": "\(transaction.id)", "error": "\(error)"])
            return transaction.recipients.map { _ in SMTPReply(451, "4.3.0", "Temporary lookup failure") }
        }
    }

    private func submission(of transaction: Transaction) throws -> Submission {
        let book = live.current.book
        let hints = transaction.deliveryHints
        let folder = transaction.quarantineReason == nil ? hints.folder : Self.quarantineFolder
        let recipients = try transaction.recipients.map { recipient in
            let keywords = hints.keywords.union(hints.recipientKeywords[recipient.address] ?? [])
            return RoutedRecipient(recipient.address, original: recipient.original, notify: Self.notify(recipient.parameters["NOTIFY"]),
                                   originalRecipient: recipient.parameters["ORCPT"],
                                   destination: try RecipientRoute.destination(recipient.address, book, folder: folder, keywords: keywords))
        }
        return Submission(id: transaction.id, sender: sender(transaction.sender), recipients: recipients, message: transaction.message)
    }

    private func sender(_ sender: EnvelopeSender) -> QueueSender {
        let parameters = sender.parameters
        return QueueSender(sender.address, returnContent: parameters["RET"].flatMap { .init(rawValue: $0.uppercased()) }, envelopeID: parameters["ENVID"],
                           smtpUTF8: parameters["SMTPUTF8"] != nil, eightBitMIME: parameters["BODY"]?.uppercased() == "8BITMIME")
    }

    /// RFC 3461 §4.1: absent, NEVER, or a list.
    static func notify(_ value: String?) -> Set<QueueRecipient.Notify>? {
        guard let value = value?.uppercased() else { return nil }
        return Set(value.split(separator: ",").compactMap { QueueRecipient.Notify(rawValue: String($0)) })
    }

    private func log(_ transaction: Transaction, _ accepted: Accepted) {
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
