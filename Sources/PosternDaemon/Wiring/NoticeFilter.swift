import Delivery
import InternetMessage
import Logging
import MailQueue
import Milter

/// Bounces and other notifications on their way through the filters for local mail.
///
/// A notification is the last that anybody hears of a message, so no filter can make it vanish: a refusal or a discard is
/// logged, the filter that said it is asked no more, the others are, and the notification goes out. A temporary refusal
/// has it wait while that loses nothing.
struct NoticeFilter: Sendable {
    let local: LocalMail
    /// Whose addresses are whose, now.
    let book: @Sendable () -> AddressBook
    let logger: Logger
    /// For the notification's record.
    var judged: JudgedNotices?

    /// Why a notification waits.
    struct Waits: Error, CustomStringConvertible {
        let filter: String
        let reply: SMTPReply
        var description: String { "\(filter) says \(reply)" }
    }

    /// - Parameter mayWait: whether a temporary refusal is heeded.
    /// - Throws: ``Waits``, or why a recipient that a filter added cannot be looked up now.
    func pass(_ notice: Submission, mayWait: Bool) async throws -> Submission {
        // One address may be two accounts' by an alias.
        var addresses = Set<EmailAddress>()
        let recipients = notice.recipients.filter { addresses.insert($0.address).inserted }.map { EnvelopeRecipient($0.address, original: $0.original, parameters: ["NOTIFY": "NEVER"]) }
        let sender = EnvelopeSender(nil, parameters: notice.sender.smtpUTF8 ? ["SMTPUTF8": ""] : [:])
        let made = Transaction(id: notice.id, connection: LocalMail.connection, helo: LocalMail.helo, sender: sender, recipients: recipients, message: notice.message)
        switch await local.filter(made, adapt: { Unrefusing(filter: $0, heedsTempfail: mayWait, logger: logger, id: notice.id) }) {
        case .refused(.tempfail(let reply), let filter): throw Waits(filter: filter, reply: reply)
        case .refused: return notice
        case .passed(let transaction):
            let out = try changed(notice, transaction)
            judged?.note(.init(made: made, transaction: transaction))
            return out
        }
    }

    /// Message and recipients as the filters left them. The sender stays nobody: a bounce of a bounce would go in circles.
    private func changed(_ notice: Submission, _ transaction: Transaction) throws -> Submission {
        var out = notice
        out.message = transaction.message
        let book = book()
        if transaction.recipients.isEmpty {
            logger.notice("a filter took every recipient from a notification: it goes out all the same", metadata: ["id": "\(notice.id)"])
        } else {
            let routed = try transaction.recipients.flatMap { recipient in
                let known = notice.recipients.filter { $0.address == recipient.address }
                return try known.isEmpty ? added(recipient.address, to: notice, book) : known
            }
            if !routed.isEmpty { out.recipients = routed }
        }
        for index in out.recipients.indices { apply(transaction, to: &out.recipients[index]) }
        return out
    }

    private func added(_ address: EmailAddress, to notice: Submission, _ book: AddressBook) throws -> [RoutedRecipient] {
        guard try !book.isLocal(address) || !book.destinations(of: address, from: nil).isEmpty else {
            logger.error("a filter leads a notification to an address here that nobody has", metadata: ["id": "\(notice.id)", "recipient": "\(address)"])
            return []
        }
        return try RecipientRoute.generated(address, book)
    }

    /// Folder and keywords for a copy that stays here. One that leaves can be held nowhere.
    private func apply(_ transaction: Transaction, to recipient: inout RoutedRecipient) {
        guard case .local(var place) = recipient.destination else {
            if let reason = transaction.quarantineReason {
                logger.notice("a notification that a filter would hold goes out", metadata: ["id": "\(transaction.id)", "reason": "\(reason)"])
            }
            return
        }
        let hints = transaction.deliveryHints
        if let folder = transaction.quarantineReason == nil ? hints.folder : DeliverySink.quarantineFolder { place.folder = folder }
        place.keywords.formUnion(hints.keywords.union(hints.recipientKeywords[recipient.address] ?? []))
        recipient.destination = .local(place)
    }
}

/// A filter whose refusals are logged, and then it has nothing more to say of the message.
private struct Unrefusing: MailFilter {
    let filter: any MailFilter
    let heedsTempfail: Bool
    let logger: Logger
    let id: String

    var name: String { filter.name }
    var stages: Set<MilterStage> { filter.stages }
    func makeSession() -> any FilterSession { Session(owner: self, session: filter.makeSession()) }

    private func heard(_ answer: FilterAnswer, at stage: MilterStage) -> FilterAnswer {
        guard answer.isNegative else { return answer }
        if heedsTempfail, case .tempfail = answer { return answer }
        let said = switch answer {
        case .reject(let reply), .tempfail(let reply): "\(reply)"
        default: "discard"
        }
        logger.notice("a filter refuses a notification: it goes out all the same", metadata: [
            "id": "\(id)", "filter": "\(name)", "stage": "\(stage)", "answer": "\(said)",
        ])
        return .accept
    }

    private struct Session: FilterSession {
        let owner: Unrefusing
        let session: any FilterSession

        func connect(_ connection: ConnectionFacts) async -> FilterAnswer { owner.heard(await session.connect(connection), at: .connect) }
        func helo(_ name: String, _ connection: ConnectionFacts) async -> FilterAnswer { owner.heard(await session.helo(name, connection), at: .helo) }
        func mail(_ transaction: inout Transaction) async -> FilterAnswer { owner.heard(await session.mail(&transaction), at: .mail) }
        func rcpt(_ recipient: EnvelopeRecipient, _ transaction: inout Transaction) async -> FilterAnswer {
            owner.heard(await session.rcpt(recipient, &transaction), at: .rcpt)
        }
        func data(_ transaction: inout Transaction) async -> FilterAnswer { owner.heard(await session.data(&transaction), at: .data) }
        func endOfMessage(_ transaction: inout Transaction) async -> FilterAnswer { owner.heard(await session.endOfMessage(&transaction), at: .endOfMessage) }
        func abort() async { await session.abort() }
        func close() async { await session.close() }
    }
}
