import Foundation
import InternetMessage
import LocalSocket
import Milter
import NetworkAddress
import SMTPCore
import Testing
@testable import SMTPServer

/// RFC 2033 over sockets.
@Suite struct LMTPTests {
    private func lmtp() -> (inout SMTPServerConfiguration) -> Void {
        { $0.listeners = [.lmtp(host: "127.0.0.1", port: 0)] }
    }

    @Test func aReplyForEachRecipientAndOnlyOwnOnes() async throws {
        try await RunningServer.with(shelf: Shelf(each: ["q": SMTPReply(452, "4.2.2", "mailbox full")]), configure: lmtp()) { running in
            try await running.converse(try await running.client(), """
                S: 220 mx.home.example LMTP
                C: EHLO postfix
                S: 500 5.5.1
                C: LHLO postfix
                S: 250-mx.home.example
                C: MAIL FROM:<s@a.example>
                S: 250 2.1.0
                C: RCPT TO:<r@home.example>
                S: 250 2.1.5
                C: RCPT TO:<x@elsewhere.example>
                S: 554 5.7.1 <x@elsewhere.example>: Relay access denied
                C: RCPT TO:<nobody@home.example>
                S: 550 5.1.1
                C: RCPT TO:<q@home.example>
                S: 250 2.1.5
                C: RCPT TO:<r@home.example>
                S: 250 2.1.5
                C: DATA
                S: 354
                C: Subject: hello
                C:
                C: text
                C: .
                S: 250 2.0.0 Ok: queued as
                S: 452 4.2.2 mailbox full
                S: 250 2.0.0 Ok: queued as
                C: NOOP
                S: 250 2.0.0 Ok
                """)
            let transaction = try #require(running.shelf.transactions.first)
            #expect(transaction.recipients.map(\.address.localPart) == ["r", "q"], "the same address twice is one copy")
            #expect(try #require(transaction.message.header.fields.first).value.contains("with LMTP id"))
        }
    }

    /// Another MTA's aliases: what it was told stands in ORCPT (RFC 3461 §4.2).
    @Test func theOriginalRecipientIsKept() async throws {
        try await RunningServer.with(configure: lmtp()) { running in
            let client = try await running.client()
            _ = try await client.reply()
            for line in ["LHLO p", "MAIL FROM:<>", "RCPT TO:<r@home.example> ORCPT=rfc822;info+2Bshop@home.example", "RCPT TO:<q@home.example>", "DATA"] {
                _ = try await client.say(line)
            }
            #expect(try await client.say("\r\nx\r\n.").hasPrefix("250"))
            #expect(try await client.reply().hasPrefix("250"))
            #expect(running.shelf.transactions.first?.recipients.map(\.original.description) == ["info+shop@home.example", "q@home.example"])
        }
    }

    @Test(arguments: [false, true]) func filtersRunOnlyWhenWanted(_ usesFilters: Bool) async throws {
        let script = Script { moment, _ in moment == .endOfMessage ? .reject : .continue }
        try await RunningServer.with(filters: [script], unfiltered: usesFilters ? [] : ["lmtp"], configure: lmtp()) { running in
            let client = try await running.client()
            _ = try await client.reply()
            for line in ["LHLO p", "MAIL FROM:<>", "RCPT TO:<r@home.example>", "RCPT TO:<q@home.example>", "DATA"] { _ = try await client.say(line) }
            let codes = [try await client.say("\r\nx\r\n."), try await client.reply()].map { String($0.prefix(3)) }
            #expect(codes == (usesFilters ? ["550", "550"] : ["250", "250"]))
            #expect(script.log.isEmpty == !usesFilters)
        }
    }

    /// A client on loopback is no author: its mail came from elsewhere.
    @Test func whoDeliversIsNotOneOfUs() async throws {
        try await RunningServer.with(configure: {
            $0.listeners = [.lmtp(host: "127.0.0.1", port: 0)]
            $0.ownNetworks = [IPNetwork("127.0.0.0/8")].compactMap { $0 }
        }) { running in
            let client = try await running.client()
            _ = try await client.reply()
            for line in ["LHLO p", "MAIL FROM:<>"] { _ = try await client.say(line) }
            #expect(try await client.say("RCPT TO:<x@elsewhere.example>").hasPrefix("554 5.7.1"))
        }
    }

    @Test func aUNIXSocketIsServedAndTakenAwayAgain() async throws {
        let socket = try UnixSocket("/tmp/lm-\(UUID().uuidString.prefix(8))")
        try await RunningServer.with(configure: { $0.listeners = [.lmtp(socket)] }) { running in
            #expect(running.addresses.first?.description == "lmtp on unix:\(socket.path)")
            let client = try await TestClient.connect(unix: socket.path)
            #expect(try await client.reply().hasPrefix("220"))
            #expect(try await client.say("LHLO p").contains("STARTTLS") == false)
            await client.close()
        }
        #expect(!FileManager.default.fileExists(atPath: socket.path))
    }
}
