import Delivery
import Foundation
import InternetMessage
import MailQueue
import Milter
import SMTPCore

/// Where a recipient's copies go.
enum RecipientRoute {
    /// Of mail that the gateway makes itself, as a bounce. What is for an address of ours that nobody has goes to the
    /// postmaster: another server would only send it back.
    /// - Throws: ``AccountError`` when the accounts cannot be read now. To take a recipient of ours for a remote one then
    ///   would send its mail round in circles or back.
    static func generated(_ address: EmailAddress, _ book: AddressBook) throws -> [RoutedRecipient] {
        let places = try book.destinations(of: address, from: nil)
        if places.isEmpty, book.isLocal(address), let account = try book.postmasterAccount() {
            return [RoutedRecipient(address, notify: [], destination: .local(LocalDestination(account: account.name)))]
        }
        guard !places.isEmpty else { return [RoutedRecipient(address, notify: [], destination: .remote)] }
        return places.map { RoutedRecipient($0.address, original: address, notify: [], destination: destination($0, DeliveryHints(), nil)) }
    }

    static func destination(_ place: MailPlace, _ hints: DeliveryHints, _ recipient: EmailAddress?, quarantine: String? = nil) -> QueueRecipient.Destination {
        guard case .account(let name) = place.kind else { return .remote }
        let keywords = hints.keywords.union(recipient.flatMap { hints.recipientKeywords[$0] } ?? [])
        return .local(LocalDestination(account: name, folder: quarantine ?? hints.folder, keywords: keywords))
    }
}

extension RoutedRecipient {
    /// What makes two recipients one copy: the same address in the same account, or away.
    struct Copy: Hashable {
        let address: EmailAddress
        let account: String?
    }

    mutating func addKeywords(of other: RoutedRecipient) {
        guard case .local(var place) = destination, case .local(let more) = other.destination else { return }
        place.keywords.formUnion(more.keywords)
        destination = .local(place)
    }

    var copy: Copy {
        guard case .local(let place) = destination else { return Copy(address: address.folded, account: nil) }
        return Copy(address: address.folded, account: place.account)
    }
}

/// Routes the recipients of one message: aliases followed, senders of forwarded copies rewritten, what the sender asked to
/// be told passed on or answered as RFC 3461 §5.2.7 has it.
struct RecipientRouter {
    let book: AddressBook
    let transaction: Transaction
    let sender: QueueSender
    /// The folder of held mail; nil for mail that is not held.
    let quarantine: String?

    struct Routed {
        var recipients: [RoutedRecipient] = []
        var notices: [Submission.Notice] = []
    }

    /// - Throws: ``LostRecipient``, or why the accounts cannot be read now.
    func route(_ recipient: EnvelopeRecipient) throws -> Routed {
        let places = try book.destinations(of: recipient.address, from: transaction.sender.address)
        let notify = DeliverySink.notify(recipient.parameters["NOTIFY"]), given = recipient.parameters["ORCPT"]
        // Ours and nobody's: a filter added it, or the account went since RCPT. To relay it would bring it back here.
        guard !places.isEmpty else { throw LostRecipient(address: recipient.address) }
        var out = Routed()
        for place in places {
            var one = RoutedRecipient(place.address, original: recipient.original, notify: notify, originalRecipient: given,
                                      destination: RecipientRoute.destination(place, transaction.deliveryHints, recipient.address, quarantine: quarantine))
            // Not of the client's naming: only a filter leads mail from outside out again without an alias.
            if !place.isMapped, place.kind == .remote, !transaction.connection.isOriginating { one.sender = rewritten() }
            if place.isMapped { pass(place, isOne: places.count == 1, recipient, &one) }
            out.recipients.append(one)
        }
        // §5.2.7.1 and §5.2.7.3: the request ends here, and is answered here.
        let goesOn = out.recipients.contains { $0.notify?.contains(.success) == true }
        if notify?.contains(.success) == true, !goesOn {
            let isList = places.contains { $0.owner != nil }
            let told = RoutedRecipient(recipient.address, original: recipient.original, notify: notify, originalRecipient: given, destination: .remote)
            out.notices = [Submission.Notice(action: isList ? .delivered : .expanded, recipient: told)]
        }
        return out
    }

    /// What an alias changes in a copy's envelope.
    private func pass(_ place: MailPlace, isOne: Bool, _ recipient: EnvelopeRecipient, _ copy: inout RoutedRecipient) {
        if let owner = place.owner, sender.address != nil {
            // §5.2.7.1: a list with an owner; nothing of the sender's requests goes on.
            (copy.notify, copy.originalRecipient) = (nil, nil)
            copy.sender = QueueSender(owner, smtpUTF8: sender.smtpUTF8, eightBitMIME: sender.eightBitMIME, requireTLS: sender.requireTLS)
            return
        }
        // §5.2.7.2: to a single address everything; §5.2.7.3 (c): to several all but SUCCESS.
        if !isOne { copy.notify?.remove(.success) }
        // The address type is another one for these (RFC 6533 §3).
        if !recipient.original.needsSMTPUTF8 { copy.originalRecipient = copy.originalRecipient ?? "rfc822;" + Xtext.encode(recipient.original.description) }
        if place.kind == .remote { copy.sender = rewritten() }
    }

    /// The sender of a copy that leaves again; nil to leave it as it is.
    private func rewritten() -> QueueSender? {
        guard let address = sender.address, !book.isLocal(address), address.domainName != book.hostname, let srs = book.tables?.srs,
            address.domainName != srs.domain, let fresh = srs.forward(address, now: Int(Date().timeIntervalSince1970)) else { return nil }
        var out = sender
        out.address = fresh
        return out
    }
}
