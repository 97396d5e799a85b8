import DMARC
import Foundation
import InternetMessage
import Logging
import Milter
import NetworkAddress
import Tags

/// The ledger's word on mail to tagged addresses: at RCPT what it knows of the tag, at end of message what it would mean
/// if the message were taken. The rules come next, and then ``TagRecorder`` remembers it.
public struct TagFilter: MailFilter, FilterSession {
    public static let headerName = "X-Postern-Tag"
    /// The IMAP keyword on a copy whose tag was leaked.
    public static let leakedKeyword = "$Leaked"

    public let name = "tags"
    public let stages: Set<MilterStage> = [.rcpt, .endOfMessage]
    public let changes: Set<Modification.Kind> = [.addHeaders, .changeHeaders]
    private let ledger: TagLedger
    private let dmarc: DMARCEvaluator
    private let tagIn: @Sendable (EmailAddress) -> TagAddress?
    private let logger: Logger

    /// - Parameter tagIn: the tag in an address of ours, looked for in what the client said, before any alias.
    public init(ledger: TagLedger, dmarc: DMARCEvaluator, tagIn: @escaping @Sendable (EmailAddress) -> TagAddress?, logger: Logger) {
        self.ledger = ledger
        self.dmarc = dmarc
        self.tagIn = tagIn
        self.logger = logger
    }

    /// What remembers this filter's verdicts once the rules have decided.
    public var recorder: TagRecorder { TagRecorder(ledger: ledger, logger: logger) }

    public func makeSession() -> any FilterSession { self }

    public func rcpt(_ recipient: EnvelopeRecipient, _ transaction: inout Transaction) async -> FilterAnswer {
        transaction[RecipientTagKey.self] = tagIn(recipient.original).flatMap { tag in
            do { return try ledger.status(of: tag) } catch {
                logger.error("tag ledger", metadata: ["id": "\(transaction.id)", "error": "\(error)"])
                return nil
            }
        }
        return .continue
    }

    public func endOfMessage(_ transaction: inout Transaction) async -> FilterAnswer {
        removeForgeries(&transaction)
        // What our own users send to a tag of theirs says nothing about a leak.
        guard !transaction.connection.isOriginating else { return .continue }
        let tagged = transaction.recipients.compactMap { recipient in tagIn(recipient.original).map { (recipient, $0) } }
        guard !tagged.isEmpty else { return .continue }
        let identity = await SenderIdentities.find(in: transaction, dmarc: dmarc)
        transaction[SenderIdentityKey.self] = identity
        transaction[TagKey.self] = tagged.compactMap { recipient, tag in
            do { return TaggedRecipient(recipient: recipient.address, verdict: try ledger.assess(tag: tag, identity: identity)) } catch {
                // The ledger is a witness, not a gate: mail goes on without it.
                logger.error("tag ledger", metadata: ["id": "\(transaction.id)", "error": "\(error)"])
                return nil
            }
        }
        return .continue
    }

    private func removeForgeries(_ transaction: inout Transaction) {
        var count = transaction.message.header.count(of: Self.headerName)
        while count > 0 {
            transaction.apply(.changeHeader(name: Self.headerName, occurrence: count, nil))
            count -= 1
        }
    }
}
