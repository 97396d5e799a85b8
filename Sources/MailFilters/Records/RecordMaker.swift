import DecisionRecords
import InternetMessage
import Milter

/// Makes the record of a transaction that ended.
public enum RecordMaker {
    /// - Parameter time: milliseconds since 1970.
    public static func make(_ end: TransactionEnd, at time: Int) -> StoredDecision {
        let (received, after) = (end.received, end.transaction)
        var record = DecisionRecord(
            id: received.id, time: time, client: client(received.connection, helo: received.helo), envelope: envelope(end), verdict: verdict(end))
        record.mtaID = end.mtaID
        record.messageID = received.message.header.first("Message-ID").map { messageID($0.value) }
        if received.connection.clientAddress != after.connection.clientAddress || received.helo != after.helo {
            record.origin = client(after.connection, helo: after.helo)
        }
        record.envelopeAfter = changedEnvelope(received, after)
        record.size = end.size
        record.results = ResultsRecord.make(after)
        record.rules = ResultsRecord.rules(after)
        record.changes = ChangeRecord.make(after.modifications)
        let notes = after[PolicyNotesKey.self]
        record.changesByRules = notes?.changes.flatMap { $0.upperBound <= record.changes.count ? $0 : nil }
        record.folder = after.deliveryHints.folder
        record.keywords = (notes?.changes == nil ? after.deliveryHints.keywords : notes?.keywords ?? []).sorted()
        record.quarantine = after.quarantineReason
        record.copies = after[CopiesKey.self] ?? []
        let header = header(received.message.header)
        record.isHeaderCut = header.isCut
        return StoredDecision(record, header: header.octets)
    }

    /// The small record of a connection that got no further.
    public static func make(_ refusal: ConnectionRefusal, at time: Int) -> StoredDecision {
        let transaction = refusal.transaction
        var record = DecisionRecord(
            id: transaction.id, time: time, client: client(transaction.connection, helo: transaction.helo), envelope: .init(sender: nil),
            verdict: .init(refusal.reply.isTransient ? .deferred : .rejected, reply: refusal.reply.description, stage: stage(refusal.stage), filter: refusal.filter))
        record.results = ResultsRecord.make(transaction)
        record.rules = ResultsRecord.rules(transaction)
        return StoredDecision(record)
    }

    // MARK: The parts

    static func client(_ facts: ConnectionFacts, helo: String) -> DecisionRecord.Client {
        DecisionRecord.Client(
            listener: facts.listener, address: facts.clientAddress?.description, port: facts.clientPort.map(Int.init), name: facts.clientName,
            localAddress: facts.localAddress?.description, localPort: facts.localPort.map(Int.init), daemon: facts.daemonName.isEmpty ? nil : facts.daemonName,
            isOwn: facts.isOwnNetwork,
            tls: facts.tls.map { .init(version: $0.version, cipher: $0.cipher, bits: $0.cipherBits, serverName: $0.serverName) },
            account: facts.authenticatedUser, mechanism: facts.authenticationMechanism, helo: helo)
    }

    private static func envelope(_ end: TransactionEnd) -> DecisionRecord.Envelope {
        let notes = end.transaction[PolicyNotesKey.self]
        var recipients: [DecisionRecord.Recipient] = []
        var refusals = end.refusals[...]
        func addRefusals(before position: Int) {
            while let refusal = refusals.first, refusal.position <= position {
                recipients.append(recipient(refusal.recipient, notes, refusal))
                refusals = refusals.dropFirst()
            }
        }
        for (position, taken) in end.received.recipients.enumerated() {
            addRefusals(before: position)
            recipients.append(recipient(taken, notes, nil))
        }
        addRefusals(before: .max)
        return .init(sender: end.received.sender.address?.description, parameters: end.received.sender.parameters, recipients: recipients)
    }

    private static func recipient(_ recipient: EnvelopeRecipient, _ notes: PolicyNotes?, _ refusal: RecipientRefusal?) -> DecisionRecord.Recipient {
        .init(recipient.address.description, original: recipient.original == recipient.address ? nil : recipient.original.description,
              parameters: recipient.parameters, refusal: refusal?.reply.description, refusedBy: refusal?.filter, tag: notes?.standing[recipient.address])
    }

    private static func changedEnvelope(_ received: Transaction, _ after: Transaction) -> DecisionRecord.Envelope? {
        guard received.sender.address != after.sender.address || received.recipients.map(\.address) != after.recipients.map(\.address) else { return nil }
        return .init(sender: after.sender.address?.description, parameters: after.sender.parameters,
                     recipients: after.recipients.map { recipient($0, nil, nil) })
    }

    private static func verdict(_ end: TransactionEnd) -> DecisionRecord.Verdict {
        let stage = end.stage.map(stage)
        switch end.outcome {
        case .accepted(let reply): return .init(.accepted, reply: reply.description)
        case .refused(let reply): return .init(reply.isTransient ? .deferred : .rejected, reply: reply.description, stage: stage, filter: end.filter)
        case .discarded: return .init(.discarded, stage: stage, filter: end.filter)
        case .abandoned:
            // Nobody was left to send it to: then the last refusal is the message's.
            guard end.received.recipients.isEmpty, let last = end.refusals.last else { return .init(.abandoned) }
            return .init(last.reply.isTransient ? .deferred : .rejected, reply: last.reply.description, stage: "rcpt", filter: last.filter)
        }
    }

    /// As rule files name it.
    public static func stage(_ stage: MilterStage) -> String {
        switch stage {
        case .unknownCommand: "command"
        case .connect: "connect"
        case .helo: "helo"
        case .mail: "mail"
        case .rcpt: "rcpt"
        case .data: "data"
        case .header, .endOfHeaders, .body, .endOfMessage: "message"
        }
    }

    /// Whole fields from the top, as many as there is room for.
    private static func header(_ header: MessageHeader) -> (octets: [UInt8], isCut: Bool) {
        var out: [UInt8] = []
        for field in header.fields {
            guard out.count + field.bytes.count + 2 <= StoredDecision.headerLimit else { return (out, true) }
            out += field.bytes
            out += [13, 10]
        }
        return (out, false)
    }

    public static func messageID(_ value: String) -> String {
        let bare = value.hasPrefix("<") && value.hasSuffix(">") ? String(value.dropFirst().dropLast()) : value
        return String(bare.unicodeScalars.prefix(998))
    }
}
