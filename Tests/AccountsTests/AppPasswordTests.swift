import NetworkAddress
import SASL
import Synchronization
import Testing
@testable import Accounts

@Suite struct AppPasswordTests {
    private let client = IPAddress("192.0.2.1")

    /// With an account that has a password of its own, and what the store says of log-ins.
    private func accounts() throws -> (TemporaryAccounts, EventLog) {
        let temporary = try TemporaryAccounts(throttle: FailureThrottle(settings: .init(firstPause: .zero)))
        try temporary.store.add("alice@home.example", password: "secret")
        let log = EventLog()
        temporary.store.observe { log.add($0) }
        return (temporary, log)
    }

    private func logIn(_ temporary: TemporaryAccounts, _ password: String) async -> Bool {
        if case .success(let account) = await temporary.store.authenticate(user: "Alice@home.example", password: password, client: client) {
            return account.name == "alice@home.example"
        }
        return false
    }

    @Test func oneLogsInBesideTheAccountsOwnAndIsNamed() async throws {
        let (temporary, log) = try accounts()
        let (password, facts) = try temporary.store.addAppPassword(for: "alice@home.example", name: "phone")
        #expect(password.count == 24 && password.hasPrefix(facts.id + "-"))
        #expect(await logIn(temporary, password))
        // As somebody types it who was told it.
        #expect(await logIn(temporary, password.uppercased().replacing("-", with: " ")))
        #expect(await logIn(temporary, "secret"))
        #expect(!(await logIn(temporary, String(password.dropLast()) + (password.last == "a" ? "b" : "a"))))
        let devices = log.all.compactMap { if case .succeeded(_, let device, _) = $0 { device ?? "own" } else { nil } }
        #expect(devices == ["phone", "phone", "own"])
        let kept = try #require(try temporary.store.appPasswords(of: "alice@home.example").first)
        #expect(kept.lastUsed != nil && kept.lastClient == "192.0.2.1")
    }

    @Test func itIsKeptAsYescryptAndHasItsAccountsSalt() throws {
        let (temporary, _) = try accounts()
        let (password, _) = try temporary.store.addAppPassword(for: "alice@home.example", name: nil)
        let row = try #require(try temporary.store.database.appPasswords().first)
        #expect(row.hash.hasPrefix("$y$") && PasswordHash.matches(password, hash: row.hash) && !row.hash.contains(password))
        let keys = try #require(row.scram.flatMap { SCRAMKeys($0) }), own = try #require(try temporary.store.directory().entry(named: "alice@home.example")?.scram)
        #expect(keys.salt == own.salt && keys.iterations == own.iterations && keys.storedKey != own.storedKey)
    }

    @Test func scramFitsAnyOfThemAndNamesIt() async throws {
        let (temporary, log) = try accounts()
        let (phone, facts) = try temporary.store.addAppPassword(for: "alice@home.example", name: "phone")
        // A changed password of the account's own keeps them.
        try temporary.store.setPassword("alice@home.example", to: "other")
        for (password, device) in [(phone, "phone" as String?), ("other", nil)] {
            guard case .keys(let keys, let account) = await temporary.store.scramKeys(of: "alice@home.example", client: client) else { throw CancellationError() }
            #expect(account != nil)
            let proven = try prove(keys, password)
            temporary.store.scramEnded(user: "alice@home.example", client: client, provenKey: proven)
            try await log.wait { $0.contains(.succeeded(account: "alice@home.example", device: device, client: client)) }
        }
        try await log.wait { _ in try temporary.store.appPasswords(of: "alice@home.example").first { $0.id == facts.id }?.lastUsed != nil }
        _ = try temporary.store.revokeAppPassword("phone", of: "alice@home.example")
        guard case .keys(let keys, _) = await temporary.store.scramKeys(of: "alice@home.example", client: client) else { throw CancellationError() }
        #expect(throws: SCRAMExchange.Failure.wrongProof) { try prove(keys, phone) }
    }

