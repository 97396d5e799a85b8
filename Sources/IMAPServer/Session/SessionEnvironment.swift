import Accounts
import Logging
import MailStore
import NIOCore

/// What all sessions of a listener share.
struct SessionEnvironment: Sendable {
    let configuration: IMAPServerConfiguration
    let store: MailStore
    let authenticator: any Authenticator
    /// Puts a TLS handler first in the pipeline; nil where there is no certificate now. Called on the event loop.
    let installTLS: (@Sendable () -> (@Sendable (any Channel) throws -> Void)?)
    let logger: Logger
}
