import DecisionRecords
import InternetMessage
import Milter

/// Modifications to their record and back.
enum ChangeRecord {
    /// Changes, and octets of them, that are kept; what comes after is not.
    private static let countLimit = 1000
    private static let octetLimit = 65_536

    static func make(_ modifications: [Modification]) -> [DecisionRecord.Change] {
        var octets = 0
        var out: [DecisionRecord.Change] = []
        for modification in modifications.prefix(countLimit) {
            let change = make(modification)
            octets += (change.text?.utf8.count ?? 0) + 32
            guard octets <= octetLimit else { break }
            out.append(change)
        }
        return out
    }

    static func make(_ modification: Modification) -> DecisionRecord.Change {
        switch modification {
        case .insertHeader(let index, let field): .init(.insertHeader, number: index, text: field.description)
        case .addHeader(let field): .init(.addHeader, text: field.description)
        case .changeHeader(let name, let occurrence, let field?): .init(.changeHeader, number: occurrence, name: name, text: field.description)
        case .changeHeader(let name, let occurrence, nil): .init(.removeHeader, number: occurrence, name: name)
        case .addRecipient(let recipient): .init(.addRecipient, text: recipient.address.description)
        case .removeRecipient(let address): .init(.removeRecipient, text: address.description)
        case .changeSender(let sender): .init(.changeSender, text: sender.address?.description ?? "")
        case .replaceBody(let body): .init(.replaceBody, number: body.count)
        case .quarantine(let reason): .init(.quarantine, text: reason)
        }
    }

    /// nil when its text cannot be read back.
    static func modification(_ change: DecisionRecord.Change) -> Modification? {
        let field = change.text.flatMap { HeaderField(bytes: Array($0.utf8)) }
        let address = change.text.flatMap { EmailAddress($0) }
        switch change.kind {
        case .insertHeader: return field.map { .insertHeader(index: change.number ?? 0, $0) }
        case .addHeader: return field.map { .addHeader($0) }
        case .changeHeader: return field.map { .changeHeader(name: change.name ?? $0.name, occurrence: change.number ?? 1, $0) }
        case .removeHeader: return change.name.map { .changeHeader(name: $0, occurrence: change.number ?? 1, nil) }
        case .addRecipient: return address.map { .addRecipient(EnvelopeRecipient($0)) }
        case .removeRecipient: return address.map { .removeRecipient($0) }
        case .changeSender: return .changeSender(EnvelopeSender(address))
        case .replaceBody: return .replaceBody(MessageBody(absent: change.number ?? 0))
        case .quarantine: return .quarantine(change.text ?? "")
        }
    }
}
