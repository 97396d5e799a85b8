import Foundation
import InternetMessage
import NetworkAddress
import SASL

extension AccountStore: Authenticator {
    /// Jobs waiting on the pool beyond which log-ins are put off rather than queued.
    static let longestBacklog = 256

    /// Checks the password on the pool. A client that has failed before waits its turn first, holding no thread.
    public func authenticate(user: String, password: String, client: IPAddress?) async -> AuthenticationOutcome {
        if let reason = await waitForTurn(client, user) { return .unavailable(reason) }
        do {
            guard let (account, device) = try await pool.run({ try self.check(user: user, password: password, client: client) }) else {
                throttle.noteFailure(of: client, user, guess: password, now: .now)
                return .failure
            }
            throttle.noteSuccess(of: client, user, now: .now)
            try await pool.run { self.noteLogIn(account, device, client) }
            return .success(account)
        } catch { return .unavailable("\(error)") }
    }

    /// - Returns: why there is no turn now; nil when it has come.
    private func waitForTurn(_ client: IPAddress?, _ user: String) async -> String? {
        guard let turn = throttle.turn(of: client, user, now: .now) else { return "too many failed log-ins from this address or to this account; try again later" }
        guard pool.backlog < Self.longestBacklog else { return "the server is busy" }
        guard turn > .now else { return nil }
        do { try await Task.sleep(until: turn, clock: .continuous) } catch { return "the connection was closed" }
        return nil
    }

    /// The same work for a known and an unknown user. Blocks.
    private func check(user: String, password: String, client: IPAddress?) throws(AccountError) -> (Account, AppPassword?)? {
        guard let entry = try directory().entry(named: user), entry.admits(client) else {
            _ = PasswordHash.matches(password, hash: decoyHash)
            return nil
        }
        if let device = deviceOf(entry, password, client) { return (entry.account, device) }
        guard isRight(password, entry.secret, of: entry.account.name) else {
            if !entry.secret.isSlow { _ = PasswordHash.matches(password, hash: decoyHash) }
            return nil
        }
        // Whoever has logged in gets in, whether the keys can be written now or at the next log-in.
        if entry.scram == nil, !entry.isFromFile, case .crypt(let hash) = entry.secret { try? addSCRAMKeys(to: entry, hash: hash, password: password) }
        return (entry.account, nil)
    }

    /// The app password that this is, if it is one of the account's that holds.
    private func deviceOf(_ entry: AccountDirectory.Entry, _ password: String, _ client: IPAddress?) -> AppPassword? {
        guard let typed = AppPasswordText(typed: password), let found = entry.appPasswords.first(where: { $0.facts.id == typed.id }) else { return nil }
        guard found.facts.revoked == nil else {
            report(.revoked(account: entry.account.name, device: found.facts.name, client: client))
            return nil
        }
        return isRight(typed.text, .crypt(found.hash), of: entry.account.name) ? found.facts : nil
    }

    /// Log-ins of a short while ago are remembered where a check is dear.
    private func isRight(_ password: String, _ secret: PasswordScheme, of name: String) -> Bool {
        guard case .crypt(let hash) = secret else { return secret.matches(password) }
        if successes.contains(user: name, password: password, hash: hash, now: .now) { return true }
        guard secret.matches(password) else { return false }
        successes.insert(user: name, password: password, hash: hash, now: .now)
        return true
    }

    /// For the log, and for the date beside an app password. Blocks.
    private func noteLogIn(_ account: Account, _ device: AppPassword?, _ client: IPAddress?) {
        report(.succeeded(account: account.name, device: device?.name, client: client))
        guard let device else { return }
        let now = Int(Date().timeIntervalSince1970)
        let isNews = noted.withLock { noted in
            guard now - (noted[device.id] ?? device.lastUsed ?? 0) >= AppPassword.noteInterval else { return false }
            noted[device.id] = now
            return true
        }
        // The log-in goes on without it.
        if isNews { try? database.noteUse(of: device.id, from: client?.description, now: now) }
    }
}

extension AccountStore: SCRAMAuthenticator {
    public var offersSCRAM: Bool { cachedDirectory.everybodyHasSCRAM }

    public func scramKeys(of user: String, client: IPAddress?) async -> SCRAMLookup {
        if let reason = await waitForTurn(client, user) { return .unavailable(reason) }
        do {
            let decoy = SCRAMKeys.decoy(for: user.lowercased(), secret: decoySecret, iterations: scramIterations)
            return try await pool.run {
                guard let entry = try self.directory().entry(named: user), entry.admits(client),
                    let keys = entry.challenge(self.keysOfPlainPassword(entry, decoy)) else { return .keys(decoy, nil) }
                return .keys(keys, entry.account)
            }
        } catch { return .unavailable("\(error)") }
    }

    /// A password that is kept in clear has its keys made when they are asked for.
    private func keysOfPlainPassword(_ entry: AccountDirectory.Entry, _ decoy: SCRAMKeys) -> SCRAMKeys? {
        guard case .plain(let text) = entry.secret else { return nil }
        let common = entry.challenge(nil) ?? decoy
        return SCRAMKeys.derive(from: (try? PasswordHash.prepare(text)) ?? text, salt: common.salt, iterations: common.iterations)
    }

    public func scramEnded(user: String, client: IPAddress?, provenKey: [UInt8]?) {
        guard let provenKey else { return throttle.noteFailure(of: client, user, guess: nil, now: .now) }
        throttle.noteSuccess(of: client, user, now: .now)
        guard let entry = cachedDirectory.entry(named: user) else { return }
        let device = entry.appPasswords.first { $0.scram?.storedKey == provenKey }?.facts
        Task(executorPreference: pool) { self.noteLogIn(entry.account, device, client) }
    }
}
