import InternetMessage
import NetworkAddress
import NIOPosix
import SMTPCore
import Testing
@testable import SMTPClient

/// How many connections one server gets, whichever domains' mail they carry.
@Suite(.timeLimit(.minutes(1))) struct HostRoomsTests {
    private let server = ServerFacts(name: "mx.test", address: IPAddress("192.0.2.1"), port: 25)
    private var later: ContinuousClock.Instant { .now + .seconds(30) }

    private func rooms(_ initial: Int, _ most: Int) throws -> (HostRooms, HostRooms.Key) {
        let rooms = HostRooms(initial: initial, most: most)
        return (rooms, try #require(rooms.key(server)))
    }

    @Test func namesOfOneAddressAreOneServer() throws {
        let rooms = HostRooms(initial: 1, most: 1)
        let twin = ServerFacts(name: "mx2.test", address: IPAddress("192.0.2.1"), port: 25)
        #expect(rooms.key(server) == rooms.key(twin))
        #expect(rooms.key(server) != rooms.key(ServerFacts(name: "mx.test", address: IPAddress("192.0.2.1"), port: 26)))
        #expect(rooms.key(ServerFacts(name: "/run/lmtp", address: nil, port: 0)) == nil)
        #expect(HostRooms(initial: 1, most: 0).key(server) == nil)
    }

    @Test func whoFindsItFullWaitsForASlot() async throws {
        let (rooms, key) = try rooms(1, 1)
        #expect(await rooms.enter(key, until: later))
        async let second = rooms.enter(key, until: later)
        while rooms.occupancy(key).waiting < 1 { await Task.yield() }
        #expect(rooms.occupancy(key) == (1, 1))
        rooms.leave(key, reached: true)
        let entered = await second
        #expect(entered)
        #expect(rooms.occupancy(key) == (1, 0))
        rooms.leave(key, reached: true)
        #expect(rooms.occupancy(key) == (0, 0))
    }

    @Test func patienceEnds() async throws {
        let (rooms, key) = try rooms(1, 1)
        #expect(await rooms.enter(key, until: later))
        #expect(await !rooms.enter(key, until: .now + .milliseconds(20)))
        #expect(rooms.occupancy(key) == (1, 0), "who gave up stands in no line")
    }

    @Test func aCancelledTaskStandsInNoLine() async throws {
        let (rooms, key) = try rooms(1, 1)
        #expect(await rooms.enter(key, until: later))
        let waiter = Task { await rooms.enter(key, until: later) }
        while rooms.occupancy(key).waiting < 1 { await Task.yield() }
        waiter.cancel()
        #expect(await !waiter.value)
        #expect(rooms.occupancy(key) == (1, 0))
    }

    @Test func itGrowsWithSuccessAndShrinksWithFailure() async throws {
        let (rooms, key) = try rooms(2, 3)
        for _ in 0..<2 { #expect(await rooms.enter(key, until: later)) }
        async let third = rooms.enter(key, until: later)
        async let fourth = rooms.enter(key, until: later)
        while rooms.occupancy(key).waiting < 2 { await Task.yield() }
        // One slot is free again, and the window is one larger.
        rooms.leave(key, reached: true)
        let entered = await [third, fourth]
        #expect(entered == [true, true])
        #expect(rooms.occupancy(key) == (3, 0))
        rooms.leave(key, reached: false)
        #expect(rooms.occupancy(key) == (2, 0))
        #expect(await !rooms.enter(key, until: .now + .milliseconds(20)), "two at once are allowed now, and two run")
        rooms.leave(key, reached: nil)
        #expect(await rooms.enter(key, until: later))
    }

    /// Two domains with one server, which takes its time.
    @Test func mailOfAnotherDomainIsPutOffAndSaysWhy() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let slow = try await ScriptedServer(ScriptedServer.Script.accepting().answering("MAIL", "-"), group: group)
        var configuration = SMTPClientConfiguration(heloName: "us.test")
        configuration.port = slow.port
        (configuration.initialHostConcurrency, configuration.hostConcurrency, configuration.hostPatience) = (1, 1, .milliseconds(50))
        let client = SMTPClient(resolver: LiteralResolver(["d.test MX": ["10 mx.test"], "e.test MX": ["10 mail.test"], "mx.test A": ["127.0.0.1"], "mail.test A": ["127.0.0.1"]]),
                                group: group, configuration: configuration)
        let first = Task { try await Self.send(client, to: "bob@d.test") }
        defer { first.cancel() }
        while slow.journal.commands.first?.contains(where: { $0.hasPrefix("MAIL") }) != true { try await Task.sleep(for: .milliseconds(5)) }
        let second = try await Self.send(client, to: "bob@e.test")
        #expect(second.kind == .temporary && second.status == "4.4.5" && second.cause == .here)
        #expect(second.text == "Enough mail is on its way to mail.test already")
        #expect(slow.journal.commands.count == 1)
        await slow.stop()
    }

    private static func send(_ client: SMTPClient, to address: String) async throws -> RecipientResult {
        let recipient = ClientRecipient(try #require(EmailAddress(address)))
        let report = await client.deliver(from: OutgoingSender(EmailAddress("alice@us.test")), to: [recipient], via: client.nextHop(for: recipient.address),
                                          message: OutgoingMessage(Array("Subject: x\r\n\r\nx\r\n".utf8)))
        return try #require(report.results.first)
    }
}
