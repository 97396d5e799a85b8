import Accounts
import BlockingPool
import Logging
import Milter
import NetworkAddress
import TLS

/// What the sessions of a server need of the rest of the house.
public struct SMTPServices: Sendable {
    /// The filters in force; asked once a connection, so that a reload does not disturb those that run.
    public var chain: @Sendable () -> FilterChain
    public var authenticator: any Authenticator
    public var recipients: any RecipientDirectory
    public var sink: any MessageSink
    /// nil: no certificate, so no TLS and no log-in.
    public var tls: @Sendable () -> TLSContext?
    public var makeID: @Sendable () -> String
    /// The verified reverse name of a client, within a bounded time.
    public var reverseName: (@Sendable (IPAddress) async -> String?)?
    public var pool: BlockingPool
    public var logger: Logger

    public init(chain: @escaping @Sendable () -> FilterChain, authenticator: any Authenticator, recipients: any RecipientDirectory,
                sink: any MessageSink, tls: @escaping @Sendable () -> TLSContext?, makeID: @escaping @Sendable () -> String,
                reverseName: (@Sendable (IPAddress) async -> String?)? = nil, pool: BlockingPool, logger: Logger) {
        self.chain = chain
        self.authenticator = authenticator
        self.recipients = recipients
        self.sink = sink
        self.tls = tls
        self.makeID = makeID
        self.reverseName = reverseName
        self.pool = pool
        self.logger = logger
    }
}
