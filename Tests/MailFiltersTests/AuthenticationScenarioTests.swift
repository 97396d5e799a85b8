import DKIM
import DMARC
import InternetMessage
@testable import MailFilters
import Milter
import NetworkAddress
import SPF
import Testing

/// Messages through the whole chain: what is found, written and decided.
@Suite struct AuthenticationScenarioTests {
    @Test func honestMailPassesEverything() async throws {
        try await House.with { house in
            let journey = try await house.send(Letter(isSigned: true))
            #expect(!journey.verdict.answer.isNegative)
            #expect(journey.result("spf", "smtp.mailfrom") == "pass")
            #expect(journey.result("spf", "smtp.helo") == "pass")
            #expect(journey.result("dkim", "header.d") == "pass")
            #expect(journey.result("dmarc", "header.from") == "pass")
            #expect(journey.result("iprev", "policy.iprev") == "pass")
            #expect(journey.transaction.message.header.fields.first?.isNamed(AuthenticationResults.fieldName) == true)
            let dkim = try #require(journey.results?.results.first { $0.method == "dkim" })
            #expect(dkim.value("header", "d") == "honest.example")
            #expect(dkim.value("header", "s") == "s1")
            #expect(dkim.value("header", "a") == "ed25519-sha256")
            #expect(dkim.value("header", "b")?.count == 8)
        }
    }

    @Test func forgedMailOfADomainThatAsksForRefusalIsRefused() async throws {
        try await House.with { house in
            let journey = try await house.send(Letter(client: "198.51.100.9", helo: "evil.example", sender: "ann@evil.example"))
            guard case .reject(let reply) = journey.verdict.answer else { return #expect(Bool(false), "not refused") }
            #expect(reply.code == 550)
            #expect(journey.verdict.filter == "policy")
            #expect(journey.transaction[DMARCKey.self]?.verdict == .fail)
        }
    }

    @Test func aSignatureSavesForwardedMail() async throws {
        try await House.with { house in
            let journey = try await house.send(Letter(client: "198.51.100.9", helo: "forwarder.example", isSigned: true))
            #expect(!journey.verdict.answer.isNegative)
            #expect(journey.result("spf", "smtp.mailfrom") == "fail")
            #expect(journey.result("dmarc") == "pass")
        }
    }

    @Test func aChangedBodyBreaksTheSignature() async throws {
        try await House.with { house in
            var signed = try Letter(isSigned: true).message()
            signed.body = MessageBody(Array("Send money\r\n".utf8))
            var transaction = Transaction(id: "t", connection: ConnectionFacts(clientAddress: IPAddress("198.51.100.9"), listener: "smtp"), helo: "x.example",
                                          sender: EnvelopeSender(EmailAddress("ann@evil.example")), message: signed)
            var session = house.chain.makeSession()
            #expect(await session.endOfMessage(&transaction).answer.isNegative)
            #expect(transaction[DKIMKey.self]?.first?.verdict == .fail)
        }
    }

    @Test func quarantineGoesToJunk() async throws {
        try await House.with { house in
            let header = "From: shop@shop.example\r\nSubject: x\r\n"
            let journey = try await house.send(Letter(client: "198.51.100.9", helo: "evil.example", sender: "a@evil.example", header: header))
            #expect(!journey.verdict.answer.isNegative)
            #expect(journey.transaction.deliveryHints.folder == "Junk")
            #expect(journey.result("dmarc") == "fail")
            #expect(journey.results?.results.first { $0.method == "dmarc" }?.value("policy", "dmarc") == "quarantine")
        }
    }

    /// Each look-up in turn does not answer: nothing is refused for it, and nothing passes that would not have.
    @Test(arguments: ["honest.example", "mail.honest.example", "_dmarc.honest.example", "s1._domainkey.honest.example", "1.2.0.192.in-addr.arpa"])
    func aSilentNameServerRefusesNothing(_ silent: String) async throws {
        // Without the silent name's own records, so that asking for it times out.
        let zone = House.zone.split(separator: "\n").filter { !$0.hasPrefix(silent + ".") }.joined(separator: "\n")
        try await House.with(zone, timeouts: [silent]) { house in
            let honest = try await house.send(Letter(isSigned: silent.hasPrefix("s1.")))
            #expect(!honest.verdict.answer.isNegative, "\(silent)")
            let forged = try await house.send(Letter(client: "198.51.100.9", helo: "mail.honest.example", isSigned: silent.hasPrefix("s1.")))
            if ["honest.example", "_dmarc.honest.example", "s1._domainkey.honest.example"].contains(silent) {
                #expect(!forged.verdict.answer.isNegative, "\(silent)")
                #expect(forged.result("dmarc") == "temperror", "\(silent)")
            } else {
                #expect(forged.verdict.answer.isNegative, "\(silent)")
            }
        }
    }

    @Test func theNullSenderIsItsHelo() async throws {
        try await House.with { house in
            let journey = try await house.send(Letter(sender: ""))
            let spf = journey.results?.results.filter { $0.method == "spf" } ?? []
            #expect(spf.count == 1)
            #expect(spf.first?.value("smtp", "helo") == "mail.honest.example")
            // mail.honest.example and honest.example share their organizational domain.
            #expect(journey.result("dmarc") == "pass")
        }
    }

    @Test func severalFromFieldsNeverPass() async throws {
        try await House.with { house in
            let twice = "From: ann@honest.example\r\nFrom: eve@evil.example\r\nSubject: x\r\n"
            let one = try await house.send(Letter(header: twice))
            #expect(one.transaction[DMARCKey.self]?.verdict != .pass)
            let forged = try await house.send(Letter(client: "198.51.100.9", helo: "evil.example", sender: "e@evil.example", header: twice))
            #expect(forged.verdict.answer.isNegative)
        }
    }

    @Test func noFromFieldIsAPermanentErrorAndNoCrash() async throws {
        try await House.with { house in
            let journey = try await house.send(Letter(header: "Subject: x\r\n"))
            #expect(journey.transaction[DMARCKey.self]?.verdict == .permerror)
            #expect(journey.result("dmarc") == "permerror")
        }
    }

    @Test func ourOwnMailIsNotAsked() async throws {
        try await House.with { house in
            let journey = try await house.send(Letter(client: "198.51.100.9", isOwn: true))
            #expect(!journey.verdict.answer.isNegative)
            #expect(journey.transaction[SPFKey.self] == nil)
            #expect(journey.results == nil)
            #expect(house.resolver.queryCount == 0)
        }
    }

    @Test(arguments: [("192.0.2.1", "pass"), ("192.0.2.2", "permerror"), ("192.0.2.3", "fail"), ("192.0.2.4", "temperror")])
    func reverseNames(_ client: String, _ verdict: String) async throws {
        let more = "3.2.0.192.in-addr.arpa. PTR mail.honest.example.\n"
        try await House.with(House.zone + more, timeouts: ["4.2.0.192.in-addr.arpa"]) { house in
            let journey = try await house.send(Letter(client: client, isSigned: true))
            #expect(journey.result("iprev", "policy.iprev") == verdict)
        }
    }
}
