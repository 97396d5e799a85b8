import Accounts
import InternetMessage
import NIOCore
import SASL
import SMTPCore

// AUTH (RFC 4954): passwords and SCRAM keys, asked of the accounts.
extension SMTPSession {
    private static let wrongCredentials = SMTPReply(535, "5.7.8", "Error: authentication failed")

    /// Who keeps SCRAM keys, where SCRAM is on offer.
    var scramAuthenticator: (any SCRAMAuthenticator)? { environment.scramAuthenticator }

    func authenticate(_ credentials: Credentials) {
        let (authenticator, client) = (environment.authenticator, filters.facts.clientAddress)
        runTask({ _ in await authenticator.authenticate(user: credentials.user, password: credentials.password, client: client) }) { session, outcome in
            switch outcome {
            case .success(let account): session.loggedIn(account, credentials.mechanism)
            case .failure: session.loginFailed(credentials.mechanism)
            case .unavailable(let reason): session.loginUnavailable(reason)
            }
        }
    }

    /// The keys come from the accounts now; whether they were anybody's counts only when the proof is right.
    func findKeys(of user: String) {
        guard let authenticator = scramAuthenticator else { return answer(loginUnavailable("there are no SCRAM keys")) }
        let client = filters.facts.clientAddress
        scramAccount = nil
        runTask({ _ in await authenticator.scramKeys(of: user, client: client) }) { session, found in
            switch found {
            case .keys(let keys, let account):
                session.scramAccount = account
                return .keys(keys)
            case .unavailable(let reason): return session.loginUnavailable(reason)
            }
        }
    }

    func scramProved(_ mechanism: String, _ user: String, _ key: [UInt8]?) {
        scramAuthenticator?.scramEnded(user: user, client: filters.facts.clientAddress, provenKey: key)
        let account = scramAccount
        scramAccount = nil
        answer(account.map { loggedIn($0, mechanism) } ?? loginFailed(mechanism))
    }

    func scramRefused(_ mechanism: String, _ failure: SCRAMExchange.Failure, _ user: String?) {
        scramAccount = nil
        if failure == .wrongProof { scramAuthenticator?.scramEnded(user: user ?? "", client: filters.facts.clientAddress, provenKey: nil) }
        answer(loginFailed(mechanism, why: failure == .wrongProof ? nil : "\(failure)"))
    }

    private func loggedIn(_ account: Account, _ mechanism: String) -> ServerAnswer {
        self.account = account
        filters.facts.authenticatedUser = account.name
        filters.facts.authenticationMechanism = mechanism
        return .yes
    }

    private func loginFailed(_ mechanism: String, why: String? = nil) -> ServerAnswer {
        environment.logger.notice("authentication failed", metadata: [
            "client": "\(filters.facts.clientAddress?.description ?? "-")", "mechanism": "\(mechanism)", "reason": "\(why ?? "wrong user or password")",
        ])
        return .no(Self.wrongCredentials)
    }

    private func loginUnavailable(_ reason: String) -> ServerAnswer {
        environment.logger.error("authentication is not possible: \(reason)")
        return .no(SMTPReply(454, "4.7.0", "Temporary authentication failure"))
    }
}
