import DKIM
import Foundation
import InternetMessage
import Logging
import Milter
import NetworkAddress

/// Signs our own mail with every key that fits its From domain. Last in the chain: what it signs is what leaves.
///
/// It never signs what nobody of ours sent, nor twice: a message that already bears a signature of the same domain
/// and selector passes unchanged.
public struct SigningFilter: MailFilter, FilterSession {
    public let name = "dkim-signing"
    public let stages: Set<MilterStage> = [.endOfMessage]
    public let changes: Set<Modification.Kind> = [.addHeaders]
    private let keys: KeyTable
    private let signer: DKIMSigner
    private let mayWriteAs: @Sendable (_ account: String, _ address: EmailAddress) -> Bool
    private let logger: Logger

    /// - Parameter mayWriteAs: whether an account that logged in owns a From address.
    public init(keys: KeyTable, mayWriteAs: @escaping @Sendable (String, EmailAddress) -> Bool, logger: Logger) {
        self.keys = keys
        signer = DKIMSigner()
        self.mayWriteAs = mayWriteAs
        self.logger = logger
    }

    public func makeSession() -> any FilterSession { self }

    public func endOfMessage(_ transaction: inout Transaction) async -> FilterAnswer {
        guard transaction.connection.isOriginating, let author = Author.only(in: transaction.message.header) else { return .continue }
        if let account = transaction.connection.authenticatedUser, !mayWriteAs(account, author) { return .continue }
        guard let domain = author.domainName else { return .continue }
        sign(&transaction, keys.keys(for: domain))
        return .continue
    }

    private func sign(_ transaction: inout Transaction, _ candidates: [SigningKey]) {
        let fresh = candidates.filter { key in !isSigned(transaction.message, by: key) }
        guard !fresh.isEmpty else { return }
        do {
            for field in try signer.sign(transaction.message, with: fresh, at: Date()).reversed() {
                transaction.apply(.insertHeader(index: 0, field))
            }
            transaction[SignedByKey.self] = fresh.map { "\($0.domain)/\($0.selector)" }
        } catch {
            // Unsigned mail is better than none: a receiver decides by SPF.
            logger.error("signing failed", metadata: ["id": "\(transaction.id)", "error": "\(error)"])
        }
    }

    private func isSigned(_ message: Message, by key: SigningKey) -> Bool {
        message.header.all("DKIM-Signature").contains { field in
            let tags = field.value.split(separator: ";").map { $0.filter { !$0.isWhitespace } }
            return tags.contains { $0.lowercased() == "d=\(key.domain.text)" } && tags.contains { $0.lowercased() == "s=\(key.selector.lowercased())" }
        }
    }
}
