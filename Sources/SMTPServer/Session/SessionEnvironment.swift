import Accounts
import BlockingPool
import Logging
import Milter
import NIOCore
import NetworkAddress
import TLS

/// What all sessions of a server share.
final class SessionEnvironment: Sendable {
    let configuration: SMTPServerConfiguration
    let chain: @Sendable (SMTPListener) -> FilterChain
    let authenticator: any Authenticator
    /// Set while SCRAM is on offer.
    var scramAuthenticator: (any SCRAMAuthenticator)? { (authenticator as? any SCRAMAuthenticator).flatMap { $0.offersSCRAM ? $0 : nil } }
    let recipients: any RecipientDirectory
    let sink: any MessageSink
    let tls: @Sendable () -> TLSContext?
    let reverseName: (@Sendable (IPAddress) async -> String?)?
    let pool: BlockingPool
    let logger: Logger
    let registry: ConnectionRegistry
    let rates: ClientRates
    let ids: TransactionIDs
    let observer: (any TransactionObserver)?

    init(configuration: SMTPServerConfiguration, chain: @escaping @Sendable (SMTPListener) -> FilterChain, authenticator: any Authenticator,
         recipients: any RecipientDirectory, sink: any MessageSink, tls: @escaping @Sendable () -> TLSContext?,
         reverseName: (@Sendable (IPAddress) async -> String?)?, pool: BlockingPool, logger: Logger, ids: TransactionIDs,
         observer: (any TransactionObserver)? = nil) {
        self.observer = observer
        self.ids = ids
        self.configuration = configuration
        self.chain = chain
        self.authenticator = authenticator
        self.recipients = recipients
        self.sink = sink
        self.tls = tls
        self.reverseName = reverseName
        self.pool = pool
        self.logger = logger
        rates = ClientRates(configuration.clientRates)
        registry = ConnectionRegistry(limit: configuration.connectionLimit, limitPerClient: configuration.connectionLimitPerClient)
    }
}
