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
            #expect(leaked.transaction.deliveryHints.keywords.contains(TagFilter.leakedKeyword))
            #expect(leaked.result("x-postern-tag") == "leaked")
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
        }
    }
}
