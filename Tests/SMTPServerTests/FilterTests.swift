import InternetMessage
import Milter
import NetworkAddress
import Testing
@testable import SMTPServer

/// The chain in a session: what is asked when, and what its answers do.
@Suite struct FilterTests {
    static let envelope = "C: MAIL FROM:<s@a.example>\nS: 250\nC: RCPT TO:<r@home.example>\nS: 250\n"
    static let message = envelope + "C: DATA\nS: 354\nC: Subject: x\nC:\nC: y\nC: .\n"

    @Test func everyStageInItsOrder() async throws {
        let script = Script { _, _ in .continue }
        try await RunningServer.with(filters: [script]) { running in
            let client = try await running.greeted()
            try await running.converse(client, Self.message + "S: 250\nC: MAIL FROM:<>\nS: 250\nC: RSET\nS: 250\nC: QUIT\nS: 221")
            #expect(try await client.isClosed())
            // The filters are told of the end after the client's last word.
            for _ in 0..<1000 where script.log.last != .close { try await Task.sleep(for: .milliseconds(10)) }
        }
        #expect(script.log == [.connect, .helo, .mail, .rcpt, .data, .endOfMessage, .mail, .abort, .close])
    }

    @Test func stagesThatNobodyWantsAreNotAsked() async throws {
        let script = Script(stages: [.endOfMessage]) { _, transaction in
            transaction.apply(.addHeader(HeaderField(name: "X-Seen", value: "\(transaction.message.header.fields.count)")))
            return .accept
        }
        try await RunningServer.with(filters: [script]) { running in
            let client = try await running.greeted()
            // `accept` ends the filter for this message; the next one begins anew.
            try await running.converse(client, Self.message + "S: 250\n" + Self.message + "S: 250\n")
            #expect(running.shelf.transactions.map { $0.message.header.first("X-Seen")?.value } == ["2", "2"])
            #expect(running.shelf.transactions.allSatisfy { $0.modifications.count == 1 })
            await client.close()
        }
        #expect(script.log.filter { $0 == .endOfMessage }.count == 2)
        #expect(!script.log.contains(.mail))
    }

    static let refusals: [(Script.Moment, String)] = [
        (.helo, "C: EHLO b\nS: 550 5.7.1 no\n"),
        (.mail, "C: MAIL FROM:<s@a.example>\nS: 550 5.7.1 no\nC: RCPT TO:<r@home.example>\nS: 503"),
        (.rcpt, "C: MAIL FROM:<s@a.example>\nS: 250\nC: RCPT TO:<r@home.example>\nS: 550 5.7.1 no\nC: DATA\nS: 554 5.5.1"),
        (.data, envelope + "C: DATA\nS: 550 5.7.1 no\nC: RCPT TO:<r@home.example>\nS: 503"),
        (.endOfMessage, message + "S: 550 5.7.1 no\nC: MAIL FROM:<>\nS: 250"),
    ]

    @Test(arguments: 0..<5) func refusals(_ index: Int) async throws {
        let (moment, conversation) = Self.refusals[index]
        let script = Script { asked, transaction in asked == moment ? .reject(SMTPReply(550, "5.7.1", "no")) : .continue }
        try await RunningServer.with(filters: [script]) { running in
            let client = try await running.greeted()
            try await running.converse(client, conversation)
            #expect(running.shelf.transactions.isEmpty)
        }
    }

    /// A second, refused greeting refuses what follows, though the first one stood and no filter wants MAIL.
    @Test func aRefusedGreetingHolds() async throws {
        let script = Script(stages: [.helo]) { asked, transaction in
            asked == .helo && transaction.helo == "bad.example" ? .reject(SMTPReply(550, "5.7.1", "no")) : .continue
        }
        try await RunningServer.with(filters: [script]) { running in
            let client = try await running.greeted()
            try await running.converse(client, "C: EHLO bad.example\nS: 550 5.7.1 no\nC: EHLO good.example\nS: 550 5.7.1 no\nC: MAIL FROM:<>\nS: 550 5.7.1 no\nC: QUIT\nS: 221")
        }
    }

