import InternetMessage
import NetworkAddress
import SASL

extension AccountStore: Authenticator {
    /// Jobs waiting on the pool beyond which log-ins are put off rather than queued.
    static let longestBacklog = 256

    /// Checks the password on the pool. A client that has failed before waits its turn first, holding no thread.
    public func authenticate(user: String, password: String, client: IPAddress?) async -> AuthenticationOutcome {
        if let reason = await waitForTurn(client) { return .unavailable(reason) }
        do {
            let outcome = try await pool.run { try self.check(user: user, password: password) }
            if outcome == .failure { throttle.noteFailure(of: client, now: .now) }
            return outcome
        } catch { return .unavailable("\(error)") }
    }

    /// - Returns: why there is no turn now; nil when it has come.
    private func waitForTurn(_ client: IPAddress?) async -> String? {
        guard let turn = throttle.turn(of: client, now: .now) else { return "too many failed log-ins from this address; try again later" }
        guard pool.backlog < Self.longestBacklog else { return "the server is busy" }
        guard turn > .now else { return nil }
        do { try await Task.sleep(until: turn, clock: .continuous) } catch { return "the connection was closed" }
        return nil
    }

    /// The same work for a known and an unknown user. Blocks.
    private func check(user: String, password: String) throws(AccountError) -> AuthenticationOutcome {
        let entry = try directory().entry(named: user)
        let hash = entry?.hash ?? decoyHash
        if let entry, successes.contains(user: entry.account.name, password: password, hash: hash, now: .now) { return .success(entry.account) }
        guard PasswordHash.matches(password, hash: hash), let entry else { return .failure }
        successes.insert(user: entry.account.name, password: password, hash: hash, now: .now)
        // Whoever has logged in gets in, whether the keys can be written now or at the next log-in.
        if entry.scram == nil { try? addSCRAMKeys(to: entry.account.name, hash: hash, password: password) }
        return .success(entry.account)
    }
}

extension AccountStore: SCRAMAuthenticator {
    public func scramKeys(of user: String, client: IPAddress?) async -> SCRAMLookup {
        if let reason = await waitForTurn(client) { return .unavailable(reason) }
        do {
            let entry = try await pool.run { try self.directory().entry(named: user) }
            if let entry, let keys = entry.scram { return .keys(keys, entry.account) }
            return .keys(.decoy(for: user.lowercased(), secret: decoySecret, iterations: scramIterations), nil)
        } catch { return .unavailable("\(error)") }
    }

    public func scramFailed(client: IPAddress?) { throttle.noteFailure(of: client, now: .now) }
}
