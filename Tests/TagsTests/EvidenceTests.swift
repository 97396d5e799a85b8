import Foundation
import NetworkAddress
@testable import Tags
import Testing

/// What a sender's identity proves: contrib/docs/tags.md, row by row.
@Suite struct EvidenceTests {
    let workshop: Workshop
    let ledger: TagLedger

    init() throws {
        workshop = try Workshop()
        ledger = try workshop.ledger()
    }

    private func identity(claims from: String? = nil, author: SenderIdentity.Method? = nil, dkim: [String] = [], spf: String? = nil,
                          passage: SenderIdentity.Passage? = nil) throws -> SenderIdentity {
        var identity = SenderIdentity()
        identity.claimedAuthor = try from.map { try domain($0) }
        if let author, let from { identity.setAuthor(try domain(from), by: author) }
        if let spf { identity.add(try domain(spf), by: .spf) }
        for one in dkim { identity.add(try domain(one), by: .dkim) }
        identity.passage = passage
        return identity
    }

    private func owners(_ detail: String = "shop") throws -> [String]? { try ledger.show(tag(detail))?.owners.map(\.domain.text) }

    @Test func anAlignedIdentityProvesTheAuthorWithoutADMARCRecord() throws {
        // A tenant's signature of a large host beside: it must not come first.
        let first = try identity(claims: "shop.example", author: .spf, dkim: ["host.example"], spf: nil)
        #expect(try ledger.verdict(tag("shop"), first).owners.map(\.text) == ["shop.example"])
        #expect(try ledger.verdict(tag("shop"), identity(claims: "other.example", author: .spf, dkim: ["host.example"])).status == .leaked)
    }

    @Test func anotherDomainInAnOwnersNameProvesNothing() throws {
        try ledger.allow(tag("shop"), domain("shop.example"), at: start)
        let bySPF = try identity(claims: "shop.example", spf: "mailer.example"), byDKIM = try identity(claims: "shop.example", dkim: ["mailer.example"])
        for one in [bySPF, byDKIM] {
            let verdict = try ledger.verdict(tag("shop"), one)
            #expect((verdict.status, verdict.offender) == (.unverified, nil))
        }
        #expect(try ledger.leaks().isEmpty)
        #expect(try ledger.verdict(tag("shop"), identity(claims: "spam.example", dkim: ["mailer.example"])).status == .leaked)
        try ledger.refuse(tag("shop"), domain("mailer.example"), at: start)
        #expect(try ledger.verdict(tag("shop"), byDKIM).status == .leaked, "its owner has refused it")
    }

    @Test func aForwarderNeitherOwnsNorLeaks() throws {
        let alone = try identity(claims: "shop.example", spf: "forward.example", passage: .forwarder)
        #expect(try ledger.verdict(tag("shop"), alone).status == .unverified)
        #expect(try owners() == nil)
        let signed = try identity(claims: "shop.example", author: .dkim, spf: "forward.example", passage: .forwarder)
        #expect(try ledger.verdict(tag("shop"), signed).status == .new)
        #expect(try owners() == ["shop.example"])
        #expect(try ledger.verdict(tag("shop"), identity(claims: "friend.example", author: .dmarc, spf: "forward.example", passage: .forwarder)).status == .unverified)
        #expect(try ledger.leaks().isEmpty)
        let seen = try #require(try ledger.show(tag("shop"))).sightings
        #expect(Set(seen.map(\.isDirect)) == [false], "everything was passed on")
    }

    @Test func aTagOfAForwarderTakesEverybodysMailByIt() throws {
        try ledger.allow(tag("uni"), domain("university.example"), at: start)
        let passed = try identity(claims: "friend.example", author: .dmarc, spf: "university.example", passage: .forwarder)
        #expect(try ledger.verdict(tag("uni"), passed).status == .match)
        #expect(try ledger.verdict(tag("uni"), identity(claims: "friend.example", author: .dmarc)).status == .leaked)
    }

