import Accounts
import IMAPCore
import InternetMessage
import MailStore

extension IMAPSession {
    /// RFC 3501 §6.2.1: the OK goes out in plain text, everything after it under TLS.
    func startTLS(_ tag: String) async throws {
        guard let upgrade = environment.tls() else { return respond(tag, .no("TLS is not available now", code: .unavailable)) }
        respond(tag, .ok("begin TLS now"))
        try await flush()
        framer.discardBuffered()
        guard await connection.startTLS(upgrade, timeout: environment.configuration.logInTimeout) else { throw ConnectionClosed() }
        state.didStartTLS()
    }

    /// RFC 3501 §6.2.2 with PLAIN (RFC 4616); RFC 4959's initial response.
    func authenticate(_ tag: String, _ mechanism: String, _ initial: [UInt8]?) async throws {
        guard mechanism == "PLAIN" else { return respond(tag, .no("that mechanism is not offered", code: .cannot)) }
        var message = initial
        if message == nil {
            respond(.continuation(""))
            try await flush()
            guard let line = try await readLine() else { return }
            // `*` cancels (RFC 3501 §6.2.2).
            guard line != [42] else { return respond(tag, .bad("cancelled")) }
            message = Base64.decodeStrictly(line)
        }
        guard let message, let plain = PlainMessage(message) else { return respond(tag, .bad("that is not a PLAIN message in base64")) }
        await logIn(tag, user: plain.user, password: plain.password)
    }

    func logIn(_ tag: String, user: String, password: String) async {
        switch await environment.authenticator.authenticate(user: user, password: password, client: connection.client) {
        case .success(let account): open(account, tag)
        case .failure:
            failedLogIns += 1
            environment.logger.notice("log-in failed", metadata: ["user": "\(user.prefix(80))", "client": "\(connection.client?.description ?? "?")"])
            respond(tag, .no("wrong name or password", code: .authenticationFailed))
            if failedLogIns >= environment.configuration.maximumFailedLogIns { bye("too many failed log-ins") }
        case .unavailable(let reason):
            environment.logger.warning("log-in not possible", metadata: ["reason": "\(reason)"])
            respond(tag, .no("logging in is not possible now", code: .unavailable))
        }
    }

    private func open(_ account: Account, _ tag: String) {
        do throws(StoreError) {
            let folders = try environment.store.maildir(for: account.name)
            try folders.prepare(folders: SpecialUse.folders)
            self.account = account
            mailboxes = folders
            state.didAuthenticate()
            respond(tag, .ok("logged in", code: .capability(state.capabilities(mechanisms: []))))
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

/// RFC 4616 §2: `[authzid] NUL authcid NUL passwd`. Acting for somebody else is not offered.
struct PlainMessage: Equatable {
    let user: String
    let password: String

    init?(_ octets: [UInt8]) {
        let parts = octets.split(separator: 0, omittingEmptySubsequences: false).map { String(validating: $0, as: UTF8.self) }
        guard parts.count == 3, let authorization = parts[0], let user = parts[1], let password = parts[2], !user.isEmpty, !password.isEmpty,
            authorization.isEmpty || authorization == user else { return nil }
        self.user = user
        self.password = password
    }
}
