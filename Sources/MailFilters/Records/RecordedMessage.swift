import DecisionRecords
import Foundation
import InternetMessage
import Milter
import NetworkAddress
import Policy

/// A message as its record has it, for the rules to be asked again: what they saw then, without DNS and without its body.
public struct RecordedMessage: Sendable {
    public let record: DecisionRecord
    private let header: [UInt8]

    public init(_ stored: StoredDecision) {
        record = stored.record
        header = stored.header
    }

    /// Whether the rules of stage `message` were reached; then everything they may ask is here.
    public var wasJudged: Bool { record.changesByRules != nil }

    /// What the rules had looked up.
    public var lookups: PolicyLookups {
        record.results.lookups.flatMap { try? JSONDecoder().decode(PolicyLookups.self, from: Data($0.utf8)) } ?? PolicyLookups()
    }

    /// The connection as it showed itself.
    public var connection: ConnectionFacts { Self.facts(record.client) }
    public var helo: String { record.client.helo }

    /// The transaction at MAIL.
    public var begun: Transaction {
        Transaction(id: record.id, connection: connection, helo: helo,
                    sender: EnvelopeSender(record.envelope.sender.flatMap { EmailAddress($0) }, parameters: record.envelope.parameters))
    }

    /// The recipients that the rules were asked about: all but those that somebody else refused before.
    public var recipients: [EnvelopeRecipient] {
        record.envelope.recipients.filter { $0.refusal == nil || $0.refusedBy == "policy" }.compactMap { recipient in
            EmailAddress(recipient.address).map {
                EnvelopeRecipient($0, original: recipient.original.flatMap { EmailAddress($0) }, parameters: recipient.parameters)
            }
        }
    }

    /// Puts in what the filter before the rules found of a recipient.
    public func noteTag(of recipient: EnvelopeRecipient, in transaction: inout Transaction) {
        let text = recipient.address.description
        transaction[RecipientTagKey.self] = record.envelope.recipients.first { $0.address == text }?.tag.flatMap { .init(rawValue: $0) }
    }

    /// Puts in what was there at end of message when the rules were asked: header, size, results, earlier filters' changes.
    /// Of the body there is only its size.
    public func complete(_ transaction: inout Transaction) {
        let parsed = MessageHeader.parse(header[...]).header
        let size = max((record.size ?? 0) - parsed.byteCount - 2, 0)
        transaction.receive(Message(header: parsed, body: MessageBody(absent: size)))
        if let origin = record.origin {
            transaction.connection = Self.facts(origin)
            transaction.helo = origin.helo
        }
        record.results.restore(in: &transaction)
        for change in record.changes.prefix(record.changesByRules?.lowerBound ?? 0) {
            if let modification = ChangeRecord.modification(change) { transaction.apply(modification) }
        }
    }

    /// The changes that rules made, in the record's terms.
    public static func changes(_ modifications: some Sequence<Modification>) -> [DecisionRecord.Change] { ChangeRecord.make(Array(modifications)) }

    private static func facts(_ client: DecisionRecord.Client) -> ConnectionFacts {
        ConnectionFacts(
            clientAddress: client.address.flatMap { IPAddress($0) }, clientPort: client.port.flatMap { UInt16(exactly: $0) }, clientName: client.name,
            localAddress: client.localAddress.flatMap { IPAddress($0) }, localPort: client.localPort.flatMap { UInt16(exactly: $0) },
            listener: client.listener, daemonName: client.daemon ?? "", isOwnNetwork: client.isOwn,
            tls: client.tls.map { TLSFacts(version: $0.version, cipher: $0.cipher, cipherBits: $0.bits, serverName: $0.serverName) },
            authenticatedUser: client.account, authenticationMechanism: client.mechanism)
    }
}
