import InternetMessage
import Milter
import NetworkAddress
import Testing
@testable import SMTPServer

/// XCLIENT from a proxy: filters, rules of relaying and Received see the client behind it.
@Suite struct ClientOverrideSessionTests {
    private static let loopback: [IPNetwork] = [IPNetwork("127.0.0.0/8")].compactMap { $0 }
    private static let ready = "S: 220\nC: EHLO proxy\nS: 250-\n"

    @Test func theClientBehindTheProxyIsTheClient() async throws {
        let script = Script { _, _ in .continue }
        try await RunningServer.with(filters: [script], configure: { $0.xclientNetworks = Self.loopback }) { running in
            let client = try await running.client()
            try await running.converse(client, Self.ready + """
                C: XCLIENT NAME=mail.example ADDR=192.0.2.1 PORT=4711 HELO=h.example
                S: 220 mx.home.example
                C: EHLO proxy
                S: 250-

                """ + FilterTests.message + "S: 250\nC: QUIT\nS: 221")
            let seen = try #require(running.shelf.transactions.first)
            #expect(seen.connection.clientAddress == IPAddress("192.0.2.1"))
            #expect(seen.connection.clientName == "mail.example")
            #expect(seen.connection.clientPort == 4711)
            #expect(seen.helo == "h.example")
            #expect(seen.message.header.first("Received")?.value.hasPrefix("from h.example (mail.example [192.0.2.1])") == true)
            #expect(try await client.isClosed())
        }
        #expect(script.log.prefix(2) == [.connect, .helo])
        #expect(script.log.filter { $0 == .connect }.count == 2)
    }

    @Test func aProxyInTheOwnNetworksMakesNoRelay() async throws {
        try await RunningServer.with(configure: { ($0.xclientNetworks, $0.ownNetworks) = (Self.loopback, Self.loopback) }) { running in
            let client = try await running.client()
            try await running.converse(client, Self.ready + """
                C: XCLIENT ADDR=192.0.2.1
                S: 220
                C: EHLO proxy
                S: 250-
                C: MAIL FROM:<s@a.example>
                S: 250
                C: RCPT TO:<x@elsewhere.example>
                S: 554 5.7.1
                C: RSET
                S: 250
                C: XCLIENT ADDR=[UNAVAILABLE]
                S: 220
                C: EHLO proxy
                S: 250-
                C: MAIL FROM:<s@a.example>
                S: 250
                C: RCPT TO:<x@elsewhere.example>
                S: 554 5.7.1
                """)
        }
    }

    @Test func othersMayNot() async throws {
        try await RunningServer.with { running in
            try await running.converse(try await running.greeted(), "C: XCLIENT ADDR=192.0.2.1\nS: 550 5.7.0")
        }
    }
}
