import Foundation
import InternetMessage

/// What is known of every message without opening its file: some 150 octets a message with one recipient.
struct QueueIndex {
    struct Recipient {
        /// Seconds since 1970; infinite when settled.
        var due: Double
        var domain: UInt32

        var isPending: Bool { due < .infinity }
    }

    struct Record {
        var arrival: Double
        var byteCount: Int
        var sender: UInt32
        var isHeld: Bool
        var recipients: [Recipient]

        var pendingCount: Int { recipients.count(where: \.isPending) }
    }

    /// nil marks an id whose file is being written.
    private(set) var records: [String: Record?] = [:]
    private(set) var domains = NameTable()
    private(set) var senders = NameTable()

    var count: Int { records.count }
    subscript(_ id: String) -> Record? { records[id] ?? nil }
    func contains(_ id: String) -> Bool { records[id] != nil }

    mutating func reserve(_ id: String) { records[id] = .some(nil) }

    mutating func add(_ envelope: QueueEnvelope, byteCount: Int) {
        let recipients = envelope.recipients.map { recipient in
            Recipient(due: recipient.status.nextAttempt?.timeIntervalSince1970 ?? .infinity, domain: domains.take(Self.domain(of: recipient)))
        }
        records[envelope.id] = .some(Record(arrival: envelope.arrival.timeIntervalSince1970, byteCount: byteCount, sender: senders.take(Self.flow(of: envelope.sender)),
                                            isHeld: envelope.hold != nil, recipients: recipients))
    }

    mutating func remove(_ id: String) {
        guard let record = records.removeValue(forKey: id) ?? nil else { return }
        senders.release(record.sender)
        for recipient in record.recipients { domains.release(recipient.domain) }
    }

    /// - Returns: whether nothing is pending any more; nil when there is no such message or recipient.
    mutating func note(_ id: String, _ statuses: [Int: RecipientStatus]) -> Bool? {
        guard var record = self[id], statuses.keys.allSatisfy(record.recipients.indices.contains) else { return nil }
        for (recipient, status) in statuses where record.recipients[recipient].isPending {
            record.recipients[recipient].due = status.nextAttempt?.timeIntervalSince1970 ?? .infinity
        }
        records[id] = .some(record)
        return record.pendingCount == 0
    }

    mutating func setHeld(_ id: String, _ isHeld: Bool) {
        guard var record = self[id] else { return }
        record.isHeld = isHeld
        records[id] = .some(record)
    }

    /// The destination's name: the domain, folded; ``MailQueue/localDomain`` for copies that stay here.
    static func domain(of recipient: QueueRecipient) -> String {
        if case .local = recipient.destination { MailQueue.localDomain } else { recipient.address.domainText.lowercased() }
    }

    /// Whose mail it is, for taking turns. What a mailing writes behind its name to know each message's bounce (VERP:
    /// `list-bounces+bob=example.net@`) is left off, so that it stays one sender.
    static func flow(of sender: QueueSender) -> String {
        guard let address = sender.address else { return "" }
        let name = address.localPart.prefix { !"+=-".contains($0) }
        return (name.isEmpty ? address.localPart[...] : name).lowercased() + "@" + address.domainText.lowercased()
    }
}