    @Test func anUnknownCommand() async throws {
        let script = Script { asked, transaction in
            guard asked == .unknownCommand else { return .continue }
            return transaction.connection.listener == "FOO bar" ? .reject(SMTPReply(550, "5.5.1", "not here")) : .discard
        }
        try await RunningServer.with(filters: [script]) { running in
            let client = try await running.greeted()
            try await running.converse(client, "C: FOO bar\nS: 550 5.5.1 not here\nC: BAR\nS: 500 5.5.2\n" + Self.message + "S: 250\n")
            // A discard said of an unknown command is none of a message.
            #expect(running.shelf.transactions.count == 1)
            await client.close()
        }
    }

    @Test func aRefusedConnection() async throws {
        let script = Script { asked, _ in asked == .connect ? .reject(SMTPReply(550, "5.7.1", "not you")) : .continue }
        try await RunningServer.with(filters: [script]) { running in
            try await running.converse(try await running.client(), "S: 554 not you\nC: EHLO a\nS: 503\nC: QUIT\nS: 221")
        }
    }

    @Test func replyOfManyLines() async throws {
        let script = Script(stages: [.endOfMessage]) { _, _ in .tempfail(SMTPReply(451, "4.7.1", "first\nsecond")) }
        try await RunningServer.with(filters: [script]) { running in
            let client = try await running.greeted()
            try await running.converse(client, Self.message)
            let reply = try await client.reply()
            // The message's id is at the end, for its sender to quote.
            #expect(reply.hasPrefix("451-4.7.1 first\r\n451 4.7.1 second (id ") && reply.hasSuffix(")"))
        }
    }

    /// libmilter: SMFIS_DISCARD, accepted and thrown away.
    @Test(arguments: [Script.Moment.mail, .rcpt, .data, .endOfMessage]) func discard(_ moment: Script.Moment) async throws {
        let script = Script { asked, transaction in asked == moment ? .discard : .continue }
        try await RunningServer.with(filters: [script]) { running in
            let client = try await running.greeted()
            try await running.converse(client, Self.message + "S: 250 2.0.0 Ok: queued as")
            #expect(running.shelf.transactions.isEmpty)
        }
    }

    @Test func quarantineReachesTheSink() async throws {
        let script = Script(stages: [.endOfMessage]) { _, transaction in
            transaction.apply(.quarantine("looks odd"))
            return .continue
        }
        try await RunningServer.with(filters: [script]) { running in
            let client = try await running.greeted()
            try await running.converse(client, Self.message + "S: 250")
            #expect(running.shelf.transactions.first?.quarantineReason == "looks odd")
        }
    }

    @Test func aLostConnectionAbortsAndCloses() async throws {
        let script = Script { _, _ in .continue }
        try await RunningServer.with(filters: [script]) { running in
            let client = try await running.greeted()
            try await running.converse(client, Self.envelope)
            await client.close()
            await script.closed.reached()
        }
        #expect(script.log.suffix(2) == [.abort, .close])
    }

    @Test func filtersSeeTheClientsName() async throws {
        let script = Script(stages: [.connect]) { _, transaction in
            transaction.connection.clientName == "mail.a.example" ? .continue : .reject
        }
        // A machine that is busy with a thousand other tests must not make the name unknown.
        try await RunningServer.with(filters: [script], reverseName: { $0 == .v4Loopback ? "mail.a.example" : nil },
                                     configure: { $0.reverseNameTimeout = .seconds(60) }) { running in
            let client = try await running.greeted()
            try await running.converse(client, Self.message + "S: 250")
            let transaction = try #require(running.shelf.transactions.first)
            #expect(transaction.connection.clientName == "mail.a.example")
            #expect(transaction.message.header.first("Received")?.value.contains("(mail.a.example [127.0.0.1])") == true)
        }
    }

    /// The greeting does not wait for the name when no filter wants it, and the message does not wait for ever.
    @Test func aNameThatNeverComes() async throws {
        let gate = Gate()
        try await RunningServer.with(reverseName: { _ in await gate.pass(); return "late.example" }, configure: { $0.reverseNameTimeout = .milliseconds(50) }) { running in
            let client = try await running.greeted()
            try await running.converse(client, Self.message + "S: 250")
            #expect(running.shelf.transactions.first?.connection.clientName == nil)
            gate.open()
        }
    }
}
