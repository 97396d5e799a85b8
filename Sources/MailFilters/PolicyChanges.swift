import InternetMessage
import Milter
import Policy

/// What the rules change about a message and its envelope.
enum PolicyChanges {
    /// Recipients that rules added to one message, at the most.
    static let addedLimit = 50

    static func apply(_ action: PolicyAction, to transaction: inout Transaction, _ recipient: EnvelopeRecipient?) {
        switch action {
        case .quarantine(let reason): transaction.apply(.quarantine(reason))
        case .addHeader(let field): transaction.apply(.addHeader(field))
        case .setHeader(let field): set(field, in: &transaction)
        case .removeHeader(let name): remove(name, from: &transaction, keeping: 0)
        case .subjectPrefix(let prefix): prefixSubject(prefix, in: &transaction)
        case .fileInto(let folder): transaction.deliveryHints.folder = folder
        case .addKeyword(let keyword): transaction.deliveryHints.keywords.insert(keyword)
        // Noted before, for the tag ledger.
        case .exemptTag: break
        case .redirect(let address), .changeRecipient(let address): redirect(to: address, in: &transaction, recipient)
        case .copy(let address): copy(to: address, in: &transaction, recipient)
        }
    }

    // MARK: Recipients

    /// At RCPT the change is noted: the milter protocol, and so every front end, changes recipients at the end only.
    private static func redirect(to address: EmailAddress, in transaction: inout Transaction, _ recipient: EnvelopeRecipient?) {
        guard recipient == nil else { return note(RecipientChange(from: recipient?.address, to: address), in: &transaction) }
        replace(transaction.recipients, with: address, in: &transaction)
    }

    private static func copy(to address: EmailAddress, in transaction: inout Transaction, _ recipient: EnvelopeRecipient?) {
        guard recipient == nil else { return note(RecipientChange(from: nil, to: address), in: &transaction) }
        add(address, in: &transaction)
    }

    private static func note(_ change: RecipientChange, in transaction: inout Transaction) {
        var changes = transaction[RecipientChangesKey.self, default: []]
        guard changes.count < transaction.recipients.count + addedLimit, !changes.contains(change) else { return }
        changes.append(change)
        transaction[RecipientChangesKey.self] = changes
    }

    /// Does what rules of stage `rcpt` wished, for the recipients that were taken.
    static func applyRecipientChanges(to transaction: inout Transaction) {
        for change in transaction[RecipientChangesKey.self] ?? [] {
            guard let old = change.from else {
                add(change.to, in: &transaction)
                continue
            }
            replace(transaction.recipients.filter { $0.address == old }, with: change.to, in: &transaction)
        }
        transaction[RecipientChangesKey.self] = nil
    }

    /// The new recipient keeps what the first of the old ones asked for, notices above all.
    private static func replace(_ old: [EnvelopeRecipient], with address: EmailAddress, in transaction: inout Transaction) {
        guard let first = old.first else { return }
        for recipient in old where recipient.address != address { transaction.apply(.removeRecipient(recipient.address)) }
        guard !has(address, transaction) else { return }
        transaction.apply(.addRecipient(EnvelopeRecipient(address, original: first.original, parameters: first.parameters)))
    }

    /// A copy is a matter of this house: no notice about it goes to the sender (RFC 3461 §4.1), and a recipient that is
    /// there already gets no second one.
    private static func add(_ address: EmailAddress, in transaction: inout Transaction) {
        guard !has(address, transaction), transaction.recipients.count < 1 << 16 else { return }
        transaction.apply(.addRecipient(EnvelopeRecipient(address, parameters: ["NOTIFY": "NEVER"])))
    }

    private static func has(_ address: EmailAddress, _ transaction: Transaction) -> Bool {
        transaction.recipients.contains { $0.address.folded == address.folded }
    }

    // MARK: Header

    private static func set(_ field: HeaderField, in transaction: inout Transaction) {
        remove(field.name, from: &transaction, keeping: 1)
        transaction.apply(.changeHeader(name: field.name, occurrence: 1, field))
    }

    /// From the last to the first, so that the occurrence numbers of those still to go stay right.
    private static func remove(_ name: String, from transaction: inout Transaction, keeping kept: Int) {
        var count = transaction.message.header.count(of: name)
        while count > kept {
            transaction.apply(.changeHeader(name: name, occurrence: count, nil))
            count -= 1
        }
    }

    private static func prefixSubject(_ prefix: String, in transaction: inout Transaction) {
        let subject = transaction.message.header.first("Subject")
        guard subject?.decodedValue.hasPrefix(prefix) != true else { return }
        // In front of the field as it is: a long one stays folded (RFC 5322 §2.1.1).
        let rest = subject.map { $0.rawValue.first == 32 || $0.rawValue.first == 9 || $0.rawValue.first == 13 ? Array($0.rawValue) : [32] + $0.rawValue } ?? []
        let field = HeaderField(name: "Subject", rawValue: Array(" \(EncodedWords.encode(prefix))".utf8) + (subject?.value.isEmpty == false ? rest : []))
        transaction.apply(.changeHeader(name: "Subject", occurrence: 1, field))
    }
}

/// A wish of a rule at RCPT.
public struct RecipientChange: Sendable, Hashable {
    /// nil: `to` gets a copy; else it takes this one's place.
    public let from: EmailAddress?
    public let to: EmailAddress
}
