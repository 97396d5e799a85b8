import NIOEmbedded
import NetworkAddress
@testable import SMTPServer
import Testing

@Suite struct ClientRatesTests {
    private let a = IPAddress("192.0.2.1")!, b = IPAddress("192.0.2.2")!
    private let start = ContinuousClock.now

    /// A host chooses among the addresses of its /64: many connections from there are one client's.
    @Test func connectionsOfAnIPv6NetworkAreOneClients() throws {
        let registry = ConnectionRegistry(limit: 10, limitPerClient: 2)
        let channels = (0..<4).map { _ in EmbeddedChannel() }
        defer { for channel in channels { _ = try? channel.finish() } }
        func admit(_ index: Int, _ text: String) throws -> ConnectionRegistry.Admission { registry.admit(channels[index], client: try #require(IPAddress(text))) }
        #expect(try admit(0, "2001:db8::1") == .admitted)
        #expect(try admit(1, "2001:db8::2:0:0:2") == .admitted)
        #expect(try admit(2, "2001:db8::3") == .tooManyFromClient)
        #expect(try admit(2, "2001:db8:0:1::3") == .admitted)
        registry.release(channels[1], client: try #require(IPAddress("2001:db8::2:0:0:2")))
        #expect(try admit(3, "2001:db8::4") == .admitted)
    }

    @Test func eachClientAndEventByItself() {
        let rates = ClientRates(ClientRateLimits(connections: 2, messages: 1, window: .seconds(60)))
        #expect((0..<4).map { _ in rates.isExceeded(.connection, by: a, at: start) } == [false, false, true, true])
        #expect(!rates.isExceeded(.message, by: a, at: start))
        #expect(rates.isExceeded(.message, by: a, at: start))
        #expect(!rates.isExceeded(.connection, by: b, at: start))
        // 0: no limit.
        #expect(!(0..<100).contains { _ in rates.isExceeded(.recipient, by: a, at: start) })
    }

    @Test func theWindowBeginsWithTheFirst() {
        let rates = ClientRates(ClientRateLimits(messages: 1, window: .seconds(60)))
        #expect(!rates.isExceeded(.message, by: a, at: start))
        #expect(rates.isExceeded(.message, by: a, at: start + .seconds(59)))
        #expect(!rates.isExceeded(.message, by: a, at: start + .seconds(60)))
    }

    @Test func anIPv6ClientIsItsNetwork() {
        let rates = ClientRates(ClientRateLimits(messages: 1))
        #expect(!rates.isExceeded(.message, by: IPAddress("2001:db8::1")!, at: start))
        #expect(rates.isExceeded(.message, by: IPAddress("2001:db8::ffff:2")!, at: start))
        #expect(!rates.isExceeded(.message, by: IPAddress("2001:db8:0:1::1")!, at: start))
    }

    @Test func strangersDoNotFillTheMemory() {
        let rates = ClientRates(ClientRateLimits(messages: 1))
        for number in 0..<(ClientRates.clientLimit * 2) {
            let client = IPAddress("10.\(number >> 16 & 255).\(number >> 8 & 255).\(number & 255)")!
            _ = rates.isExceeded(.message, by: client, at: start)
        }
        #expect(rates.count <= ClientRates.clientLimit)
    }
}
