import Foundation
import InternetMessage
@testable import Tags
import Testing

@Suite struct MintingTests {
    let mint: TagMint
    let alice: EmailAddress

    init() throws {
        mint = try TagMint(key: Array(1...32))
        alice = try #require(EmailAddress("alice@example.org"))
    }

    @Test func mintedIsGenuineForItsBaseAndKeyOnly() throws {
        let made = try mint.mint("shop", base: alice)
        #expect(made.detail.hasPrefix("shop-") && made.detail.count == 11)
        #expect(mint.examine(made) == .genuine)
        #expect(mint.examine(TagAddress(base: try #require(EmailAddress("ALICE@example.org")), detail: made.detail.uppercased())) == .genuine)
        #expect(mint.examine(try tag(made.detail, of: "bob@example.org")) == .wrong)
        #expect(mint.examine(try tag("bank" + made.detail.dropFirst(4))) == .wrong)
        #expect(try TagMint(key: Array(2...33)).examine(made) == .wrong)
    }

    /// HMAC-SHA256 with key 0102…20 over "postern tag 1\0alice@example.org\0shop", its first 8 octets read in bases 23 and 8
    /// by Python's hmac: minted tags must outlive new versions of this program.
    @Test func theFormNeverChanges() throws {
        #expect(try mint.mint("shop", base: alice).detail == "shop-w4v4m2")
    }

    @Test(arguments: ["shop", "news-weekly", "order-123456", "a-b-c", "shop-", "-k7f3q2", "shop-k7f3q", "shop-k7f3q22", "shop-07f3q2", "shop-i7f3q2"])
    func ordinaryTagsAreNotMinted(detail: String) throws { #expect(mint.examine(try tag(detail)) == .notMinted) }

    @Test(arguments: ["", "-a", "a b", "ü", "a+b", "abcdefghijabcdefghijabcdefghija"])
    func badLabels(label: String) { #expect(throws: TagLedgerError.badLabel(label)) { try mint.mint(label, base: alice) } }

    @Test func anAddressTooLongIsRefused() throws {
        let long = try #require(EmailAddress(String(repeating: "x", count: 50) + "@example.org"))
        #expect(throws: TagLedgerError.addressTooLong(long.localPart)) { try mint.mint("bookshop", base: long) }
    }

    @Test func aShortKeyIsRefused() { #expect(throws: TagLedgerError.shortKey(15)) { try TagMint(key: Array(1...15)) } }

    @Test func theLedgerMintsChecksAndRevokes() throws {
        let workshop = try Workshop(), ledger = try workshop.ledger()
        let made = try ledger.mint(for: domain("shop.example"), base: alice, at: start)
        #expect(made.detail.hasPrefix("shop-"))
        #expect(try ledger.status(of: made) == .known)
        #expect(try ledger.verdict(made, dmarc("shop.example")).status == .match)
        #expect(try ledger.verdict(made, dmarc("evil.example")).status == .leaked)
        #expect(try ledger.show(made)?.isMinted == true)
        let wrong = try tag(made.detail.replacing("shop-", with: "bank-"))
        #expect(try ledger.status(of: wrong) == .guessed)
        #expect(try ledger.verdict(wrong, dmarc("evil.example")).status == .guessed)
        #expect(try ledger.status(of: wrong) == .guessed, "a guess is never learned")
        try ledger.revoke(made, at: start)
        #expect(throws: TagLedgerError.self) { try ledger.mint(for: domain("shop.example"), base: alice, at: start) }
        let second = try ledger.mint(for: domain("shop.example"), base: alice, label: "shop2", at: start)
        #expect(try ledger.status(of: second) == .known)
    }

    @Test func anotherNodesTagIsGenuineWithoutTheLedger() throws {
        let workshop = try Workshop(), ledger = try workshop.ledger()
        let elsewhere = try mint.mint("shop", base: alice)
        #expect(try ledger.status(of: elsewhere) == .known)
        #expect(try ledger.verdict(elsewhere, dmarc("shop.example")).status == .new)
    }

    @Test func aTagThatOnlyLooksMintedCanBeDeclared() throws {
        let workshop = try Workshop(), ledger = try workshop.ledger()
        let odd = try tag("order-a2b3c4")
        #expect(try ledger.status(of: odd) == .guessed)
        try ledger.allow(odd, domain("shop.example"), at: start)
        #expect(try ledger.verdict(odd, dmarc("shop.example")).status == .match)
    }

    @Test func theKeyFileIsMadeOnceAndPrivate() throws {
        let workshop = try Workshop(), path = workshop.folder + "/key"
        let key = try MintingKey.load(path)
        #expect(key.count == 32)
        #expect(try MintingKey.load(path) == key)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: workshop.folder) == ["key"], "no draft is left")
        try Data([1, 2, 3]).write(to: URL(filePath: path))
        #expect(throws: MintingKey.Problem.self) { try MintingKey.load(path) }
        #expect(throws: MintingKey.Problem.self) { try MintingKey.load(workshop.folder + "/none/key") }
    }
}
