import Foundation
import InternetMessage
import Milter
import NetworkAddress
import Testing
@testable import SMTPServer

/// Conversations over loopback sockets.
@Suite struct ConversationTests {
    @Test func aMessageFromAnotherServer() async throws {
        try await RunningServer.with { running in
            try await running.converse(try await running.client(), """
                S: 220 mx.home.example ESMTP
                C: EHLO mail.a.example
                S: 250-mx.home.example
                C: MAIL FROM:<s@a.example> SIZE=100 BODY=8BITMIME
                S: 250 2.1.0
                C: RCPT TO:<nobody@home.example>
                S: 550 5.1.1 <nobody@home.example>
                C: RCPT TO:<x@elsewhere.example>
                S: 554 5.7.1 <x@elsewhere.example>: Relay access denied
                C: RCPT TO:<busy@home.example>
                S: 451 4.3.0
                C: RCPT TO:<r@home.example> NOTIFY=NEVER
                S: 250 2.1.5
                C: DATA
                S: 354
                C: Subject: hello
                C:
                C: ..dot
                C: .
                S: 250 2.0.0 Ok: queued as
                C: QUIT
                S: 221 2.0.0
                """)
            let transaction = try #require(running.shelf.transactions.first)
            #expect(transaction.sender.address == EmailAddress("s@a.example"))
            #expect(transaction.sender.parameters == ["SIZE": "100", "BODY": "8BITMIME"])
            #expect(transaction.recipients.map(\.address) == [try #require(EmailAddress("r@home.example"))])
            #expect(transaction.recipients.first?.parameters == ["NOTIFY": "NEVER"])
            #expect(transaction.helo == "mail.a.example")
            #expect(transaction.connection.clientAddress == .v4Loopback)
            #expect(transaction.modifications.isEmpty)
            #expect(String(decoding: try transaction.message.body.bytes(), as: UTF8.self) == ".dot\r\n")
            let received = try #require(transaction.message.header.fields.first)
            #expect(received.value.hasPrefix("from mail.a.example (unknown [127.0.0.1])\tby mx.home.example (Postern) with ESMTP id \(transaction.id)\tfor <r@home.example>; "))
            #expect(transaction.message.header.count(of: "Received") == 1)
        }
    }

    @Test func submissionOverSTARTTLS() async throws {
        try await RunningServer.with { running in
            let client = try await TestClient.connect(port: running.submissionPort)
            try await running.converse(client, """
                S: 220
                C: EHLO laptop
                S: 250-mx.home.example
                C: MAIL FROM:<alice@home.example>
                S: 530 5.7.0 Must issue a STARTTLS
                C: AUTH PLAIN AGFsaWNlAHNlY3JldA==
                S: 538 5.7.11
                C: STARTTLS
                S: 220 2.0.0
                T
                C: EHLO laptop
                S: 250-mx.home.example
                C: MAIL FROM:<alice@home.example>
                S: 530 5.7.0 Authentication required
                C: AUTH PLAIN AGFsaWNlAHdyb25n
                S: 535 5.7.8
                C: AUTH PLAIN AGJyb2tlbgB4
                S: 454 4.7.0
                C: AUTH LOGIN
                S: 334 VXNlcm5hbWU6
                C: YWxpY2U=
                S: 334 UGFzc3dvcmQ6
                C: c2VjcmV0
                S: 235 2.7.0
                C: MAIL FROM:<bob@home.example>
                S: 553 5.7.1 <bob@home.example>: Sender address rejected: not owned by user alice
                C: MAIL FROM:<alice@home.example>
                S: 250 2.1.0
                C: RCPT TO:<x@elsewhere.example>
                S: 250 2.1.5
                C: RCPT TO:<y@elsewhere.example>
                S: 250 2.1.5
                C: DATA
                S: 354
                C: Subject: hello
                C: .
                S: 250 2.0.0
                C: QUIT
                S: 221
                """)
            let transaction = try #require(running.shelf.transactions.first)
            #expect(transaction.connection.authenticatedUser == "alice")
            #expect(transaction.connection.authenticationMechanism == "LOGIN")
            #expect(transaction.connection.tls?.version == "TLSv1.3")
            #expect(transaction.connection.isOriginating)
            let received = try #require(transaction.message.header.first("Received")?.value)
            #expect(received.contains("with ESMTPSA id"))
            #expect(received.contains("(using TLSv1.3 with cipher TLS_"))
            #expect(received.contains("(authenticated user hidden)"))
            #expect(!received.contains("alice") && !received.contains("for <"))
        }
    }

    @Test func submissionsAndTheNullSender() async throws {
        try await RunningServer.with(configure: { $0.hideAuthenticatedUser = false; $0.recipientDelimiter = "+" }) { running in
            let client = try await running.loggedIn()
            try await running.converse(client, """
                C: MAIL FROM:<alice+lists@home.example>
                S: 250
                C: RSET
                S: 250
                C: MAIL FROM:<>
                S: 250
                C: RCPT TO:<r@home.example>
                S: 250
                C: BDAT 16 LAST
                C: Subject: chunk
                S: 250 2.0.0 Ok: queued
                C: NOOP
                S: 250
                """)
            let received = try #require(running.shelf.transactions.first?.message.header.first("Received")?.value)
            #expect(received.contains("(Authenticated sender: alice)"))
        }
    }

