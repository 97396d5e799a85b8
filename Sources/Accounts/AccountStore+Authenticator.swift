import InternetMessage
import NetworkAddress

extension AccountStore: Authenticator {
    /// Jobs waiting on the pool beyond which log-ins are put off rather than queued.
    static let longestBacklog = 256

    /// Checks the password on the pool. A client that has failed before waits its turn first, holding no thread.
    public func authenticate(user: String, password: String, client: IPAddress?) async -> AuthenticationOutcome {
        guard let turn = throttle.turn(of: client, now: .now) else { return .unavailable("too many failed log-ins from this address; try again later") }
        guard pool.backlog < Self.longestBacklog else { return .unavailable("the server is busy") }
        if turn > .now {
            do { try await Task.sleep(until: turn, clock: .continuous) } catch { return .unavailable("the connection was closed") }
        }
        do {
            let outcome = try await pool.run { try self.check(user: user, password: password) }
            if outcome == .failure { throttle.noteFailure(of: client, now: .now) }
            return outcome
        } catch { return .unavailable("\(error)") }
    }

    /// The same work for a known and an unknown user. Blocks.
    private func check(user: String, password: String) throws(AccountError) -> AuthenticationOutcome {
        let entry = try directory().entry(named: user)
        let hash = entry?.hash ?? decoyHash
        if let entry, successes.contains(user: entry.account.name, password: password, hash: hash, now: .now) { return .success(entry.account) }
        guard PasswordHash.matches(password, hash: hash), let entry else { return .failure }
        successes.insert(user: entry.account.name, password: password, hash: hash, now: .now)
        return .success(entry.account)
    }
}
