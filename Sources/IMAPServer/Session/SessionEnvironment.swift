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
    /// nil: QUOTA is not offered.
    let quota: (any QuotaSource)?
    let logger: Logger

    /// Set where SCRAM is on offer.
    var scramAuthenticator: (any SCRAMAuthenticator)? { (authenticator as? any SCRAMAuthenticator).flatMap { $0.offersSCRAM ? $0 : nil } }
}
