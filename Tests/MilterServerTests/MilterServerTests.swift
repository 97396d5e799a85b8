import CMilter
import InternetMessage
import Milter
import NetworkAddress
import Testing

@testable import MilterServer

@Suite struct MilterSocketTests {
    @Test(arguments: [
        ("inet:12301@localhost", "inet:12301@localhost"), ("inet:localhost:12301", "inet:12301@localhost"),
        ("inet:12301", "inet:12301"), ("inet6:12301@::1", "inet6:12301@::1"), ("inet:[::1]:12301", "inet6:12301@::1"),
        ("inet6:[::1]:12301", "inet6:12301@::1"), ("inet:192.0.2.1:25", "inet:25@192.0.2.1"),
        ("unix:/run/x", "unix:/run/x"), ("local:/run/x", "unix:/run/x"), ("/run/x", "unix:/run/x"),
    ])
    func bothSpellings(_ given: String, _ expected: String) throws {
        #expect(try MilterSocket(given).libmilterText == expected)
    }

    @Test(arguments: ["", "12301", "inet:", "inet:0@localhost", "inet:65536@localhost", "inet:12301@", "inet::12301", "inet:x:y",
                      "tcp:1@localhost", "unix:", "unix:run/x", "unix:/" + String(repeating: "a", count: 107)])
    func whatMakesNoSense(_ given: String) {
        #expect(throws: MilterServerError.self) { try MilterSocket(given) }
    }
}

@Suite struct NegotiationTests {
    private let everything = 0x1FFFFF

    @Test func aChainThatWantsNothingIsSentNothing() {
        let n = Negotiation(stages: [], offeredActions: 0x1FF, offeredProtocol: everything)
        for step in [SMFIP_NOCONNECT, SMFIP_NOHELO, SMFIP_NOMAIL, SMFIP_NORCPT, SMFIP_NODATA, SMFIP_NOHDRS, SMFIP_NOBODY] {
            #expect(n.protocolSteps & step != 0)
        }
        #expect(n.actions == SMFIF_SETSYMLIST && n.unanswered.isEmpty)
    }

    @Test func factsAreSentButNotAnsweredWhenOnlyTheEndIsWanted() {
        let n = Negotiation(stages: [.endOfMessage], offeredActions: 0x1FF, offeredProtocol: everything)
        #expect(n.unanswered == [.connect, .helo, .mail, .rcpt, .header])
        #expect(n.protocolSteps & (SMFIP_NOCONNECT | SMFIP_NOHELO | SMFIP_NOMAIL | SMFIP_NORCPT | SMFIP_NOHDRS | SMFIP_NOBODY) == 0)
        #expect(n.protocolSteps & SMFIP_NODATA != 0)
        #expect(n.protocolSteps & SMFIP_NR_BODY == 0)
    }

    @Test func bodyIsSkippedWhenNobodyReadsIt() {
        let n = Negotiation(stages: [.mail, .rcpt], offeredActions: 0x1FF, offeredProtocol: everything)
        #expect(n.protocolSteps & (SMFIP_NOBODY | SMFIP_NOHDRS) == SMFIP_NOBODY | SMFIP_NOHDRS)
        #expect(n.actions == SMFIF_SETSYMLIST)
    }

    private static let grants: [(Modification.Kind, Int)] = [
        (.addHeaders, SMFIF_ADDHDRS), (.changeHeaders, SMFIF_CHGHDRS), (.addRecipients, SMFIF_ADDRCPT | SMFIF_ADDRCPT_PAR),
        (.removeRecipients, SMFIF_DELRCPT), (.changeSender, SMFIF_CHGFROM), (.replaceBody, SMFIF_CHGBODY), (.quarantine, SMFIF_QUARANTINE),
    ]

    @Test func theChangesThatTheChainMayMakeAreAskedForAndNoOthers() {
        for (change, action) in Self.grants {
            let n = Negotiation(stages: [.endOfMessage], changes: [change], offeredActions: 0x1FF, offeredProtocol: everything)
            #expect(n.actions == action | SMFIF_SETSYMLIST)
        }
        #expect(Negotiation(stages: [.endOfMessage], changes: [], offeredActions: 0x1FF, offeredProtocol: everything).actions == SMFIF_SETSYMLIST)
        #expect(Negotiation(stages: [.endOfMessage], offeredActions: 0x1FF, offeredProtocol: everything).actions == 0x1FF)
    }

    @Test func nothingIsAskedThatWasNotOffered() {
        let n = Negotiation(stages: [.endOfMessage], offeredActions: 0x3F, offeredProtocol: 0x7F)
        #expect(n.actions & ~0x3F == 0 && !n.keepsLeadingBlank)
        #expect(n.protocolSteps & ~(0x7F | SMFIP_NODATA | SMFIP_NOUNKNOWN) == 0)
    }

    @Test func aContextKeepsItsOwnUntilTheNextNegotiation() throws {
        let (one, other) = (try #require(OpaquePointer(bitPattern: 16)), try #require(OpaquePointer(bitPattern: 32)))
        let table = NegotiationTable()
        let (first, second) = (Negotiation(stages: [.mail], offeredActions: 1, offeredProtocol: 1), Negotiation(stages: [.mail], offeredActions: 3, offeredProtocol: 3))
        table.set(first, for: one)
        #expect(table.value(for: one) == first && table.value(for: other) == nil)
        table.set(second, for: one)
        #expect(table.value(for: one) == second)
    }
}

@Suite struct EnvelopeArgumentsTests {
    @Test(arguments: [
        ("<a@Example.ORG>", "a@example.org"), ("a@example.org", "a@example.org"), ("<@relay.example:a@example.org>", "a@example.org"),
        ("<\"a b\"@example.org>", "\"a b\"@example.org"), ("<a@[192.0.2.1]>", "a@[192.0.2.1]"), ("<root>", "root@mail.example"),
        ("<postmaster>", "postmaster@mail.example"), ("<.a..b.@example.org>", "\".a..b.\"@example.org"),
    ])
    func addresses(_ given: String, _ expected: String) throws {
        let parsed = try #require(EnvelopeArguments([given], localHost: "mail.example"))
        #expect(parsed.address?.description == expected && parsed.raw == given)
    }

    @Test func nullPath() throws {
        #expect(try #require(EnvelopeArguments(["<>"], localHost: nil)).address == nil)
    }

    @Test(arguments: [[], ["<a@>"], ["<@example.org>"], ["<a@@>"]])
    func withoutSense(_ arguments: [String]) { #expect(EnvelopeArguments(arguments, localHost: nil) == nil) }

    @Test func parametersKeepTheirValuesAndFoldTheirKeywords() throws {
        let parsed = try #require(EnvelopeArguments(["<>", "size=10", "SMTPUTF8", "ORCPT=rfc822;a=b", "=x"], localHost: nil))
        #expect(parsed.parameters == ["SIZE": "10", "SMTPUTF8": "", "ORCPT": "rfc822;a=b"])
        #expect(EnvelopeArguments.text(parsed.parameters) == "ORCPT=rfc822;a=b SIZE=10 SMTPUTF8")
        #expect(EnvelopeArguments.text([:]) == nil)
    }
}

@Suite struct ReplyTextTests {
    @Test func percentSignsAreDoubledAndLinesBounded() {
        let reply = ReplyText(SMTPReply(550, "5.7.1", lines: (0..<40).map { "\($0)%" }))
        #expect(reply.code == "550" && reply.enhancedCode == "5.7.1" && reply.lines.count == 32 && reply.lines[3] == "3%%")
    }
}