    /// A whole exchange. - Returns: the key that fitted.
    private func prove(_ keys: SCRAMKeys, _ password: String) throws -> [UInt8]? {
        var server = SCRAMExchange(), client = SCRAMClient(user: "alice@home.example", password: password)
        _ = try server.clientFirst(client.first)
        client.challenge = try server.serverFirst(keys)
        let (proved, final) = client.proved()
        let answer = try server.clientFinal(try #require(final))
        #expect(proved.accepts(answer))
        return server.provenKey
    }

    @Test func aRevokedOneFailsAtOnceAndTheLogSaysWhose() async throws {
        let (temporary, log) = try accounts()
        let (phone, _) = try temporary.store.addAppPassword(for: "alice@home.example", name: "phone")
        let (laptop, facts) = try temporary.store.addAppPassword(for: "alice@home.example", name: "laptop")
        #expect(await logIn(temporary, phone))
        #expect(try temporary.another().revokeAppPassword("phone", of: "Alice@home.example") == "phone")
        #expect(!(await logIn(temporary, phone)))
        #expect(log.all.contains(.revoked(account: "alice@home.example", device: "phone", client: client)))
        #expect(await logIn(temporary, laptop))
        // By the first group, too.
        #expect(try temporary.store.revokeAppPassword(facts.id, of: "alice@home.example") == "laptop")
        #expect(try temporary.store.appPasswords(of: "alice@home.example").isEmpty)
        #expect(try temporary.store.database.appPasswords().allSatisfy { $0.hash.isEmpty && $0.scram == nil })
        #expect(throws: AccountError.noSuchDevice("phone", of: "alice@home.example")) { try temporary.store.revokeAppPassword("phone", of: "alice@home.example") }
        // The name is free again.
        _ = try temporary.store.addAppPassword(for: "alice@home.example", name: "phone")
    }

    @Test func theyGoWithTheirAccountAndFitNoOther() async throws {
        let (temporary, _) = try accounts()
        try temporary.store.add("bob@home.example", password: "x")
        let (bobs, _) = try temporary.store.addAppPassword(for: "bob@home.example", name: "phone")
        #expect(!(await logIn(temporary, bobs)))
        try temporary.store.remove("bob@home.example")
        #expect(try temporary.store.database.appPasswords().isEmpty)
    }

    @Test func whatCannotBeIsSaid() throws {
        let (temporary, _) = try accounts()
        _ = try temporary.store.addAppPassword(for: "alice@home.example", name: "phone")
        #expect(throws: AccountError.deviceTaken("phone", of: "alice@home.example")) { try temporary.store.addAppPassword(for: "alice@home.example", name: "phone") }
        #expect(throws: AccountError.noSuchAccount("carol")) { try temporary.store.addAppPassword(for: "carol", name: nil) }
        for name in ["", " x", "a\nb", String(repeating: "x", count: 65)] {
            #expect(throws: AccountError.self, "\(name)") { try temporary.store.addAppPassword(for: "alice@home.example", name: name) }
        }
    }

    @Test func theTextIsReadAsItIsTyped() throws {
        let made = AppPasswordText()
        #expect(AppPasswordText(typed: made.text) == made)
        for wrong in ["", "abcd", made.text + "a", made.text.replacing(made.text.suffix(1), with: "l"), String(repeating: "a-", count: 40)] {
            #expect(AppPasswordText(typed: wrong) == nil, "\(wrong)")
        }
        #expect(Set((0..<100).map { _ in AppPasswordText().text }).count == 100)
    }
}

/// What a store reported.
final class EventLog: Sendable {
    private let events = Mutex<[LogInEvent]>([])
    var all: [LogInEvent] { events.withLock { $0 } }
    func add(_ event: LogInEvent) { events.withLock { $0.append(event) } }

    func wait(_ condition: ([LogInEvent]) throws -> Bool) async throws {
        for _ in 0..<500 {
            if try condition(all) { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("it did not come within five seconds: \(all)")
    }
}
