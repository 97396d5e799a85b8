import DKIM
import Foundation
import Testing
@testable import DKIMKeys

struct KeyStoreTests {
    let shop: Workshop
    let domain = name("example.org")
    init() throws { shop = try Workshop() }

    private func mode(_ path: String) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    @Test func privateKeysAndFoldersAreTheOwnersAlone() throws {
        _ = try shop.keeper.create(domain, [.ed25519], selector: "one")
        #expect(try mode(shop.store.keyPath(domain, "one")) == 0o600)
        #expect(try mode(shop.store.folder) == 0o700)
        #expect(try mode(shop.store.folder + "/example.org") == 0o700)
        #expect(try FileManager.default.contentsOfDirectory(atPath: shop.store.folder + "/example.org").sorted() == ["keys.json", "one.pem"])
    }

    @Test func aKeyThatOthersCanReadIsRefusedWithTheCommandThatMendsIt() async throws {
        try shop.publish(try shop.keeper.create(domain, [.ed25519], selector: "one"))
        let path = shop.store.keyPath(domain, "one")
        #expect(chmod(path, 0o640) == 0)
        await #expect(throws: SigningKey.Failure.readableByOthers(path: path, mode: 0o640)) { try await shop.keeper.check(domain) }
        #expect(try shop.states() == [.staged])
        #expect(SigningKey.Failure.readableByOthers(path: path, mode: 0o640).description.contains("chmod 600 \(path)"))
        #expect(chmod(path, 0o600) == 0)
        _ = try await shop.keeper.check(domain)
        #expect(chmod(path, 0o644) == 0)
        #expect(throws: SigningKey.Failure.readableByOthers(path: path, mode: 0o644)) { try shop.store.signingEntries() }
    }

    @Test func aKeyPutThereByHandIsNotUsed() async throws {
        try shop.publish(try shop.keeper.create(domain, [.ed25519], selector: "one"))
        _ = try await shop.keeper.check(domain)
        try SigningKey.generate(.ed25519).write(toFile: shop.store.keyPath(domain, "one"), atomically: false, encoding: .utf8)
        #expect(throws: KeyStore.Failure.self) { try shop.store.signingEntries() }
    }

    @Test func aKeyFileIsNeverOverwritten() throws {
        _ = try shop.keeper.create(domain, [.ed25519], selector: "one")
        let before = FileManager.default.contents(atPath: shop.store.keyPath(domain, "one"))
        #expect(throws: KeyStore.Failure.self) { try shop.store.store(pem: "other", domain: domain, selector: "one") }
        #expect(FileManager.default.contents(atPath: shop.store.keyPath(domain, "one")) == before)
    }

    @Test func stateSurvivesAReload() throws {
        let made = try shop.keeper.create(domain, [.ed25519], selector: "one", signsSubdomains: true)
        let read = try #require(try KeyStore(folder: shop.store.folder).load(domain))
        #expect(read == made)
        #expect(read.signsSubdomains)
        #expect(try shop.store.domains() == [domain])
    }

    @Test(arguments: ["", "{", "{\"version\":2,\"domain\":\"example.org\",\"signsSubdomains\":false,\"keys\":[]}",
                      "{\"version\":1,\"domain\":\"other.example\",\"signsSubdomains\":false,\"keys\":[]}"])
    func aStateFileThatCannotBeReadIsAnErrorAndNeverReplaced(text: String) throws {
        _ = try shop.keeper.create(domain, [.ed25519], selector: "one")
        let path = shop.store.folder + "/example.org/keys.json"
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        #expect(throws: KeyStore.Failure.self) { try shop.store.signingEntries() }
        #expect(throws: KeyStore.Failure.self) { try shop.keeper.create(domain, [.rsa2048], selector: "two") }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
    }

    @Test func whatChangeThrowsLeavesTheStateAsItWas() throws {
        struct Stop: Error {}
        _ = try shop.keeper.create(domain, [.ed25519], selector: "one")
        #expect(throws: Stop.self) {
            try shop.store.update(domain) { keys in
                keys.signsSubdomains = true
                throw Stop()
            }
        }
        #expect(try shop.store.load(domain)?.signsSubdomains == false)
    }

    @Test func changesFromSeveralThreadsAllCount() async throws {
        let store = shop.store
        let domain = domain
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<8 {
                group.addTask {
                    let key = try SigningKey(pem: SigningKey.generate(.ed25519), domain: domain, selector: "s\(number)")
                    try store.update(domain) { try $0.stage(StoredKey(key, created: Date(timeIntervalSince1970: 0))) }
                }
            }
            try await group.waitForAll()
        }
        #expect(try store.load(domain)?.keys.count == 8)
    }

    @Test(arguments: ["../up", "a/b", ".", "-", "a b", ""])
    func selectorsThatAreNoHostNamesAreRefused(selector: String) throws {
        #expect(throws: SigningKey.Failure.badSelector(selector)) { try shop.keeper.create(domain, [.ed25519], selector: selector) }
        #expect(try shop.store.load(domain) == nil)
    }

    @Test func noFolderMeansNoKeys() throws {
        #expect(try shop.store.signingEntries().isEmpty)
        #expect(try shop.store.domains().isEmpty)
    }
}
