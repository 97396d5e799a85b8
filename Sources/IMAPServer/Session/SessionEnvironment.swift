import Accounts
import Logging
import MailStore

/// What all sessions of a listener share.
struct SessionEnvironment: Sendable {
    let configuration: IMAPServerConfiguration
    let store: MailStore
    let authenticator: any Authenticator
    /// nil where there is no certificate now.
    let tls: @Sendable () -> TLSUpgrade?
    let logger: Logger
}
