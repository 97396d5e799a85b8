import Foundation
import InternetMessage
import NetworkAddress
@testable import Tags
import Testing

@Suite struct JudgingTests {
    let workshop: Workshop
    let ledger: TagLedger

    init() throws {
        workshop = try Workshop()
        ledger = try workshop.ledger()
    }

    @Test func firstUseBindsThenOthersLeak() throws {
        let first = try ledger.verdict(tag("shop"), dmarc("shop.example"))
        #expect((first.status, first.owners) == (.new, [try domain("shop.example")]))
        #expect(try ledger.verdict(tag("shop"), dmarc("shop.example")).status == .match)
        let other = try ledger.verdict(tag("shop"), dmarc("spam.example"))
        #expect((other.status, other.offender) == (.leaked, try domain("spam.example")))
        #expect(other.explanation == "spam.example, authenticated by DMARC, used the tag \"shop\" of alice@example.org, which belongs to shop.example, who wrote first.")
        #expect(try ledger.verdict(tag("shop"), dmarc("spam.example")).status == .leaked, "a leak does not become an owner by repetition")
    }

    @Test func caseIsOneTag() throws {
        _ = try ledger.verdict(tag("shop"), dmarc("shop.example"))
        #expect(try ledger.verdict(tag("SHOP", of: "Alice@Example.ORG"), dmarc("shop.example")).status == .match)
        #expect(try ledger.verdict(tag("shop", of: "bob@example.org"), dmarc("other.example")).status == .new, "another base is another tag")
    }

    @Test func nothingAuthenticatedNeverBindsAndNeverLeaks() throws {
        #expect(try ledger.verdict(tag("shop"), SenderIdentity()).status == .unverified)
        #expect(try ledger.status(of: tag("shop")) == .unknown, "a forger left no trace")
        _ = try ledger.verdict(tag("shop"), dmarc("shop.example"))
        let forged = try ledger.verdict(tag("shop"), SenderIdentity())
        #expect((forged.status, forged.offender) == (.unverified, nil))
        #expect(try ledger.leaks().isEmpty)
        let sightings = try #require(try ledger.show(tag("shop"))).sightings
        #expect(Set(sightings.map(\.domain)) == [nil, try domain("shop.example")])
        #expect(sightings.first { $0.domain == nil }?.messageIDs.isEmpty == true, "a forger's message ids are no evidence")
    }

    @Test func theStrongestMethodAloneDecides() throws {
        // A mailing service is an owner, and signs for all its customers.
        try ledger.allow(tag("shop"), domain("shop.example"), at: start)
        try ledger.allow(tag("shop"), domain("mailer.example"), at: start)
        var customer = try dmarc("spam.example")
        customer.add(try domain("mailer.example"), by: .dkim)
        customer.add(try domain("shop.example"), by: .spf)
        #expect(try ledger.verdict(tag("shop"), customer).status == .leaked)
        #expect(try ledger.verdict(tag("shop"), SenderIdentity(domain("mailer.example"), by: .dkim)).status == .match)
        #expect(try ledger.verdict(tag("shop"), SenderIdentity(domain("shop.example"), by: .spf)).status == .match)
    }

    @Test func oneOfSeveralSignaturesSuffices() throws {
        _ = try ledger.verdict(tag("shop"), dmarc("shop.example"))
        var signed = SenderIdentity(try domain("mailer.example"), by: .dkim)
        signed.add(try domain("shop.example"), by: .dkim)
        #expect(try ledger.verdict(tag("shop"), signed).status == .match)
    }

    @Test func firstSignatureBindsAlone() throws {
        var signed = SenderIdentity(try domain("shop.example"), by: .dkim)
        signed.add(try domain("mailer.example"), by: .dkim)
        #expect(try ledger.verdict(tag("shop"), signed).owners == [domain("shop.example")])
        #expect(try ledger.verdict(tag("shop"), SenderIdentity(domain("mailer.example"), by: .dkim)).status == .leaked)
    }

