import Accounts
import IMAPCore
import InternetMessage
import MailStore
import SASL

extension IMAPSession {
    /// RFC 3501 §6.2.1: the OK goes out in plain text, everything after it under TLS.
    func startTLS(_ tag: String) async throws {
        guard let upgrade = environment.tls() else { return respond(tag, .no("TLS is not available now", code: .unavailable)) }
        respond(tag, .ok("begin TLS now"))
        try await flush()
        framer.discardBuffered()
        guard let tls = await connection.startTLS(upgrade, timeout: environment.configuration.logInTimeout) else { throw ConnectionClosed() }
        channelBindings = tls.channelBindings
        state.didStartTLS()
    }

    /// RFC 3501 §6.2.2 with the mechanisms of ``SASLExchange``; RFC 4959's initial response.
    func authenticate(_ tag: String, _ mechanism: String, _ initial: [UInt8]?) async throws {
        guard mechanisms.contains(mechanism), var exchange = SASLExchange(mechanism: mechanism, bindings: channelBindings) else {
            return respond(tag, .no("that mechanism is not offered", code: .cannot))
        }
        var keysOf: Account?
        var step = exchange.begin(initial.map { $0.isEmpty ? [61] : Array(Base64.encode($0).utf8) })
        while true {
            switch step {
            case .challenge(let text):
                guard let line = try await answer(to: text) else { return }
                // `*` cancels.
                guard line != [42] else { return respond(tag, .bad("cancelled")) }
                step = exchange.take(line)
            case .needsKeys(let user):
                switch await scramKeys(of: user) {
                case .keys(let keys, let account):
                    keysOf = account
                    step = exchange.answer(keys)
                case .unavailable(let reason): return logInUnavailable(tag, reason)
                }
            case .finished(let credentials): return await logIn(tag, user: credentials.user, password: credentials.password)
            case .proved(let user, let key):
                environment.scramAuthenticator?.scramEnded(user: user, client: connection.client, provenKey: key)
                return keysOf.map { open($0, tag) } ?? logInFailed(tag, user: user)
            case .refused(let failure, let user): return scramRefused(tag, failure, user ?? "")
            case .malformed: return respond(tag, .bad("that is not a message of \(mechanism) in base64"))
            }
        }
    }

    /// nil when the session ended meanwhile.
    private func answer(to challenge: String) async throws -> [UInt8]? {
        respond(.continuation(challenge))
        try await flush()
        return try await readLine()
    }

    private func scramKeys(of user: String) async -> SCRAMLookup {
        guard let authenticator = environment.scramAuthenticator else { return .unavailable("there are no SCRAM keys") }
        return await authenticator.scramKeys(of: user, client: connection.client)
    }

    private func scramRefused(_ tag: String, _ failure: SCRAMExchange.Failure, _ user: String) {
        if failure == .wrongProof { environment.scramAuthenticator?.scramEnded(user: user, client: connection.client, provenKey: nil) }
        logInFailed(tag, user: user, why: "SCRAM: \(failure)")
    }

    func logIn(_ tag: String, user: String, password: String) async {
        switch await environment.authenticator.authenticate(user: user, password: password, client: connection.client) {
        case .success(let account): open(account, tag)
        case .failure: logInFailed(tag, user: user)
        case .unavailable(let reason): logInUnavailable(tag, reason)
        }
    }

    private func logInFailed(_ tag: String, user: String, why: String = "wrong name or password") {
        failedLogIns += 1
        environment.logger.notice("log-in failed", metadata: [
            "user": "\(user.prefix(80))", "client": "\(connection.client?.description ?? "?")", "reason": "\(why)",
        ])
        respond(tag, .no("wrong name or password", code: .authenticationFailed))
        if failedLogIns >= environment.configuration.maximumFailedLogIns { bye("too many failed log-ins") }
    }

    private func logInUnavailable(_ tag: String, _ reason: String) {
        environment.logger.warning("log-in not possible", metadata: ["reason": "\(reason)"])
        respond(tag, .no("logging in is not possible now", code: .unavailable))
    }

    private func open(_ account: Account, _ tag: String) {
        do throws(StoreError) {
            let folders = try environment.store.maildir(for: account.name)
            try folders.prepare(folders: SpecialUse.folders)
            self.account = account
            mailboxes = folders
            channelBindings = [:]
            state.didAuthenticate()
            respond(tag, .ok("logged in", code: .capability(capabilities)))
        } catch { fail(tag, error) }
    }

    /// One line inside a command; nil when the session ended meanwhile.
    func readLine() async throws -> [UInt8]? {
        framer.mode = .line
        while !isFinished {
            switch framer.next() {
            case .line(let line): return line
            case .fatal(let error):
                respond(error.response)
                bye("the line is too long")
            case nil: try await read()
            default: break
            }
        }
        return nil
    }
}
