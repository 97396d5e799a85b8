import InternetMessage
import Testing
@testable import SMTPServer

/// What is mended in our own users' mail, and never in anybody else's (RFC 6409 §8).
@Suite struct SubmittedHeaderTests {
    private func header(_ text: String) -> MessageHeader { MessageHeader.parse(Array(text.utf8)[...]).header }

    @Test func whatIsMissingIsAdded() {
        var fields = header("From: a@home.example\r\nSubject: x\r\n\r\n")
        SubmittedHeader.complete(&fields, id: "ID1", hostname: "mx.home.example", time: 0)
        #expect(fields.first("Message-ID")?.value == "<ID1@mx.home.example>")
        #expect(fields.first("Date")?.value.contains("1 Jan 1970") == true)
        #expect(fields.fields.map(\.name) == ["Date", "Message-ID", "From", "Subject"])
    }

    @Test func whatIsThereStays() {
        var fields = header("Date: Thu, 1 Jan 2026 00:00:00 +0000\r\nmessage-id: <own@home.example>\r\n\r\n")
        SubmittedHeader.complete(&fields, id: "ID1", hostname: "mx.home.example", time: 0)
        #expect(fields.first("Message-ID")?.value == "<own@home.example>")
        #expect(fields.first("Date")?.value == "Thu, 1 Jan 2026 00:00:00 +0000")
        #expect(fields.fields.count == 2)
    }

    private let message = "From: alice@home.example\r\nBcc: hidden@away.example\r\nResent-Bcc: more@away.example\r\n\r\nx\r\n.\r\n"

    @Test func overTheSubmissionPort() async throws {
        try await RunningServer.with { running in
            let client = try await running.loggedIn()
            try await running.converse(client, "C: MAIL FROM:<alice@home.example>\nS: 250\nC: RCPT TO:<x@away.example>\nS: 250\nC: DATA\nS: 354")
            try await client.send(message)
            #expect(try await client.reply().hasPrefix("250"))
            let stored = try #require(running.shelf.transactions.first).message.header
            #expect(stored.count(of: "Bcc") == 0 && stored.count(of: "Resent-Bcc") == 0)
            #expect(stored.count(of: "Message-ID") == 1 && stored.count(of: "Date") == 1)
        }
    }

    @Test func strangersMailIsNotTouched() async throws {
        try await RunningServer.with { running in
            let client = try await running.greeted()
            try await running.converse(client, "C: MAIL FROM:<s@a.example>\nS: 250\nC: RCPT TO:<r@home.example>\nS: 250\nC: DATA\nS: 354")
            try await client.send(message)
            #expect(try await client.reply().hasPrefix("250"))
            let stored = try #require(running.shelf.transactions.first).message.header
            #expect(stored.fields.map(\.name) == ["Received", "From", "Bcc", "Resent-Bcc"])
        }
    }

    @Test func aHelloInUTF8DoesNotReachTheHeader() async throws {
        try await RunningServer.with { running in
            let client = try await running.client()
            _ = try await client.reply()
            _ = try await client.say("EHLO b\u{fc}cher\u{202e}.example")
            try await running.converse(client, "C: MAIL FROM:<s@a.example>\nS: 250\nC: RCPT TO:<r@home.example>\nS: 250\nC: DATA\nS: 354")
            try await client.send(message)
            #expect(try await client.reply().hasPrefix("250"))
            let received = try #require(running.shelf.transactions.first?.message.header.first("Received"))
            #expect(received.value.utf8.allSatisfy { $0 < 128 })
            #expect(received.value.hasPrefix("from b?cher?.example"))
        }
    }
}
