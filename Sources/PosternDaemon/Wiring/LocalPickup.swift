import Delivery
import Foundation
import InternetMessage
import Logging
import MailQueue
import Milter
import Pickup
import SMTPServer
import Synchronization

/// What becomes of mail that a user of this machine dropped: its header completed, through the filters for local mail,
/// taken as any other mail; and back to its sender where it cannot be.
final class LocalPickup: Sendable {
    private let live: Live
    private let local: LocalMail
    private let sink: DeliverySink
    private let notifier: StatusNotifier
    private let ids: TransactionIDs
    private let logger: Logger
    private let observer: (any TransactionObserver)?
    /// Taken already; only the bounce of other recipients is owed.
    private let taken = Mutex<Set<String>>([])

    init(live: Live, local: LocalMail, sink: DeliverySink, notifier: StatusNotifier, ids: TransactionIDs, logger: Logger,
         observer: (any TransactionObserver)? = nil) {
        self.live = live
        self.local = local
        self.sink = sink
        self.notifier = notifier
        self.ids = ids
        self.logger = logger
        self.observer = observer
    }

    /// For ``PickupService``: ``PickupService/Outcome/done`` is said when the message, or its bounce, is durable.
    func take(_ mail: DroppedMessage) async -> PickupService.Outcome {
        var transaction = transaction(of: mail)
        var unknown: [EnvelopeRecipient] = []
        let book = live.current.book
        for recipient in transaction.recipients {
            switch await book.standing(of: recipient.address, from: transaction.sender.address) {
            case .unknown: unknown.append(recipient)
            case .unavailable(let why): return .later(why)
            case .local, .relay, .full: break
            }
        }
        transaction.recipients.removeAll { unknown.contains($0) }
        if !transaction.recipients.isEmpty, !taken.withLock({ $0.contains(mail.name) }) {
            let outcome = await pass(transaction, mail)
            guard outcome == .done else { return outcome }
        }
        guard !unknown.isEmpty else { return .done }
        let refused = await bounce(transaction, unknown, SMTPReply(550, "5.1.1", "User unknown"), mail)
        // What was taken must not be taken again for the sake of a bounce that could not be written.
        taken.withLock { if refused == .done { $0.remove(mail.name) } else { $0.insert(mail.name) } }
        return refused
    }

    private func transaction(of mail: DroppedMessage) -> Transaction {
        let settings = live.current.settings
        let id = ids.next()
        var message = mail.message
        LocalHeader(id: id, hostname: settings[Known.myhostname].text, origin: .name(settings.origin), sender: mail.envelope.sender,
                    fullName: mail.envelope.fullName, userID: mail.userID, time: Int64(mail.dropped.timeIntervalSince1970)).complete(&message.header)
        var seen = Set<EmailAddress>()
        let recipients = mail.envelope.recipients.filter { seen.insert($0.address).inserted }.map { EnvelopeRecipient($0.address, parameters: $0.parameters) }
        return Transaction(id: id, connection: LocalMail.connection, helo: LocalMail.helo, sender: EnvelopeSender(mail.envelope.sender, parameters: mail.envelope.senderParameters),
                           recipients: recipients, message: message)
    }

    private func pass(_ transaction: Transaction, _ mail: DroppedMessage) async -> PickupService.Outcome {
        switch await local.filter(transaction) {
        case .refused(.discard, let filter):
            log(transaction, mail, "discarded by \(filter)")
            note(transaction, transaction, .discarded)
            return .done
        case .refused(let answer, let filter):
            let reply = answer.reply ?? SMTPReply(550, "5.7.1", "Command rejected")
            return await refused(transaction, reply, mail, by: filter)
        case .passed(var passed):
            guard !passed.recipients.isEmpty else {
                log(passed, mail, "discarded")
                note(transaction, passed, .discarded)
                return .done
            }
            let reply = await sink.take(&passed)
            guard reply.isPositive else { return await refused(passed, reply, mail, by: nil) }
            log(passed, mail, "accepted")
            note(transaction, passed, .accepted(reply))
            return .done
        }
    }

    /// For now: it waits, as long as mail may. For good: back to its sender.
    private func refused(_ transaction: Transaction, _ reply: SMTPReply, _ mail: DroppedMessage, by filter: String?) async -> PickupService.Outcome {
        let lifetime = TimeInterval(live.current.settings[Known.maximalQueueLifetime].seconds)
        if reply.isTransient, Date() < mail.dropped + lifetime { return .later((filter.map { $0 + ": " } ?? "") + "\(reply)") }
        note(transaction, transaction, .refused(reply), by: filter)
        return await bounce(transaction, transaction.recipients, reply, mail)
    }

    private func bounce(_ transaction: Transaction, _ recipients: [EnvelopeRecipient], _ reply: SMTPReply, _ mail: DroppedMessage) async -> PickupService.Outcome {
        log(transaction, mail, "returned: \(reply)")
        let note = DeliveryNote(status: reply.enhancedCode ?? "5.0.0", text: reply.text, time: Date())
        let entries = recipients.map { recipient in
            StatusNotification.Entry(QueueRecipient(recipient.address, original: recipient.original, notify: DeliverySink.notify(recipient.parameters["NOTIFY"]),
                                                    originalRecipient: recipient.parameters["ORCPT"], status: .failed(note)), note)
        }
        let subject = StatusNotifier.Subject(id: transaction.id, arrival: mail.dropped, sender: DeliverySink.sender(transaction.sender)) { transaction.message }
        do { try await notifier.send(.failed, about: subject, entries) } catch { return .later("its bounce cannot be written: \(error)") }
        return .done
    }

    private func note(_ received: Transaction, _ transaction: Transaction, _ outcome: TransactionEnd.Outcome, by filter: String? = nil) {
        var end = TransactionEnd(received: received, transaction: transaction, outcome: outcome)
        end.filter = filter
        observer?.ended(end)
    }

    private func log(_ transaction: Transaction, _ mail: DroppedMessage, _ outcome: String) {
        logger.info("\(outcome)", metadata: [
            "id": "\(transaction.id)", "sender": "\(transaction.sender.address?.description ?? "<>")", "recipients": "\(transaction.recipients.count)",
            "client": "local", "uid": "\(mail.userID)", "size": "\(transaction.message.byteCount)",
        ])
    }
}

extension FilterAnswer {
    /// What a client would be told; nil where nothing is refused in words.
    fileprivate var reply: SMTPReply? {
        switch self {
        case .reject(let reply), .tempfail(let reply): reply
        case .continue, .accept, .discard: nil
        }
    }
}
