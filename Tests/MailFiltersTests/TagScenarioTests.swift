import Foundation
import InternetMessage
@testable import MailFilters
import Milter
import NetworkAddress
import Tags
import Testing

/// Tagged recipients: to whom a tag belongs, and who else uses it.
@Suite struct TagScenarioTests {
    private static let leak = House.zone + "other.example. TXT \"v=spf1 ip4:192.0.2.50 -all\"\n"
    private static let other = Letter(client: "192.0.2.50", helo: "h.other.example", sender: "x@other.example", recipients: ["bob+shop@home.example"],
                                      header: "From: x@other.example\r\nSubject: buy\r\nMessage-ID: <2@other.example>\r\n")

    @Test func theFirstAuthenticatedSenderOwnsATag() async throws {
        try await House.with(Self.leak) { house in
            var first = Letter(recipients: ["bob+shop@home.example"])
            first.header += "X-Postern-Tag: match; tag=forged\r\n"
            let one = try await house.send(first)
            #expect(one.transaction[TagKey.self]?.map(\.verdict.status) == [.new])
            #expect(one.transaction.message.header.all("X-Postern-Tag").count == 1)
            let again = try await house.send(Letter(recipients: ["bob+shop@home.example"], isSigned: true))
            #expect(again.transaction[TagKey.self]?.map(\.verdict.status) == [.match])
            let leaked = try await house.send(Self.other)
            #expect(!leaked.verdict.answer.isNegative)
            #expect(leaked.transaction[TagKey.self]?.map(\.verdict.status) == [.leaked])
            let bob = try #require(EmailAddress("bob+shop@home.example"))
            #expect(leaked.transaction.deliveryHints.recipientKeywords == [bob: [TagFilter.leakedKeyword]])
            #expect(leaked.transaction.deliveryHints.keywords.isEmpty, "what the shipped rule adds is for the tag's owner alone")
            #expect(leaked.result("x-postern-tag", "policy.tag") == "leaked")
        }
    }

    @Test func unauthenticatedMailBindsNothing() async throws {
        try await House.with { house in
            let letter = Letter(client: "198.51.100.9", helo: "h.none.example", sender: "x@none.example", recipients: ["bob+shop@home.example"],
                                header: "From: x@none.example\r\n")
            let journey = try await house.send(letter)
            #expect(journey.transaction[TagKey.self]?.map(\.verdict.status) == [.unverified])
        }
    }

    @Test func aBlockedTagIsRefusedAtItsRecipientOnly() async throws {
        try await House.with { house in
            let bob = try #require(EmailAddress("bob@home.example"))
            try house.ledger.block(TagAddress(base: bob, detail: "spam"), at: Date())
            let journey = try await house.send(Letter(recipients: ["bob+spam@home.example", "bob@home.example"]))
            #expect(journey.refusedRecipients == ["bob+spam@home.example"])
            #expect(!journey.verdict.answer.isNegative)
        }
    }

    @Test func theTagIsNamedOnlyToItsOwner() async throws {
        try await House.with { house in
            let journey = try await house.send(Letter(recipients: ["bob+shop@home.example", "eve@home.example"]))
            #expect(journey.transaction.message.header.first("X-Postern-Tag")?.value == "new")
            #expect(journey.result("x-postern-tag") == "new" && journey.result("x-postern-tag", "policy.tag") == nil)
        }
    }

    private func passage(_ header: String, sender: String = "ann@honest.example") -> SenderIdentity.Passage? {
        Passages.find(in: MessageHeader.parse(Array((header + "\r\n").utf8)[...]).header, sender: EmailAddress(sender))
    }

    @Test("A forwarder is known by what it leaves", arguments: ["Resent-From: a@b.example", "Delivered-To: old@b.example", "x-forwarded-to: a@b.example"])
    func forwarders(field: String) { #expect(passage(field + "\r\n") == .forwarder) }

    @Test("A rewritten sender", arguments: ["SRS0=HHH=TT=a.example=x@f.example", "srs1+x=y@f.example", "user+SRS=aB=cD=a.example=x@f.example", "me+caf_=you=b.example@f.example"])
    func rewritten(sender: String) { #expect(passage("Subject: x\r\n", sender: sender) == .forwarder) }

    @Test("What is sent straight", arguments: ["ARC-Seal: i=1; d=host.example", "List-Id: <news.shop.example>", "List-Id: <news.shop.example>\r\nList-Post: NO",
                                              "List-Post: <mailto:talk@lists.example>"])
    func straight(header: String) { #expect(passage(header + "\r\n") == nil) }

    @Test func listsAreKnownByNameAndAddress() throws {
        let lists = try #require(DomainName("lists.example"))
        #expect(passage("List-Id: Talk <talk.lists.example>\r\nList-Post: <mailto:talk@lists.example>\r\n") == .list(lists))
        #expect(passage("List-Id: <talk.other.example>\r\nList-Post: <mailto:talk@lists.example?subject=x>\r\n") == .list(nil), "no one place")
    }

    @Test func theRulesExemptAndRefusalsTeachNothing() async throws {
        try await House.with(Self.leak) { house in
            _ = try await house.send(Letter(recipients: ["bob+shop@home.example"]))
            var transaction = (try await house.send(Self.other)).transaction
            #expect(transaction[TagKey.self]?.map(\.verdict.status) == [.leaked])
            let filter = PolicyFilter(rules: try rules("stage message\nrule \"f\" then exempt tag \"by {sender.domain}\""), delimiters: "+", logger: quiet,
                                      tags: TagRecorder(ledger: house.ledger, logger: quiet))
            _ = await filter.makeSession().endOfMessage(&transaction)
            #expect(transaction[TagKey.self]?.map(\.verdict.status) == [.unverified])
            #expect(transaction[TagKey.self]?.first?.verdict.explanation.contains("by other.example") == true)
        }
        try await House.with(House.zone + "_dmarc.other.example. TXT \"v=DMARC1; p=reject\"\n") { house in
            let forged = try await house.send(Self.other)
            #expect(forged.verdict.answer.isNegative)
            #expect(try house.ledger.list().isEmpty, "who was kept out owns nothing")
        }
    }
}
