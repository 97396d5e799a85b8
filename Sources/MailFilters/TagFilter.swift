import DMARC
import Foundation
import InternetMessage
import Logging
import Milter
import NetworkAddress
import Tags

/// The ledger's word on mail to tagged addresses: at RCPT what it knows of the tag, at end of message who used it.
public struct TagFilter: MailFilter, FilterSession {
    public static let headerName = "X-Postern-Tag"
    /// The IMAP keyword on a copy whose tag was leaked.
    public static let leakedKeyword = "$Leaked"

    public let name = "tags"
    public let stages: Set<MilterStage> = [.rcpt, .endOfMessage]
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
        var found: [TaggedRecipient] = []
        for (recipient, tag) in tagged {
            guard let verdict = judge(tag, identity, transaction) else { continue }
            found.append(TaggedRecipient(recipient: recipient.address, verdict: verdict))
            if verdict.status == .leaked { transaction.deliveryHints.recipientKeywords[recipient.address, default: []].insert(Self.leakedKeyword) }
        }
        transaction[TagKey.self] = found
        for one in found { transaction.apply(.addHeader(header(one, alone: transaction.recipients.count == 1))) }
        return .continue
    }

    private func judge(_ tag: TagAddress, _ identity: SenderIdentity, _ transaction: Transaction) -> TagVerdict? {
        do {
            let messageID = transaction.message.header.first("Message-ID")?.value ?? transaction.id
            return try ledger.judge(tag: tag, identity: identity, messageID: messageID, at: Date())
        } catch {
            // The ledger is a witness, not a gate: mail goes on without it.
            logger.error("tag ledger", metadata: ["id": "\(transaction.id)", "error": "\(error)"])
            return nil
        }
    }

    /// Names the tag only where the copy goes to its owner alone: other recipients must not learn of it.
    private func header(_ tagged: TaggedRecipient, alone: Bool) -> HeaderField {
        var parts = [tagged.verdict.status.rawValue]
        if alone {
            parts.append("tag=\(tagged.verdict.tag.detail)")
            if let offender = tagged.verdict.offender { parts.append("by=\(offender)") }
            if !tagged.verdict.owners.isEmpty { parts.append("owner=\(tagged.verdict.owners.map(\.text).joined(separator: ","))") }
        }
        return HeaderField(name: Self.headerName, value: parts.joined(separator: "; "))
    }

    private func removeForgeries(_ transaction: inout Transaction) {
        var count = transaction.message.header.count(of: Self.headerName)
        while count > 0 {
            transaction.apply(.changeHeader(name: Self.headerName, occurrence: count, nil))
            count -= 1
        }
    }
}

/// Whose word stands for the sender: DMARC's aligned domain, else DKIM's, else SPF's, as organisational domains.
enum SenderIdentities {
    static func find(in transaction: Transaction, dmarc: DMARCEvaluator) async -> SenderIdentity {
        var domains: [(DomainName, SenderIdentity.Method)] = []
        if let result = transaction[DMARCKey.self], result.verdict == .pass, let from = result.fromDomain { domains.append((from, .dmarc)) }
        for signature in transaction[DKIMKey.self] ?? [] where signature.verdict == .pass {
            if let domain = signature.domain { domains.append((domain, .dkim)) }
        }
        if let spf = transaction[SPFKey.self]?.mailFrom, spf.verdict == .pass, let domain = spf.domain { domains.append((domain, .spf)) }
        var identity = SenderIdentity()
        for (domain, method) in domains {
            identity.add(await dmarc.organizationalDomain(of: domain) ?? domain, by: method)
        }
        return identity
    }
}
