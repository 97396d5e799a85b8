import InternetMessage
import Logging
import Milter
import NetworkAddress

/// Of mail that a relay of ours passes on, takes the client's address, HELO and TLS facts from the Received field the
/// relay wrote, so that SPF, DMARC and iprev are about who sent to the relay, and not about the relay (RFC 8601 §3's
/// "border" is then the relay). First in the chain.
///
/// Only fields written by trusted hosts are read: from the top down while the client they name is trusted itself.
public struct TrustedRelayFilter: MailFilter, FilterSession {
    public let name = "trusted-relays"
    public let stages: Set<MilterStage> = [.endOfMessage]
    public let changes: Set<Modification.Kind> = []
    private let relays: [IPNetwork]
    private let logger: Logger
    /// Hops within our own walls; a longer way is a loop.
    private static let hopLimit = 10

    public init(relays: [IPNetwork], logger: Logger) {
        self.relays = relays
        self.logger = logger
    }

    public func makeSession() -> any FilterSession { self }

    public func endOfMessage(_ transaction: inout Transaction) async -> FilterAnswer {
        guard let client = transaction.connection.clientAddress, isTrusted(client), transaction.connection.authenticatedUser == nil else { return .continue }
        guard let hop = entry(of: transaction) else {
            logger.notice("a trusted relay's Received field names no client that can be taken", metadata: ["id": "\(transaction.id)", "relay": "\(client)"])
            return .continue
        }
        transaction.connection.clientAddress = hop.clientAddress
        transaction.connection.clientName = hop.clientName
        transaction.connection.clientPort = nil
        transaction.connection.tls = hop.tls.map { TLSFacts(version: $0.version, cipher: $0.cipher, cipherBits: $0.bits) }
        // Whoever sent to the relay did not log in here: it is never our own mail, whatever networks the relay is in.
        transaction.connection.isOwnNetwork = false
        transaction.helo = hop.helo
        return .continue
    }

    /// The hop at which the message came in from outside; nil when one on the way cannot be read.
    private func entry(of transaction: Transaction) -> ReceivedHop? {
        var fields = transaction.message.header.all("Received")[...]
        // Our own SMTP server has put its field on top already; a foreign MTA shows us none of its own.
        if let first = fields.first, ReceivedHop.id(of: first) == transaction.id { fields = fields.dropFirst() }
        for field in fields.prefix(Self.hopLimit) {
            guard let hop = ReceivedHop(field) else { return nil }
            // A content filter on the relay comes in over its loopback.
            if !isTrusted(hop.clientAddress), !hop.clientAddress.isLoopback { return hop }
        }
        return nil
    }

    private func isTrusted(_ address: IPAddress) -> Bool { relays.contains { $0.contains(address.unmapped) } }
}