    @Test func aListOwnsItsTagAndAccusesNobody() throws {
        let lists = try domain("lists.example")
        let posted = try identity(claims: "friend.example", author: .dmarc, spf: "lists.example", passage: .list(lists))
        #expect(try ledger.verdict(tag("talk"), posted).owners == [lists])
        #expect(try ledger.verdict(tag("talk"), identity(claims: "other.example", dkim: ["lists.example"], passage: .list(lists))).status == .match)
        try ledger.allow(tag("shop"), domain("shop.example"), at: start)
        #expect(try ledger.verdict(tag("shop"), identity(claims: "shop.example", dkim: ["lists.example"], passage: .list(lists))).status == .unverified)
        #expect(try ledger.leaks().isEmpty)
        // The name of a list that nothing proves.
        #expect(try ledger.verdict(tag("free"), identity(claims: "friend.example", author: .dmarc, passage: .list(lists))).status == .unverified)
        #expect(try owners("free") == nil)
    }

    @Test func theRefusedIsALeakAndNeverLearned() throws {
        #expect(try ledger.verdict(tag("shop"), dmarc("evil.example"), "<1>").status == .new)
        try ledger.refuse(tag("shop"), domain("evil.example"), at: start)
        #expect(try ledger.verdict(tag("shop"), dmarc("evil.example"), "<2>", after: 1).status == .leaked)
        #expect(try ledger.verdict(tag("shop"), dmarc("shop.example")).status == .new)
        let record = try #require(try ledger.show(tag("shop")))
        #expect((record.owners.map(\.domain.text), record.refused.map(\.domain.text)) == (["shop.example"], ["evil.example"]))
        #expect(try ledger.leaks().map(\.offender.messageIDs) == [["<1>", "<2>"]])
        try ledger.allow(tag("shop"), domain("evil.example"), at: start)
        #expect(try ledger.verdict(tag("shop"), dmarc("evil.example")).status == .match, "a later word counts")
    }

    @Test func anExemptedMessageIsNoEvidence() throws {
        let friend = try dmarc("friend.example")
        func exempted() throws -> TagVerdict {
            try ledger.judge(tag: tag("shop"), identity: friend, messageID: "<1>", at: start, ruling: .exempt("the university forwards"))
        }
        #expect(try exempted().status == .unverified)
        #expect(try owners() == nil, "nothing is learned")
        try ledger.allow(tag("shop"), domain("shop.example"), at: start)
        let verdict = try exempted()
        #expect((verdict.status, verdict.offender) == (.unverified, nil))
        #expect(verdict.explanation.contains("the university forwards"))
        #expect(try ledger.leaks().isEmpty)
        try ledger.block(tag("shop"), at: start)
        #expect(try exempted().status == .blocked, "a block is the owner's word, whatever the rule")
    }

    @Test func aRefusedMessageTeachesNothingButALeakStaysOnRecord() throws {
        func refused(_ name: String) throws -> TagStatus {
            try ledger.judge(tag: tag("shop"), identity: dmarc(name), messageID: "<\(name)>", at: start, ruling: .refused).status
        }
        #expect(try refused("shop.example") == .unverified)
        #expect(try owners() == nil)
        try ledger.allow(tag("shop"), domain("shop.example"), at: start)
        #expect(try refused("spam.example") == .leaked)
        #expect(try ledger.leaks().map(\.offender.messageIDs) == [["<spam.example>"]])
    }

    @Test func anAssessmentRemembersNothing() throws {
        #expect(try ledger.assess(tag: tag("shop"), identity: dmarc("shop.example")).status == .new)
        #expect(try ledger.assess(tag: tag("shop"), identity: dmarc("other.example")).status == .new)
        #expect(try ledger.show(tag("shop")) == nil)
        try ledger.allow(tag("shop"), domain("shop.example"), at: start)
        #expect(try ledger.assess(tag: tag("shop"), identity: dmarc("other.example")).status == .leaked)
        #expect(try ledger.leaks().isEmpty)
    }
}
