import InternetMessage
@testable import MailFilters
import Milter
import NetworkAddress
import Testing

/// Mail that a relay of ours passes on is judged by who sent to the relay.
@Suite struct TrustedRelayTests {
    private static let relay = "203.0.113.1"
    private static let hop = "Received: from mail.honest.example (mail.honest.example [192.0.2.1])\r\n\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384"
        + " (256/256 bits))\r\n\tby mx2.home.example (Postfix) with ESMTPS id 4XYZ\r\n\tfor <bob@home.example>; Mon, 23 Nov 2026 10:00:00 +0000 (UTC)\r\n"

    private func send(_ received: String, client: String = relay, isOwn: Bool = false) async throws -> Journey {
        let house = Kept()
        try await House.with(relays: [Self.relay + "/32", "203.0.113.2/32"]) { built in
            house.journey = try await built.send(Letter(client: client, helo: "mx2.home.example", isOwn: isOwn, header: received + Letter().header))
        }
        return try #require(house.journey)
    }

    private final class Kept { var journey: Journey? }

    @Test func theClientIsTheRelaysClient() async throws {
        let journey = try await send(Self.hop)
        let connection = journey.transaction.connection
        #expect(connection.clientAddress == IPAddress("192.0.2.1"))
        #expect(connection.clientName == "mail.honest.example")
        #expect(connection.tls?.version == "TLSv1.3" && connection.tls?.cipherBits == 256)
        #expect(journey.transaction.helo == "mail.honest.example")
        #expect(journey.result("spf", "smtp.mailfrom") == "pass")
        #expect(journey.result("dmarc") == "pass")
    }

    @Test func ourOwnFieldOnTopIsPassedOver() async throws {
        let own = "Received: from mx2.home.example (mx2.home.example [203.0.113.1])\r\n\tby mx.home.example (Postern) with ESMTP id t1;\r\n"
            + "\tMon, 23 Nov 2026 10:00:01 +0000\r\n"
        #expect(try await send(own + Self.hop).transaction.connection.clientAddress == IPAddress("192.0.2.1"))
    }

    @Test func severalTrustedHopsAndALoopback() async throws {
        let filter = "Received: from localhost (localhost [127.0.0.1]) by mx2.home.example (Postfix) with ESMTP id 5; Mon, 23 Nov 2026 10:00:00 +0000\r\n"
        let inner = "Received: from mx3.home.example ([203.0.113.2]) by mx2.home.example with esmtps (TLS1.3) tls X (Exim 4.96) id 1-2-3; Mon, 23 Nov 2026 10:00:00 +0000\r\n"
        #expect(try await send(filter + inner + Self.hop).transaction.connection.clientAddress == IPAddress("192.0.2.1"))
    }

    /// What a stranger wrote below the relay's field counts for nothing.
    @Test func onlyTheRelaysOwnFieldIsBelieved() async throws {
        let evil = Self.hop.replacing("192.0.2.1", with: "198.51.100.9").replacing("mail.honest.example", with: "evil.example")
        let journey = try await send(evil + Self.hop)
        #expect(journey.transaction.connection.clientAddress == IPAddress("198.51.100.9"))
        #expect(journey.verdict.answer.isNegative)
    }

    @Test(arguments: ["", "Received: by mx2.home.example (Postfix, from userid 0) id 4; Mon, 23 Nov 2026 10:00:00 +0000\r\n",
                      "Received: from a by b with SMTP; Mon, 23 Nov 2026 10:00:00 +0000\r\n"])
    func whatCannotBeReadLeavesTheConnection(_ received: String) async throws {
        #expect(try await send(received).transaction.connection.clientAddress == IPAddress(Self.relay))
    }

    @Test func strangersAreNotBelieved() async throws {
        let journey = try await send(Self.hop, client: "198.51.100.9")
        #expect(journey.transaction.connection.clientAddress == IPAddress("198.51.100.9"))
    }

    @Test func aRelayInTheOwnNetworksSendsNoMailOfOurs() async throws {
        let journey = try await send(Self.hop, isOwn: true)
        #expect(!journey.transaction.connection.isOriginating)
        #expect(journey.result("dmarc") == "pass")
    }
}
