import BlockingPool
import Foundation
import InternetMessage
import NetworkAddress
import Testing
@testable import Accounts

/// An accounts file of its own, removed when the test ends. Hashing at the lowest cost.
final class TemporaryAccounts {
    let folder = NSTemporaryDirectory() + "accounts-" + UUID().uuidString
    let store: AccountStore

    init(throttle: FailureThrottle = FailureThrottle()) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        store = try AccountStore(path: folder + "/accounts.db", pool: BlockingPool(threads: 1), cost: 1, throttle: throttle, scramIterations: 4096)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// What another process would open.
    func another(lookInterval: Duration = .zero) throws -> AccountStore {
        try AccountStore(path: folder + "/accounts.db", pool: BlockingPool(threads: 1), cost: 1, throttle: FailureThrottle(), scramIterations: 4096, lookInterval: lookInterval)
    }
}

@Suite struct AccountStoreTests {
    @Test func anAccountOwnsItsNameAndItsAddresses() throws {
        let temporary = try TemporaryAccounts()
        let sales = try #require(EmailAddress("Sales@home.example"))
        try temporary.store.add("Alice@Home.example", password: "secret", addresses: [sales])
        let account = try #require(try temporary.store.account(named: "ALICE@home.example"))
        #expect(account.name == "alice@home.example")
        #expect(account.addresses.map(\.description) == ["alice@home.example", "sales@home.example"])
        #expect(try temporary.store.account(owning: #require(EmailAddress("SALES@home.example"))) == account)
        #expect(try temporary.store.account(owning: #require(EmailAddress("bob@home.example"))) == nil)
        #expect(try temporary.store.domains().map(\.text) == ["home.example"])
    }

    @Test func noTwoAccountsShareAnAddress() throws {
        let temporary = try TemporaryAccounts()
        let address = try #require(EmailAddress("info@home.example"))
        try temporary.store.add("alice", password: "x", addresses: [address])
        #expect(throws: AccountError.addressTaken("info@home.example", by: "alice")) { try temporary.store.add("bob", password: "x", addresses: [address]) }
        // Nothing of the refused account is left.
        #expect(try temporary.store.list().map(\.name) == ["alice"])
        #expect(throws: AccountError.alreadyExists("alice")) { try temporary.store.add("Alice", password: "x") }
        try temporary.store.remove("alice")
        try temporary.store.add("bob", password: "x", addresses: [address])
    }

    @Test func changesByAnotherProcessAreSeenAtOnce() throws {
        let temporary = try TemporaryAccounts()
        let other = try temporary.another()
        try other.add("alice@home.example", password: "x")
        let address = try #require(EmailAddress("alice@home.example"))
        #expect(try temporary.store.account(owning: address)?.name == "alice@home.example")
        try other.remove("alice@home.example")
        #expect(try temporary.store.account(owning: address) == nil)
    }

    @Test func aStoreThatLooksRarelySeesItsOwnChangesAtOnceAndOthersLater() throws {
        let temporary = try TemporaryAccounts()
        let rare = try temporary.another(lookInterval: .milliseconds(200))
        try temporary.store.add("alice@home.example", password: "x")
        try rare.add("bob@home.example", password: "x")
        #expect(try rare.list().map(\.name) == ["alice@home.example", "bob@home.example"])
        try temporary.store.remove("alice@home.example")
        let began = ContinuousClock.now
        while try rare.list().count == 2, ContinuousClock.now - began < .seconds(10) { usleep(10_000) }
        #expect(try rare.list().map(\.name) == ["bob@home.example"])
    }

    @Test(arguments: ["", ".x", "a/b", "..", "a b", "a@", "x@y@z", "a\u{0}"])
    func namesThatAreNoFolderAreRefused(name: String) throws {
        let temporary = try TemporaryAccounts()
        #expect(throws: AccountError.self) { try temporary.store.add(name, password: "x") }
    }

    @Test func theFileIsForItsOwnerAlone() throws {
        let temporary = try TemporaryAccounts()
        let mode = try FileManager.default.attributesOfItem(atPath: temporary.folder + "/accounts.db")[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test func whatIsMissingIsSaid() throws {
        let temporary = try TemporaryAccounts()
        #expect(throws: AccountError.noSuchAccount("bob")) { try temporary.store.setPassword("bob", to: "x") }
        #expect(throws: AccountError.noSuchAccount("bob")) { try temporary.store.remove("Bob") }
    }
}

@Suite struct AuthenticationTests {
    @Test func onlyTheRightPasswordOfAKnownUserSucceeds() async throws {
        let temporary = try TemporaryAccounts(throttle: FailureThrottle(settings: .init(firstPause: .zero)))
        try temporary.store.add("alice", password: "p\u{e4}ss word")
        let account = Account(name: "alice", addresses: [])
        #expect(await temporary.store.authenticate(user: "Alice", password: "pa\u{308}ss word", client: nil) == .success(account))
        // Once more, from the cache.
        #expect(await temporary.store.authenticate(user: "alice", password: "p\u{e4}ss word", client: nil) == .success(account))
        #expect(await temporary.store.authenticate(user: "alice", password: "Päss word", client: nil) == .failure)
        #expect(await temporary.store.authenticate(user: "bob", password: "x", client: nil) == .failure)
        #expect(await temporary.store.authenticate(user: "alice", password: "", client: nil) == .failure)
    }

    @Test func aChangedPasswordEndsTheOldOneEvenInTheCache() async throws {
        let temporary = try TemporaryAccounts(throttle: FailureThrottle(settings: .init(firstPause: .zero)))
        try temporary.store.add("alice", password: "old")
        _ = await temporary.store.authenticate(user: "alice", password: "old", client: nil)
        try temporary.another().setPassword("alice", to: "new")
        #expect(await temporary.store.authenticate(user: "alice", password: "old", client: nil) == .failure)
        #expect(await temporary.store.authenticate(user: "alice", password: "new", client: nil) == .success(Account(name: "alice", addresses: [])))
    }

    @Test func hashesAreYescryptAndSalted() throws {
        let first = try PasswordHash.make("x", cost: 1), second = try PasswordHash.make("x", cost: 1)
        #expect(first.hasPrefix("$y$"))
        #expect(first != second)
        #expect(PasswordHash.matches("x", hash: first))
        #expect(!PasswordHash.matches("y", hash: first))
        #expect(!PasswordHash.matches("x", hash: "*"))
    }

    @Test(arguments: ["", "a\nb", "a\u{0}", String(repeating: "x", count: 501)])
    func unusablePasswordsAreRefused(password: String) {
        #expect(throws: AccountError.self) { try PasswordHash.make(password, cost: 1) }
    }

    @Test func theCacheForgetsAndIsBounded() {
        let cache = SuccessCache(lifetime: .seconds(5), capacity: 2)
        let now = ContinuousClock.now
        cache.insert(user: "a", password: "b", hash: "c", now: now)
        #expect(cache.contains(user: "a", password: "b", hash: "c", now: now + .seconds(4)))
        #expect(!cache.contains(user: "a", password: "b", hash: "c", now: now + .seconds(5)))
        #expect(!cache.contains(user: "ab", password: "", hash: "c", now: now))
        #expect(!cache.contains(user: "a", password: "b", hash: "d", now: now))
    }
}