    @Test func declaredOwnersStandBeforeTheFirstMessage() throws {
        try ledger.allow(tag("bank"), domain("bank.example"), at: start)
        #expect(try ledger.verdict(tag("bank"), dmarc("evil.example")).status == .leaked, "a stranger who writes first gets nothing")
        #expect(try ledger.verdict(tag("bank"), dmarc("bank.example")).status == .match)
    }

    @Test func aStrangerWhoWroteFirstIsSetRight() throws {
        #expect(try ledger.verdict(tag("shop"), dmarc("evil.example"), "<evil@1>").status == .new)
        let honest = try ledger.verdict(tag("shop"), dmarc("shop.example"))
        #expect(honest.status == .leaked)
        #expect(honest.explanation.contains("who wrote first"), "the owner is told that the bond is only a guess")
        try ledger.confirm(tag("shop"), domain("shop.example"), at: start)
        #expect(try ledger.verdict(tag("shop"), dmarc("shop.example")).status == .match)
        #expect(try ledger.verdict(tag("shop"), dmarc("evil.example")).status == .leaked)
        let leak = try #require(try ledger.leaks().first)
        #expect(leak.offender.domain == (try domain("evil.example")))
        #expect(leak.offender.messageIDs.first == "<evil@1>")
    }

    @Test func theMailingServiceIsAllowed() throws {
        _ = try ledger.verdict(tag("shop"), dmarc("shop.example"))
        #expect(try ledger.verdict(tag("shop"), dmarc("mailer.example")).status == .leaked)
        try ledger.allow(tag("shop"), domain("mailer.example"), at: start + 1)
        let verdict = try ledger.verdict(tag("shop"), dmarc("mailer.example"))
        #expect((verdict.status, verdict.owners) == (.match, [try domain("shop.example"), try domain("mailer.example")]))
        #expect(try ledger.leaks().isEmpty, "what was allowed is a leak no more")
        try ledger.disallow(tag("shop"), domain("mailer.example"))
        #expect(try ledger.verdict(tag("shop"), dmarc("mailer.example")).status == .leaked)
        #expect(throws: TagLedgerError.self) { try ledger.disallow(tag("shop"), domain("mailer.example")) }
    }

    @Test func blockedAndRevokedSpeakForEveryone() throws {
        _ = try ledger.verdict(tag("shop"), dmarc("shop.example"))
        try ledger.block(tag("shop"), at: start)
        #expect(try ledger.status(of: tag("shop")) == .blocked)
        #expect(try ledger.verdict(tag("shop"), dmarc("shop.example")).status == .blocked)
        #expect(try ledger.verdict(tag("shop"), SenderIdentity()).status == .blocked)
        try ledger.unblock(tag("shop"))
        #expect(try ledger.verdict(tag("shop"), dmarc("shop.example")).status == .match)
        try ledger.revoke(tag("never-seen"), at: start)
        #expect(try ledger.status(of: tag("never-seen")) == .revoked)
        #expect(try ledger.verdict(tag("never-seen"), dmarc("x.example")).status == .revoked)
        try ledger.forget(tag("shop"))
        #expect(try ledger.status(of: tag("shop")) == .unknown)
        #expect(try ledger.verdict(tag("shop"), dmarc("next.example")).status == .new)
    }

    @Test func changesOfWhatIsNotThereAreErrors() throws {
        #expect(throws: TagLedgerError.unknownTag(try tag("no"))) { try ledger.confirm(tag("no"), at: start) }
        #expect(throws: TagLedgerError.unknownTag(try tag("no"))) { try ledger.unblock(tag("no")) }
        #expect(throws: TagLedgerError.unknownTag(try tag("no"))) { try ledger.forget(tag("no")) }
        #expect(try ledger.show(tag("no")) == nil)
    }

    @Test func confirmMakesLearnedOwnersSure() throws {
        _ = try ledger.verdict(tag("shop"), dmarc("shop.example"))
        #expect(try ledger.show(tag("shop"))?.owners.map(\.origin) == [.learned])
        try ledger.confirm(tag("shop"), at: start)
        #expect(try ledger.show(tag("shop"))?.owners.map(\.origin) == [.confirmed])
        #expect(try !ledger.verdict(tag("shop"), dmarc("x.example")).explanation.contains("wrote first"))
    }
}
