import DNS
import InternetMessage
import NetworkAddress
import NIOCore
import NIOPosix
import SMTPClient
import SMTPCore
import Testing

@Suite(.timeLimit(.minutes(1))) struct SMTPClientTests {
    let group = MultiThreadedEventLoopGroup.singleton
    static let message = OutgoingMessage(Array("Subject: hi\r\n\r\nline\r\n.dotted\r\n".utf8))

    /// A client whose default port is the server's and that finds `d.test` at the given addresses.
    func client(_ port: Int, zone: [String: [String]] = ["d.test MX": ["10 mx.test"], "mx.test A": ["127.0.0.1"]], broken: Set<String> = [],
                _ change: (inout SMTPClientConfiguration) -> Void = { _ in }) -> SMTPClient {
        var configuration = SMTPClientConfiguration(heloName: "us.test")
        configuration.port = port
        configuration.shuffle = { $0 }
        change(&configuration)
        return SMTPClient(resolver: LiteralResolver(zone, broken: broken), group: group, configuration: configuration)
    }

    func deliver(_ client: SMTPClient, _ addresses: String..., message: OutgoingMessage = SMTPClientTests.message) async throws -> [RecipientResult] {
        let recipients = try addresses.map { ClientRecipient(try #require(EmailAddress($0))) }
        let hop = client.nextHop(for: try #require(recipients.first?.address))
        return await client.deliver(from: OutgoingSender(EmailAddress("alice@us.test")), to: recipients, via: hop, message: message).results
    }

    @Test func aMessageArrivesAsItIs() async throws {
        let server = try await ScriptedServer(.accepting("PIPELINING", "SIZE 100000"), group: group)
        let results = try await deliver(client(server.port), "bob@d.test")
        #expect(results.map(\.kind) == [.delivered])
        #expect(results[0].status == "2.0.0")
        #expect(results[0].text == "queued as T1")
        #expect(results[0].server?.name == "mx.test")
        #expect(server.journal.messages == ["Subject: hi\r\n\r\nline\r\n..dotted\r\n"])
        #expect(server.journal.commands[0].prefix(4) == ["EHLO us.test", "MAIL FROM:<alice@us.test> SIZE=30", "RCPT TO:<bob@d.test>", "DATA"])
        await server.stop()
    }

    @Test func aLargeMessageIsSentInPieces() async throws {
        let line = String(repeating: "x", count: 70) + "\r\n"
        let text = "Subject: big\r\n\r\n" + String(repeating: line, count: 20_000)
        let server = try await ScriptedServer(.accepting(), group: group)
        let results = try await deliver(client(server.port), "bob@d.test", message: OutgoingMessage(Array(text.utf8)))
        #expect(results.map(\.kind) == [.delivered])
        #expect(server.journal.messages == [text])
        await server.stop()
    }

    @Test func eachRecipientHasItsOwnResult() async throws {
        let script = ScriptedServer.Script.accepting("PIPELINING").answering("RCPT TO:<no@", "550 5.1.1 unknown").answering("RCPT TO:<later@", "450 4.2.1 busy")
        let server = try await ScriptedServer(script, group: group)
        let results = try await deliver(client(server.port), "no@d.test", "bob@d.test", "later@d.test")
        #expect(results.map(\.kind) == [.permanent, .delivered, .temporary])
        #expect(results.map(\.status) == ["5.1.1", "2.0.0", "4.2.1"], "\(results.map(\.text))")
        await server.stop()
    }

    @Test func whoIsPutOffIsTriedAtTheNextHostAndNobodyTwice() async throws {
        let zone = ["d.test MX": ["10 one.test", "20 two.test"], "one.test A": ["127.0.0.1"], "two.test A": ["127.0.0.1"]]
        let server = try await ScriptedServer(.accepting().answering("RCPT TO:<later@", "450 4.2.1 busy"), .accepting(), group: group)
        let results = try await deliver(client(server.port, zone: zone), "bob@d.test", "later@d.test")
        #expect(results.map(\.kind) == [.delivered, .delivered])
        #expect(results.map { $0.server?.name } == ["one.test", "two.test"])
        #expect(server.journal.commands[1].contains("RCPT TO:<later@d.test>"))
        #expect(!server.journal.commands[1].contains("RCPT TO:<bob@d.test>"))
        await server.stop()
    }

    @Test func aLossAfterTheFinalDotIsNotRepeatedElsewhere() async throws {
        let zone = ["d.test MX": ["10 one.test", "20 two.test"], "one.test A": ["127.0.0.1"], "two.test A": ["127.0.0.1"]]
        let server = try await ScriptedServer(.accepting().answering(".", "!"), .accepting(), group: group)
        let results = try await deliver(client(server.port, zone: zone), "bob@d.test")
        #expect(results.map(\.kind) == [.temporary])
        #expect(results[0].status == "4.4.2")
        #expect(server.journal.commands.count == 1)
        await server.stop()
    }

    @Test func aRefusedGreetingIsTemporaryAndTheNextHostIsTried() async throws {
        let zone = ["d.test MX": ["10 one.test", "20 two.test"], "one.test A": ["127.0.0.1"], "two.test A": ["127.0.0.1"]]
        let refusing = ScriptedServer.Script.accepting().greeting("554 5.7.1 not you")
        let server = try await ScriptedServer(refusing, .accepting(), refusing, group: group)
        #expect(try await deliver(client(server.port, zone: zone), "bob@d.test").map(\.kind) == [.delivered])
        let alone = try await deliver(client(server.port), "bob@d.test")
        #expect(alone.map(\.kind) == [.temporary])
        #expect(alone[0].text.contains("not you"))
        await server.stop()
    }

    @Test func aDeadAddressIsPassedOver() async throws {
        let server = try await ScriptedServer(.accepting(), group: group)
        let zone = ["d.test MX": ["10 mx.test"], "mx.test A": ["127.0.0.9", "127.0.0.1"]]
        let results = try await deliver(client(server.port, zone: zone), "bob@d.test")
        #expect(results.map(\.kind) == [.delivered])
        // The server listens at 127.0.0.1 alone.
        let dead = try await deliver(client(server.port, zone: ["d.test A": ["127.0.0.9"]]), "bob@d.test")
        #expect(dead.map(\.kind) == [.temporary])
        #expect(dead[0].status == "4.4.1")
        #expect(dead[0].text.contains("refused"))
        await server.stop()
    }

    @Test func aSilentServerTimesOut() async throws {
        let server = try await ScriptedServer(.accepting().answering("MAIL", "-"), group: group)
        let results = try await deliver(client(server.port) { $0.timeouts.mail = .milliseconds(60) }, "bob@d.test")
        #expect(results.map(\.kind) == [.temporary])
        #expect(results[0].text == "timed out while waiting for the reply to MAIL")
        await server.stop()
    }

    @Test func theOverallDeadlineEndsASession() async throws {
        let server = try await ScriptedServer(.accepting().answering("MAIL", "-"), group: group)
        let results = try await deliver(client(server.port) { $0.overallDeadline = .milliseconds(60) }, "bob@d.test")
        #expect(results.map(\.kind) == [.temporary])
        // On a busy machine the time may be over before the session stands; each step alone would wait 300 s.
        #expect(["timed out while waiting for the whole delivery to end", "No host of d.test was tried in time"].contains(results[0].text)
            || results[0].text.hasPrefix("connect to mx.test"), "\(results[0].text)")
        await server.stop()
    }

    @Test func whatDNSSaysDecidesWithoutAConnection() async throws {
        func status(_ zone: [String: [String]], broken: Set<String> = []) async throws -> String {
            try await deliver(client(1, zone: zone, broken: broken) { $0.ownAddresses = IPAddress("192.0.2.7").map { [$0] } ?? [] }, "bob@d.test")[0].status
        }
        #expect(try await status(["d.test MX": ["0 ."]]) == "5.1.10")
        #expect(try await status([:]) == "5.1.2")
        #expect(try await status(["d.test MX": ["10 mx.test"]]) == "5.4.4")
        #expect(try await status(["d.test MX": ["10 mx.test"]], broken: ["mx.test"]) == "4.4.3")
        #expect(try await status(["d.test MX": ["10 mx.test"], "mx.test A": ["192.0.2.7"]]) == "5.4.6")
    }

    @Test func anAddressLiteralAndARelayHost() async throws {
        let server = try await ScriptedServer(.accepting(), group: group)
        #expect(try await deliver(client(server.port, zone: [:]), "bob@[127.0.0.1]").map(\.kind) == [.delivered])
        let relayed = client(1, zone: [:]) {
            $0.relayHost = NextHop("[127.0.0.1]:\(server.port)")
            $0.ownAddresses = [.v4Loopback]
        }
        #expect(try await deliver(relayed, "bob@anything.test").map(\.kind) == [.delivered])
        await server.stop()
    }

    @Test func withoutTLSHereARequiredOneIsTemporary() async throws {
        let server = try await ScriptedServer(.accepting("STARTTLS").answering("STARTTLS", "220 go"), group: group)
        let results = try await deliver(client(server.port) { $0.tlsLevel = .encrypt }, "bob@d.test")
        #expect(results.map(\.status) == ["4.7.5"])
        #expect(server.journal.messages.isEmpty)
        await server.stop()
    }

    @Test func aSourceThatFailsNeverSendsTheFinalDot() async throws {
        struct Broken: Error {}
        let message = OutgoingMessage(byteCount: 100, headerIs8Bit: false, bodyIs8Bit: false) { _, _ in throw Broken() }
        let server = try await ScriptedServer(.accepting(), group: group)
        let results = try await deliver(client(server.port), "bob@d.test", message: message)
        #expect(results.map(\.kind) == [.temporary])
        #expect(results[0].status == "4.3.0")
        #expect(server.journal.messages.isEmpty)
        await server.stop()
    }
}