    @Test func postmasterIsOurs() async throws {
        try await RunningServer.with { running in
            let client = try await running.greeted()
            try await running.converse(client, "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<Postmaster>\nS: 250 2.1.5\nC: DATA\nS: 354\nC: x\nC: .\nS: 250")
            #expect(running.shelf.transactions.first?.recipients.first?.address == EmailAddress("postmaster@mx.home.example"))
        }
    }

    @Test func ownNetworksMayRelay() async throws {
        try await RunningServer.with(configure: { $0.ownNetworks = [IPNetwork("127.0.0.0/8")].compactMap { $0 } }) { running in
            let client = try await running.greeted()
            try await running.converse(client, "C: MAIL FROM:<s@a.example>\nS: 250\nC: RCPT TO:<x@elsewhere.example>\nS: 250 2.1.5")
        }
    }

    @Test func internationalMail() async throws {
        try await RunningServer.with { running in
            let client = try await running.greeted()
            try await running.converse(client, """
                C: MAIL FROM:<josé@a.example>
                S: 553 5.6.7
                C: MAIL FROM:<josé@a.example> SMTPUTF8
                S: 250
                C: RCPT TO:<josé@home.example>
                S: 250
                C: DATA
                S: 354
                C: Subject: ¿qué?
                C: .
                S: 250
                """)
            #expect(running.shelf.transactions.first?.message.header.first("Received")?.value.contains("with UTF8SMTP id") == true)
        }
    }

    /// RFC 2920: everything in one packet, and octet by octet.
    @Test(arguments: [Int.max, 1]) func pipelined(_ step: Int) async throws {
        try await RunningServer.with { running in
            let client = try await running.client()
            let text = Array("EHLO a.example\r\nMAIL FROM:<s@a.example>\r\nRCPT TO:<r@home.example>\r\nDATA\r\nSubject: 1\r\n\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<q@home.example>\r\nDATA\r\nSubject: 2\r\n\r\nx\r\n.\r\nQUIT\r\n".utf8)
            if step == 1 { for byte in text { try await client.send([byte]) } } else { try await client.send(text) }
            for expected in ["220", "250-", "250 2.1.0", "250 2.1.5", "354", "250 2.0.0", "250 2.1.0", "250 2.1.5", "354", "250 2.0.0", "221"] {
                #expect(try await client.reply().hasPrefix(expected))
            }
            #expect(try await client.isClosed())
            #expect(running.shelf.transactions.map { $0.message.header.first("Subject")?.value } == ["1", "2"])
            #expect(running.shelf.transactions.map(\.message.body.count) == [0, 3])
        }
    }

    @Test func aLargeBodyIsSpooled() async throws {
        try await RunningServer.with(configure: { $0.contentMemoryLimit = 10_000 }) { running in
            let client = try await running.greeted()
            try await running.converse(client, "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<r@home.example>\nS: 250\nC: DATA\nS: 354")
            let line = String(repeating: "0123456789", count: 7) + "\r\n"
            try await client.send("Subject: big\r\n\r\n" + String(repeating: line, count: 20_000) + ".\r\n")
            #expect(try await client.reply().hasPrefix("250"))
            let body = try #require(running.shelf.transactions.first?.message.body)
            #expect(body.isInFile)
            #expect(body.count == 20_000 * 72)
            #expect(String(decoding: try body.bytes(), as: UTF8.self) == String(repeating: line, count: 20_000))
        }
    }

    @Test func aSpoolThatCannotBeWritten() async throws {
        try await RunningServer.with(configure: { $0.contentMemoryLimit = 1000; $0.spoolFolder = "/nonexistent" }) { running in
            let client = try await running.greeted()
            try await running.converse(client, "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<r@home.example>\nS: 250\nC: DATA\nS: 354")
            try await client.send("a: b\r\n\r\n" + String(repeating: "line\r\n", count: 50_000) + ".\r\n")
            #expect(try await client.reply().hasPrefix("452 4.3.1"))
            #expect(running.shelf.transactions.isEmpty)
            #expect(try await client.say("NOOP").hasPrefix("250"))
        }
    }

    @Test func mailThatGoesInCircles() async throws {
        try await RunningServer.with(configure: { $0.hopLimit = 3 }) { running in
            let client = try await running.greeted()
            try await running.converse(client, "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<r@home.example>\nS: 250\nC: DATA\nS: 354")
            try await client.send(String(repeating: "Received: by x\r\n", count: 3) + "\r\n.\r\n")
            #expect(try await client.reply().hasPrefix("554 5.4.6"))
        }
    }

    @Test func theSinksReplyIsSentAsItIs() async throws {
        try await RunningServer.with(shelf: Shelf(reply: SMTPReply(452, "4.3.1", "queue\nis full"))) { running in
            let client = try await running.greeted()
            try await running.converse(client, "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<r@home.example>\nS: 250\nC: DATA\nS: 354\nC: x\nC: .")
            #expect(try await client.reply() == "452-4.3.1 queue\r\n452 4.3.1 is full")
        }
    }
}
