import Foundation
import InternetMessage
import Logging
import Milter
import NetworkAddress
import Tags

/// Remembers what a message to tagged addresses meant, once the rules have decided, and marks the copies.
public struct TagRecorder: Sendable {
    private let ledger: TagLedger
    private let logger: Logger

    init(ledger: TagLedger, logger: Logger) {
        self.ledger = ledger
        self.logger = logger
    }

    /// - Parameter exemption: why a rule says that the message is no evidence; nil: none does.
    func conclude(_ transaction: inout Transaction, _ decision: FilterAnswer, exemption: String?) {
        guard let tagged = transaction[TagKey.self], let identity = transaction[SenderIdentityKey.self] else { return }
        // It comes again, and is judged then.
        if case .tempfail = decision { return }
        let isRefused = decision.isNegative
        let ruling: TagLedger.Ruling = exemption.map { .exempt($0) } ?? (isRefused ? .refused : .taken)
        let found = tagged.map { TaggedRecipient(recipient: $0.recipient, verdict: judge($0.verdict, identity, ruling, transaction)) }
        transaction[TagKey.self] = found
        if !isRefused { mark(&transaction, found) }
    }

    private func judge(_ assessed: TagVerdict, _ identity: SenderIdentity, _ ruling: TagLedger.Ruling, _ transaction: Transaction) -> TagVerdict {
        do {
            let messageID = transaction.message.header.first("Message-ID")?.value ?? transaction.id
            return try ledger.judge(tag: assessed.tag, identity: identity, messageID: messageID, at: Date(), ruling: ruling)
        } catch {
            logger.error("tag ledger", metadata: ["id": "\(transaction.id)", "error": "\(error)"])
            return assessed
        }
    }

    private func mark(_ transaction: inout Transaction, _ found: [TaggedRecipient]) {
        // What the ledger says of one recipient's tag is not for the others, and not for what a rule exempted: a rule that
        // added the keyword meant just these copies.
        transaction.deliveryHints.keywords.remove(TagFilter.leakedKeyword)
        for one in found where one.verdict.status == .leaked {
            // A rule may have led the copy elsewhere meanwhile.
            for now in transaction.recipients where now.original == one.recipient || now.address == one.recipient {
                transaction.deliveryHints.recipientKeywords[now.address, default: []].insert(TagFilter.leakedKeyword)
            }
        }
        for one in found { transaction.apply(.addHeader(header(one, alone: transaction.recipients.count == 1))) }
    }

    /// Names the tag only where the copy goes to its owner alone: other recipients must not learn of it.
    private func header(_ tagged: TaggedRecipient, alone: Bool) -> HeaderField {
        var parts = [tagged.verdict.status.rawValue]
        if alone {
            parts.append("tag=\(tagged.verdict.tag.detail)")
            if let offender = tagged.verdict.offender { parts.append("by=\(offender)") }
            if !tagged.verdict.owners.isEmpty { parts.append("owner=\(tagged.verdict.owners.map(\.text).joined(separator: ","))") }
        }
        return HeaderField(name: TagFilter.headerName, value: parts.joined(separator: "; "))
    }
}
