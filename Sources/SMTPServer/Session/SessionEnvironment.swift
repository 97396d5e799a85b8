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
    let chain: @Sendable () -> FilterChain
    let authenticator: any Authenticator
    let recipients: any RecipientDirectory
    let sink: any MessageSink
    let tls: @Sendable () -> TLSContext?
    let reverseName: (@Sendable (IPAddress) async -> String?)?
    let pool: BlockingPool
    let logger: Logger
    let registry: ConnectionRegistry
    let ids: TransactionIDs

    init(configuration: SMTPServerConfiguration, chain: @escaping @Sendable () -> FilterChain, authenticator: any Authenticator,
         recipients: any RecipientDirectory, sink: any MessageSink, tls: @escaping @Sendable () -> TLSContext?,
         reverseName: (@Sendable (IPAddress) async -> String?)?, pool: BlockingPool, logger: Logger, ids: TransactionIDs) {
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
        registry = ConnectionRegistry(limit: configuration.connectionLimit, limitPerClient: configuration.connectionLimitPerClient)
    }
}
