import DNS
import InternetMessage
import NIOPosix
import SMTPClient
import SMTPCore
import Testing

/// Connections that carry more than one message, and LMTP.
@Suite(.timeLimit(.minutes(1))) struct ReuseTests {
    let group = MultiThreadedEventLoopGroup.singleton

    func client(_ port: Int, cache: Duration = .seconds(30), _ change: (inout SMTPClientConfiguration) -> Void = { _ in }) -> SMTPClient {
        var configuration = SMTPClientConfiguration(heloName: "us.test")
        configuration.port = port
        configuration.cacheTime = cache
        change(&configuration)
        return SMTPClient(resolver: LiteralResolver(["d.test MX": ["10 mx.test"], "mx.test A": ["127.0.0.1"]]), group: group, configuration: configuration)
    }

    @discardableResult
    func send(_ client: SMTPClient, _ text: String = "x", to addresses: String...) async throws -> [RecipientResult] {
        let recipients = try (addresses.isEmpty ? ["bob@d.test"] : addresses).map { ClientRecipient(try #require(EmailAddress($0))) }
        let message = OutgoingMessage(Array("Subject: \(text)\r\n\r\n\(text)\r\n".utf8))
        return await client.deliver(from: OutgoingSender(EmailAddress("alice@us.test")), to: recipients, via: client.nextHop(for: recipients[0].address), message: message).results
    }

    @Test func theNextMessageTakesTheSameConnectionWithoutRSET() async throws {
        let server = try await ScriptedServer(.accepting("PIPELINING"), group: group)
        let client = client(server.port)
        for text in ["one", "two", "three"] { #expect(try await send(client, text).map(\.kind) == [.delivered]) }
        #expect(server.journal.commands == [["EHLO us.test"] + Array(repeating: ["MAIL FROM:<alice@us.test>", "RCPT TO:<bob@d.test>", "DATA"], count: 3).flatMap { $0 }])
        #expect(server.journal.messages.count == 3)
        await server.stop()
    }

    @Test func aTransactionThatCameToNothingIsResetFirst() async throws {
        let server = try await ScriptedServer(.accepting().answering("RCPT TO:<no@", "550 5.1.1 no"), group: group)
        let client = client(server.port)
        #expect(try await send(client, "one", to: "no@d.test").map(\.kind) == [.permanent])
        #expect(try await send(client, "two").map(\.kind) == [.delivered])
        #expect(server.journal.commands.count == 1)
        #expect(server.journal.commands[0].contains("RSET"))
        await server.stop()
    }

    @Test func aConnectionThatDiedMeanwhileCostsNothing() async throws {
        // It takes one message and hangs up at the next MAIL; the second connection is as it should be.
        let dying = ScriptedServer.Script.accepting().answering("MAIL FROM:<again@", "!")
        let server = try await ScriptedServer(dying, .accepting(), group: group)
        let client = client(server.port) { $0.sessionLimit = 1 }
        try await send(client, "one")
        let recipient = ClientRecipient(try #require(EmailAddress("bob@d.test")))
        let report = await client.deliver(from: OutgoingSender(EmailAddress("again@us.test")), to: [recipient], via: client.nextHop(for: recipient.address),
                                          message: OutgoingMessage(Array("Subject: two\r\n\r\n".utf8)))
        #expect(report.results.map(\.kind) == [.delivered])
        #expect(server.journal.commands.count == 2)
        #expect(server.journal.messages.count == 2)
        await server.stop()
    }

    @Test func usesAreBounded() async throws {
        let server = try await ScriptedServer(.accepting(), group: group)
        let client = client(server.port) { $0.reuseLimit = 2 }
        for text in ["one", "two", "three"] { try await send(client, text) }
        #expect(server.journal.commands.count == 2)
        await server.stop()
    }

    @Test func withoutACacheEveryMessageHasItsOwn() async throws {
        let server = try await ScriptedServer(.accepting(), group: group)
        let client = client(server.port, cache: .zero)
        for text in ["one", "two"] { try await send(client, text) }
        #expect(server.journal.commands.count == 2)
        await server.stop()
    }

    @Test func discardAndErrorAskNobody() async throws {
        let client = client(1) { $0.transports = TransportTable(["d.test": .hop(.discard("")), "e.test": .hop(.error(status: "5.1.2", text: "gone"))]) }
        #expect(try await send(client).map(\.kind) == [.delivered])
        let refused = try await send(client, "x", to: "bob@e.test")
        #expect(refused.map(\.status) == ["5.1.2"] && refused.map(\.kind) == [.permanent] && refused[0].text == "gone")
    }
}
