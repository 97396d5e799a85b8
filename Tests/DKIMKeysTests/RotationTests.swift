import DKIM
import Foundation
import Testing
@testable import DKIMKeys

struct RotationTests {
    let shop: Workshop
    let domain = name("example.org")
    init() throws { shop = try Workshop() }

    @Test func aNewKeySignsNothingUntilEveryNameServerHasItsRecord() async throws {
        let keys = try shop.keeper.create(domain, [.ed25519], selector: "one")
        #expect(keys.keys.map(\.state) == [.staged])
        #expect(try shop.store.signingEntries().isEmpty)
        try shop.publish(keys, on: ["192.0.2.1"])
        let half = try await shop.keeper.check(domain)
        #expect(half.activated.isEmpty)
        #expect(half.publications["one"]?.verdict == .missing)
        #expect(half.publications["one"]?.findings.map(\.verdict) == [.published, .missing])
        #expect(half.keys.keys[0].seenPublished == nil)
        #expect(try shop.store.signingEntries().isEmpty)
        try shop.publish(keys, on: ["192.0.2.2"])
        let whole = try await shop.keeper.check(domain)
        #expect(whole.activated == ["one"])
        #expect(whole.keys.keys[0].seenPublished == shop.clock.now)
        #expect(try shop.store.signingEntries().map(\.key.selector) == ["one"])
    }

    @Test func aCheckThatOnlyLooksChangesNothing() async throws {
        try shop.publish(try shop.keeper.create(domain, [.ed25519], selector: "one"))
        let report = try await shop.keeper.check(domain, activating: false)
        #expect(report.publications["one"]?.verdict == .published)
        #expect(try shop.states() == [.staged])
    }

    @Test func rotationStagesSwitchesAndKeepsTheOldRecordUntilItsDate() async throws {
        try shop.publish(try shop.keeper.create(domain, [.ed25519], selector: "one"))
        _ = try await shop.keeper.check(domain)
        shop.clock.advance(86_400)
        let staged = try await shop.keeper.rotate(domain, selector: "two")
        #expect(staged.keys.keys.map(\.state) == [.active, .staged])
        #expect(try shop.store.signingEntries().map(\.key.selector) == ["one"])
        // Asked again before the record stands: nothing more is made.
        #expect(try await shop.keeper.rotate(domain).keys.keys.count == 2)
        try shop.publish(staged.keys)
        let turned = try await shop.keeper.rotate(domain)
        #expect(turned.activated == ["two"])
        #expect(turned.keys.keys.map(\.state) == [.retiring, .active])
        #expect(turned.keys.keys[0].keepUntil == shop.clock.now + Workshop.week)
        #expect(try shop.store.signingEntries().map(\.key.selector) == ["two"])

        #expect(throws: KeyKeeper.Failure.nothingDue(domain, next: shop.clock.now + Workshop.week)) {
            try shop.keeper.retire(domain, selector: nil, regardless: false)
        }
        #expect(throws: DomainKeys.Refusal.keepUntil("one", shop.clock.now + Workshop.week)) {
            try shop.keeper.retire(domain, selector: "one", regardless: false)
        }
        shop.clock.advance(Workshop.week)
        let retired = try shop.keeper.retire(domain, selector: nil, regardless: false)
        #expect(retired.retired.map(\.selector) == ["one"])
        #expect(try shop.states() == [.retired, .active])
        #expect(!FileManager.default.fileExists(atPath: shop.store.keyPath(domain, "one")))
        // A selector is never used again: old mail names it.
        #expect(throws: DomainKeys.Refusal.selectorTaken("one")) { try shop.keeper.create(domain, [.rsa2048], selector: "one") }
    }

    @Test func eachAlgorithmIsReplacedByItself() async throws {
        let both = try shop.keeper.create(domain, [.rsa2048, .ed25519], selector: nil)
        #expect(both.keys.map(\.selector) == ["20231114-rsa", "20231114-ed25519"])
        try shop.publish(both)
        _ = try await shop.keeper.check(domain)
        let staged = try await shop.keeper.rotate(domain).keys
        #expect(staged.keys(in: .staged).map(\.selector) == ["20231114b-rsa", "20231114b-ed25519"])
        let rsa = try #require(staged["20231114b-rsa"]), place = try #require(staged.recordName(rsa))
        for server in ["192.0.2.1", "192.0.2.2"] { try shop.servers.publish(ZoneLine.txt(rsa.record, at: place), on: server) }
        let turned = try await shop.keeper.check(domain)
        #expect(turned.activated == ["20231114b-rsa"])
        #expect(turned.keys.keys.map(\.state) == [.retiring, .active, .active, .staged])
    }

    @Test func whatStillSignsIsRetiredOnlyOnDemand() async throws {
        try shop.publish(try shop.keeper.create(domain, [.ed25519], selector: "one"))
        _ = try await shop.keeper.check(domain)
        #expect(throws: DomainKeys.Refusal.stillSigning("one")) { try shop.keeper.retire(domain, selector: "one", regardless: false) }
        #expect(throws: DomainKeys.Refusal.unknownSelector("two", domain: "example.org")) {
            try shop.keeper.retire(domain, selector: "two", regardless: true)
        }
        _ = try shop.keeper.retire(domain, selector: "one", regardless: true)
        #expect(try shop.store.signingEntries().isEmpty)
        #expect(throws: DomainKeys.Refusal.alreadyRetired("one")) { try shop.keeper.retire(domain, selector: "one", regardless: true) }
    }

    @Test func newIsRefusedWhereAKeyOfThatKindLives() throws {
        _ = try shop.keeper.create(domain, [.ed25519], selector: "one")
        #expect(throws: KeyKeeper.Failure.hasKeys(domain, algorithm: "ed25519-sha256")) {
            try shop.keeper.create(domain, [.ed25519], selector: "two")
        }
        #expect(try shop.keeper.create(domain, [.rsa2048], selector: "two").keys.count == 2)
    }

    @Test func domainsWithoutKeysAreSaidToHaveNone() async throws {
        await #expect(throws: KeyKeeper.Failure.noKeys(domain)) { try await shop.keeper.check(domain) }
        await #expect(throws: KeyKeeper.Failure.noKeys(domain)) { try await shop.keeper.rotate(domain) }
        #expect(throws: KeyKeeper.Failure.noKeys(domain)) { try shop.keeper.retire(domain, selector: nil, regardless: false) }
        #expect(!FileManager.default.fileExists(atPath: shop.store.folder))
    }

    @Test func eachStateSaysWhatToDo() throws {
        let keys = try shop.keeper.create(domain, [.ed25519], selector: "one")
        let step = NextStep(keys.keys[0], of: keys, now: shop.clock.now)
        #expect(step.publish == "one._domainkey.example.org. 3600 IN TXT \"\(keys.keys[0].record)\"")
        var later = keys
        later.markPublished("one", at: shop.clock.now, retirement: 0)
        try later.stage(StoredKey(SigningKey(pem: SigningKey.generate(.ed25519), domain: domain, selector: "two"), created: shop.clock.now))
        later.markPublished("two", at: shop.clock.now, retirement: 60)
        #expect(NextStep(later.keys[0], of: later, now: shop.clock.now).text.contains("keep its record until 2023-11-14T22:14:20Z"))
        #expect(NextStep(later.keys[0], of: later, now: shop.clock.now + 60).text.contains("its date has come"))
        #expect(later.due(at: shop.clock.now + 59).isEmpty)
        #expect(later.due(at: shop.clock.now + 60).map(\.selector) == ["one"])
    }
}
