import InternetMessage
import Testing
@testable import SMTPCore

/// Smuggling, injection, overlong lines.
@Suite struct SafetyTests {
    /// What other servers might take for an end of message must not let a second message in.
    @Test(arguments: ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r", "\r.\r\n", "\n.\r", "\r\n\u{0}.\n"], [Int.max, 1])
    func smuggling(_ end: String, _ step: Int) {
        var fixture = ServerFixture.ready()
        fixture.send("DATA\r\n")
        let said = fixture.send("Subject: a\r\n\r\nhello\(end)MAIL FROM:<evil@a.example>\r\nRCPT TO:<r@home.example>\r\nDATA\r\nevil\r\n.\r\nNOOP\r\n", step: step)
        #expect(said.components(9) == ["550 5.6.0"], "\(said)")
        #expect(said.contains("RFC 5321"))
        #expect(fixture.isClosed)
        #expect(fixture.aborts == 1)
        #expect(!fixture.questions.contains(.message))
        #expect(fixture.questions.filter { if case .mail = $0 { true } else { false } }.count == 1)
    }

    /// RFC 3207 §4.2 and §5: what stands behind STARTTLS in clear text is thrown away, and so is what was known before.
    @Test func commandsInjectedBehindSTARTTLS() {
        var fixture = ServerFixture { $0.offersTLS = true }
        #expect(fixture.send("EHLO a\r\n").contains("250-STARTTLS\r\n"))
        #expect(fixture.send("STARTTLS\r\nMAIL FROM:<evil@a.example>\r\n") == "220 2.0.0 Ready to start TLS\r\n")
        #expect(fixture.wantsTLS)
        fixture.perform(fixture.machine.tlsStarted(), [])
        #expect(fixture.take() == "")
        #expect(fixture.send("MAIL FROM:<>\r\n").hasPrefix("503 5.5.1 Error: send HELO"))
        #expect(!fixture.send("EHLO a\r\n").contains("STARTTLS"))
        #expect(fixture.send("STARTTLS\r\n").hasPrefix("503"))
    }

    @Test func startTLSNeedsACertificate() {
        var fixture = ServerFixture()
        #expect(fixture.send("STARTTLS\r\n").hasPrefix("502"))
    }

    @Test func whereTLSIsAMust() {
        var fixture = ServerFixture { $0.offersTLS = true; $0.requiresTLS = true; $0.requiresAuthentication = true; $0.offersAuthentication = true }
        #expect(!fixture.send("EHLO a\r\n").contains("AUTH"))
        #expect(fixture.send("MAIL FROM:<>\r\n").hasPrefix("530 5.7.0 Must issue"))
        #expect(fixture.send("AUTH PLAIN AGEAYg==\r\n").hasPrefix("538 5.7.11"))
        fixture.send("STARTTLS\r\n")
        fixture.perform(fixture.machine.tlsStarted(), [])
        #expect(fixture.send("EHLO a\r\n").contains("250-AUTH PLAIN LOGIN\r\n"))
        #expect(fixture.send("MAIL FROM:<>\r\n").hasPrefix("530 5.7.0 Authentication required"))
    }

    @Test func overlongCommandLines() {
        var fixture = ServerFixture()
        let long = "NOOP " + String(repeating: "x", count: 3000) + "\r\n"
        #expect(fixture.send(long + "NOOP\r\n").components(9) == ["500 5.5.2", "250 2.0.0"])
        #expect(fixture.send(long, step: 100).components(9) == ["500 5.5.2"])
        #expect(fixture.send("NOOP " + String(repeating: "x", count: 2048 - 7) + "\r\n").hasPrefix("250"))
        #expect(fixture.send("NOOP " + String(repeating: "x", count: 2048 - 6) + "\r\n").hasPrefix("500"))
        let said = fixture.send(String(repeating: "y", count: 2_000_000), step: 65536)
        #expect(said.components(3) == ["421"])
        #expect(fixture.isClosed)
    }

    /// RFC 5321 §2.3.8.
    @Test func commandLinesEndInCRLF() {
        var fixture = ServerFixture()
        #expect(fixture.send("EHLO a\nNOOP\r\n").components(3) == ["500", "250"])
        #expect(fixture.send("\n").components(3) == ["500"])
        #expect(fixture.send("NOOP\r\r\n").components(3) == ["500"])
        #expect(fixture.send("NOOP\rRSET\r\n").components(3) == ["500"])
    }

    @Test func contentThatCannotBeKept() {
        var fixture = ServerFixture.ready()
        fixture.send("DATA\r\nabc\r\n")
        fixture.machine.refuseContent(SMTPReply(452, "4.3.1", "disk full"))
        #expect(fixture.send("def\r\n.\r\n") == "452 4.3.1 disk full\r\n")
        #expect(String(decoding: fixture.content, as: UTF8.self) == "")
        #expect(fixture.send("MAIL FROM:<>\r\n").hasPrefix("250"))
    }

    /// A client that goes on far past the limit is cut off.
    @Test func endlessContent() {
        var fixture = ServerFixture.ready { $0.messageSizeLimit = 1000 }
        fixture.send("DATA\r\n")
        let said = fixture.send(String(repeating: "z", count: 2_000_000), step: 65536)
        #expect(said.components(9) == ["552 5.3.4"])
        #expect(fixture.isClosed)
    }
}
