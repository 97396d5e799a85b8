import Foundation
import GRDB
import NetworkAddress
import SASL
import Testing
@testable import Accounts

@Suite struct SCRAMKeysTests {
    private func keys(_ temporary: TemporaryAccounts, _ user: String) async throws -> (SCRAMKeys, Account?) {
        guard case .keys(let keys, let account) = await temporary.store.scramKeys(of: user, client: nil) else { throw CancellationError() }
        return (keys, account)
    }

    private func fits(_ keys: SCRAMKeys, _ password: String) -> Bool {
        SCRAMKeys.derive(from: password, salt: keys.salt, iterations: keys.iterations) == keys
    }

    @Test func theyAreMadeWithEachPassword() async throws {
        let temporary = try TemporaryAccounts()
        try temporary.store.add("alice@home.example", password: "secret")
        let (first, account) = try await keys(temporary, "ALICE@home.example")
        #expect(account?.name == "alice@home.example" && fits(first, "secret"))
        try temporary.store.setPassword("alice@home.example", to: "other")
        let (second, _) = try await keys(temporary, "alice@home.example")
        #expect(fits(second, "other") && !fits(second, "secret") && first.salt != second.salt)
    }

    @Test func anOldAccountGetsThemAtItsNextLogIn() async throws {
        let temporary = try TemporaryAccounts()
        try temporary.store.add("alice@home.example", password: "secret")
        try await DatabaseQueue(path: temporary.folder + "/accounts.db").write { try $0.execute(sql: "UPDATE account SET scram = NULL") }
        #expect(try await keys(temporary, "alice@home.example").1 == nil)
        #expect(await temporary.store.authenticate(user: "alice@home.example", password: "wrong", client: nil) == .failure)
        #expect(try await keys(temporary, "alice@home.example").1 == nil)
        guard case .success = await temporary.store.authenticate(user: "alice@home.example", password: "secret", client: nil) else { throw CancellationError() }
        let (made, account) = try await keys(temporary, "alice@home.example")
        #expect(account != nil && fits(made, "secret"))
    }

    @Test func nobodyHasKeysThatLookLikeSomebodys() async throws {
        let temporary = try TemporaryAccounts()
        let (keys, account) = try await keys(temporary, "nobody@home.example")
        #expect(account == nil && keys.iterations == 4096 && keys.salt.count == 16)
        #expect(try await self.keys(temporary, "Nobody@home.example").0 == keys)
    }

    @Test func failedProofsSlowTheClientDown() async throws {
        let throttle = FailureThrottle(settings: .init(firstPause: .seconds(30), longestPause: .seconds(30), longestWait: .seconds(1)))
        let temporary = try TemporaryAccounts(throttle: throttle)
        let client = try #require(IPAddress("192.0.2.1"))
        temporary.store.scramEnded(user: "bob", client: client, provenKey: nil)
        guard case .unavailable = await temporary.store.scramKeys(of: "alice", client: client) else {
            Issue.record("the client should have been put off")
            return
        }
        guard case .keys = await temporary.store.scramKeys(of: "alice", client: IPAddress("192.0.2.2")) else {
            Issue.record("another client should not")
            return
        }
    }
}
