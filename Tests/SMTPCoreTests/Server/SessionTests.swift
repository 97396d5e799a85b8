import InternetMessage
import Testing
@testable import SMTPCore

/// Conversations, by what is said and asked (RFC 5321 §3).
@Suite struct SessionTests {
    @Test func greetingAndHello() {
        var fixture = ServerFixture(start: false)
        fixture.perform(fixture.machine.start(), [])
        #expect(fixture.take() == "220 mx.home.example ESMTP Postern\r\n")
        #expect(fixture.send("HELO a.example\r\n") == "250 mx.home.example\r\n")
        #expect(fixture.send("EHLO a.example\r\n") == [
            "250-mx.home.example", "250-PIPELINING", "250-SIZE 10240000", "250-ENHANCEDSTATUSCODES", "250-8BITMIME", "250-DSN", "250-SMTPUTF8",
            "250 CHUNKING", "",
        ].joined(separator: "\r\n"))
    }

    /// RFC 6531 §3.7.4.2: UTF-8 in replies only for who asked for it.
    @Test func repliesAreInASCIIUnlessTheClientTakesMore() {
        var fixture = ServerFixture()
        fixture.refuse = { if case .message = $0 { SMTPReply(550, "5.7.1", "Gr\u{fc}n") } else { nil } }
        let mail = "RCPT TO:<r@home.example>\r\nDATA\r\n.\r\n"
        #expect(fixture.send("EHLO a\r\nMAIL FROM:<>\r\n" + mail).hasSuffix("550 5.7.1 Gr?n\r\n"))
        #expect(fixture.send("MAIL FROM:<> SMTPUTF8\r\n" + mail).hasSuffix("550 5.7.1 Gr\u{fc}n\r\n"))
        #expect(fixture.send("MAIL FROM:<>\r\n" + mail).hasSuffix("550 5.7.1 Gr?n\r\n"))
    }

    /// RFC 8689 §2: offered, and so known, only where TLS is in use.
    @Test func requireTLS() {
        var clear = ServerFixture()
        #expect(!clear.send("EHLO a.example\r\n").contains("REQUIRETLS"))
        #expect(clear.send("MAIL FROM:<s@a.example> REQUIRETLS\r\n").hasPrefix("555 5.5.4"))
        var fixture = ServerFixture(isTLS: true)
        #expect(fixture.send("EHLO a.example\r\n").contains("250-REQUIRETLS\r\n"))
        #expect(fixture.send("MAIL FROM:<s@a.example> REQUIRETLS=yes\r\n").hasPrefix("501 5.5.4"))
        #expect(fixture.send("MAIL FROM:<s@a.example> REQUIRETLS\r\n") == "250 2.1.0 Ok\r\n")
    }

    @Test(arguments: [Int.max, 1, 3]) func oneMessage(_ step: Int) {
        var fixture = ServerFixture()
        let said = fixture.send("EHLO a.example\r\nMAIL FROM:<s@a.example> SIZE=20\r\nRCPT TO:<r@home.example>\r\nDATA\r\nSubject: x\r\n\r\n..\r\n.\r\nQUIT\r\n", step: step)
        #expect(said.hasSuffix("250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 End data with <CR><LF>.<CR><LF>\r\n250 2.0.0 Ok: queued as X\r\n221 2.0.0 Bye\r\n"))
        #expect(String(decoding: fixture.content, as: UTF8.self) == "Subject: x\r\n\r\n.\r\n")
        #expect(fixture.isClosed)
        #expect(fixture.aborts == 0)
        #expect(fixture.questions.count == 6)
    }

    @Test func theOrderOfCommands() {
        var fixture = ServerFixture()
        #expect(fixture.send("MAIL FROM:<>\r\n").hasPrefix("503 5.5.1"))
        fixture.send("EHLO a\r\n")
        #expect(fixture.send("RCPT TO:<r@home.example>\r\n").hasPrefix("503 5.5.1"))
        #expect(fixture.send("DATA\r\n").hasPrefix("503 5.5.1"))
        #expect(fixture.send("MAIL FROM:<>\r\n").hasPrefix("250"))
        #expect(fixture.send("MAIL FROM:<>\r\n").hasPrefix("503 5.5.1 Error: nested"))
        #expect(fixture.send("DATA\r\n").hasPrefix("554 5.5.1"))
        #expect(fixture.send("RSET\r\n") == "250 2.0.0 Ok\r\n")
        #expect(fixture.aborts == 1)
        #expect(fixture.send("RCPT TO:<r@home.example>\r\n").hasPrefix("503"))
    }

    @Test func smallCommands() {
        var fixture = ServerFixture()
        #expect(fixture.send("VRFY root\r\n").hasPrefix("252 2.0.0"))
        #expect(fixture.send("EXPN list\r\n").hasPrefix("502 5.5.1"))
        #expect(fixture.send("ETRN home.example\r\n").hasPrefix("502 5.5.1"))
        #expect(fixture.send("FOO\r\n").hasPrefix("500 5.5.2"))
        #expect(fixture.send("HELP\r\n").hasPrefix("214 2.0.0"))
        #expect(fixture.send("NOOP\r\n").hasPrefix("250 2.0.0"))
    }

    /// Filters may have a reply of their own to what is no command of ours.
    @Test func unknownCommandsAreAskedAbout() {
        var fixture = ServerFixture()
        fixture.send("EHLO a\r\nMAIL FROM:<>\r\n")
        #expect(fixture.send("foo  bar\r\n").hasPrefix("500 5.5.2"))
        fixture.refuse = { if case .unknownCommand(let line) = $0 { SMTPReply(550, "5.5.1", line) } else { nil } }
        #expect(fixture.send("EXPN list\r\nRCPT TO:<r@home.example>\r\n") == "550 5.5.1 EXPN list\r\n250 2.1.5 Ok\r\n")
        #expect(fixture.questions.contains(.unknownCommand("foo  bar")))
        #expect(fixture.aborts == 0)
        fixture.refuse = { if case .unknownCommand = $0 { SMTPReply(421, "4.7.0", "away") } else { nil } }
        #expect(fixture.send("FOO\r\n") == "421 4.7.0 away\r\n")
        #expect(fixture.isClosed)
    }

    /// RFC 2920: answers in order, a refused recipient among them.
    @Test func pipelining() throws {
        var fixture = ServerFixture()
        fixture.refuse = { if case .recipient(let r) = $0, case .mailbox(let a) = r.path, a.localPart == "no" { SMTPReply(550, "5.1.1", "No") } else { nil } }
        fixture.send("EHLO a\r\n")
        let said = fixture.send("MAIL FROM:<s@a.example>\r\nRCPT TO:<no@home.example>\r\nRCPT TO:<r@home.example>\r\nDATA\r\n")
        #expect(said == "250 2.1.0 Ok\r\n550 5.1.1 No\r\n250 2.1.5 Ok\r\n354 End data with <CR><LF>.<CR><LF>\r\n")
    }

    @Test func allRecipientsRefused() {
        var fixture = ServerFixture()
        fixture.refuse = { if case .recipient = $0 { SMTPReply(550, "5.1.1", "No") } else { nil } }
        fixture.send("EHLO a\r\n")
        #expect(fixture.send("MAIL FROM:<>\r\nRCPT TO:<r@home.example>\r\nDATA\r\n") == "250 2.1.0 Ok\r\n550 5.1.1 No\r\n554 5.5.1 Error: no valid recipients\r\n")
    }

    @Test func sizeAnnouncedAndFound() {
        var fixture = ServerFixture { $0.messageSizeLimit = 100 }
        fixture.send("EHLO a\r\n")
        #expect(fixture.send("MAIL FROM:<> SIZE=101\r\n").hasPrefix("552 5.3.4"))
        fixture.send("MAIL FROM:<> SIZE=100\r\nRCPT TO:<r@home.example>\r\nDATA\r\n")
        #expect(fixture.send(String(repeating: "x", count: 99) + "\r\n.\r\n").hasPrefix("552 5.3.4"))
        #expect(fixture.aborts == 1)
        #expect(!fixture.questions.contains(.message))
        #expect(fixture.send("MAIL FROM:<>\r\n").hasPrefix("250"))
    }

    @Test func recipientLimit() {
        var fixture = ServerFixture { $0.recipientLimit = 2 }
        fixture.send("EHLO a\r\nMAIL FROM:<>\r\n")
        let line = "RCPT TO:<r@home.example>\r\n"
        #expect(fixture.send(line + line + line).components(4) == ["250 ", "250 ", "452 "])
    }

    @Test func refusalsAtEachStage() {
        for stage in ["EHLO", "MAIL", "DATA"] {
            var fixture = ServerFixture()
            fixture.refuse = { question in
                switch question {
                case .hello where stage == "EHLO", .mail where stage == "MAIL", .content where stage == "DATA": SMTPReply(451, "4.7.1", "not now")
                default: nil
                }
            }
            #expect(fixture.send("EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<r@home.example>\r\nDATA\r\n").contains("451 4.7.1 not now\r\n"), "\(stage)")
        }
    }

    /// RFC 5321 §3.8: 421 closes at any time.
    @Test func aRefusalWith421Closes() {
        var fixture = ServerFixture()
        fixture.refuse = { if case .mail = $0 { SMTPReply(421, "4.7.0", "go away") } else { nil } }
        #expect(fixture.send("EHLO a\r\nMAIL FROM:<>\r\nNOOP\r\n").hasSuffix("421 4.7.0 go away\r\n"))
        #expect(fixture.isClosed)
    }

    /// RFC 5321 §3.1: after a 554 greeting only QUIT.
    @Test func aRefusedConnection() {
        var fixture = ServerFixture(start: false)
        fixture.refuse = { if case .connect = $0 { SMTPReply(550, "5.7.1", "bad client") } else { nil } }
        fixture.perform(fixture.machine.start(), [])
        #expect(fixture.take() == "554 bad client\r\n")
        #expect(fixture.send("EHLO a\r\n").hasPrefix("503"))
        #expect(fixture.send("QUIT\r\n").hasPrefix("221"))
        #expect(fixture.isClosed)
    }

    @Test func errorsAndJunkComeToAnEnd() {
        var errors = ServerFixture { $0.errorLimit = 3 }
        #expect(errors.send("A\r\nB\r\nC\r\nD\r\n").components(3) == ["500", "500", "500", "421"])
        #expect(errors.isClosed)
        var junk = ServerFixture { $0.junkLimit = 5; $0.errorLimit = 2 }
        let said = junk.send(String(repeating: "NOOP\r\n", count: 50)).components(3)
        #expect(said == Array(repeating: "250", count: 7) + ["421"])
        var web = ServerFixture()
        #expect(web.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").components(3) == ["421"])
        #expect(web.isClosed)
    }

    @Test func timeoutAndShutdown() {
        var fixture = ServerFixture.ready()
        fixture.perform(fixture.machine.timedOut(), [])
        #expect(fixture.take().hasPrefix("421 4.4.2"))
        #expect(fixture.isClosed && fixture.aborts == 1)

        var idle = ServerFixture()
        idle.perform(idle.machine.shutDown(), [])
        #expect(idle.take().hasPrefix("421 4.3.2") && idle.isClosed)

        var busy = ServerFixture.ready()
        busy.perform(busy.machine.shutDown(), [])
        #expect(busy.take() == "" && !busy.isClosed)
        #expect(busy.send("DATA\r\nx\r\n.\r\n").components(3) == ["354", "250", "421"])
        #expect(busy.isClosed && busy.aborts == 0)
    }
}

extension String {
    /// The first characters of each line.
    func components(_ count: Int) -> [String] { split(separator: "\r\n").map { String($0.prefix(count)) } }
}
