import InternetMessage
import Milter
import NetworkAddress
import Testing
@testable import SMTPServer
@testable import TLS

/// What a hostile or careless client may try, over real sockets.
@Suite struct SafetyTests {
    @Test(arguments: ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r", "\r.\r\n"]) func smuggling(_ end: String) async throws {
        try await RunningServer.with { running in
            let client = try await running.greeted()
            try await running.converse(client, "C: MAIL FROM:<s@a.example>\nS: 250\nC: RCPT TO:<r@home.example>\nS: 250\nC: DATA\nS: 354")
            try await client.send("Subject: a\r\n\r\nx\(end)MAIL FROM:<evil@a.example>\r\nRCPT TO:<r@home.example>\r\nDATA\r\nSubject: evil\r\n\r\n.\r\nNOOP\r\n")
            #expect(try await client.reply().hasPrefix("550 5.6.0"))
            #expect(try await client.isClosed())
            #expect(running.shelf.transactions.isEmpty)
        }
    }

    /// RFC 3207 §5 and CVE-2011-0411.
    @Test func plaintextBehindSTARTTLSIsNotBelieved() async throws {
        try await RunningServer.with { running in
            let client = try await running.greeted()
            #expect(try await client.say("STARTTLS\r\nEHLO evil\r\nMAIL FROM:<evil@a.example>").hasPrefix("220"))
            try await client.startTLS(running.clientTLS)
            #expect(try await client.say("RCPT TO:<r@home.example>").hasPrefix("503"))
            #expect(try await client.say("MAIL FROM:<>").hasPrefix("503 5.5.1 Error: send HELO"))
        }
    }

    @Test func clearTextOnAnImplicitTLSPort() async throws {
        try await RunningServer.with { running in
            let client = try await TestClient.connect(port: running.submissionsPort)
            try await client.send("EHLO a.example\r\n")
            #expect(try await client.isClosed())
        }
    }

    @Test func twoMegabytesOfCommand() async throws {
        try await RunningServer.with { running in
            let client = try await running.greeted()
            client.post(String(repeating: "x", count: 2_000_000))
            #expect(try await client.reply().hasPrefix("421 4.7.0"))
        }
    }

    @Test func aHeaderWithoutEnd() async throws {
        try await RunningServer.with { running in
            let client = try await running.greeted()
            try await running.converse(client, "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<r@home.example>\nS: 250\nC: DATA\nS: 354")
            try await client.send(String(repeating: "X-A: 0123456789\r\n", count: 70_000) + "\r\n.\r\n")
            let reply = try await client.reply()
            #expect(reply.hasPrefix("552 5.3.4"), "\(reply)")
        }
    }

    /// Many commands, no reply read: the server stops reading, answers all in the end, in order.
    @Test func aClientThatDoesNotRead() async throws {
        try await RunningServer.with(configure: { $0.junkLimit = 1_000_000 }) { running in
            let client = try await running.greeted()
            client.post(String(repeating: "NOOP\r\n", count: 50_000) + "QUIT\r\n")
            for _ in 0..<50_000 { #expect(try await client.reply() == "250 2.0.0 Ok") }
            #expect(try await client.reply().hasPrefix("221"))
        }
    }

    @Test func helloNamesDoNotBecomeSyntax() {
        let header = ReceivedHeader(
            connection: .init(clientAddress: .v6Loopback, clientName: "a)b", listener: "smtp"), helo: "x\r\nEvil: (1) <2>;", isExtended: false,
            isSMTPUTF8: false, hostname: "mx.home.example", id: "ID", recipients: [], hideUser: true, time: 0)
        let text = header.field.description
        #expect(text == "Received: from x??Evil:??1???2?? (a?b [IPv6:::1])\r\n\tby mx.home.example (Postern) with SMTP id ID;\r\n\tThu, 1 Jan 1970 00:00:00 +0000")
    }

    @Test func transactionNamesAreNeverTheSame() {
        let ids = TransactionIDs()
        let names = (0..<10_000).map { _ in ids.next() }
        #expect(Set(names).count == 10_000)
        #expect(names.allSatisfy { $0.count >= 12 && $0.utf8.allSatisfy { ($0 >= 48 && $0 <= 57) || ($0 >= 65 && $0 <= 90) } })
    }
}
