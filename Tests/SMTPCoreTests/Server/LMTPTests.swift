import InternetMessage
import Testing
@testable import SMTPCore

/// RFC 2033.
@Suite struct LMTPTests {
    /// Up to three accepted recipients, with one refused between them.
    private func ready(_ change: (inout ServerSettings) -> Void = { _ in }) -> ServerFixture {
        var fixture = ServerFixture {
            $0.speaks = .lmtp
            change(&$0)
        }
        fixture.refuse = { question in
            guard case .recipient(let command) = question, case .mailbox(let address) = command.path, address.localPart == "no" else { return nil }
            return SMTPReply(550, "5.1.1", "no such user")
        }
        fixture.send("LHLO a.example\r\nMAIL FROM:<s@a.example>\r\nRCPT TO:<a@home.example>\r\nRCPT TO:<no@home.example>\r\nRCPT TO:<b@home.example>\r\nRCPT TO:<c@home.example>\r\n")
        return fixture
    }

    @Test func lhloInPlaceOfHello() {
        var fixture = ServerFixture { $0.speaks = .lmtp }
        #expect(fixture.send("EHLO a.example\r\nHELO a.example\r\n").components(4) == ["500 ", "500 "])
        #expect(fixture.send("MAIL FROM:<>\r\n").hasPrefix("503"))
        let said = fixture.send("LHLO a.example\r\n")
        // §5 demands these two, and 8BITMIME should be there.
        for keyword in ["PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME", "CHUNKING"] { #expect(said.contains(keyword)) }
        #expect(!said.contains("AUTH"))
        #expect(fixture.send("MAIL FROM:<>\r\n").hasPrefix("250"))
        var smtp = ServerFixture()
        #expect(smtp.send("LHLO a.example\r\n").hasPrefix("500"))
    }

    @Test(arguments: [Int.max, 1]) func aReplyForEachAcceptedRecipient(_ step: Int) {
        var fixture = ready()
        fixture.answers = [SMTPReply(250, "2.1.5", "a"), SMTPReply(452, "4.2.2", "b"), SMTPReply(550, "5.2.0", "c")]
        #expect(fixture.send("DATA\r\nx\r\n.\r\nNOOP\r\n", step: step) == """
            354 End data with <CR><LF>.<CR><LF>\r
            250 2.1.5 a\r
            452 4.2.2 b\r
            550 5.2.0 c\r
            250 2.0.0 Ok\r\n
            """)
    }

    /// §4.3: only the last chunk is answered by recipient.
    @Test func chunks() {
        var fixture = ready()
        fixture.answers = [SMTPReply(250, "2.1.5", "a"), SMTPReply(250, "2.1.5", "b"), SMTPReply(250, "2.1.5", "c")]
        #expect(fixture.send("BDAT 3\r\na\r\nBDAT 1 LAST\r\nb").components(9) == ["250 2.0.0", "250 2.1.5", "250 2.1.5", "250 2.1.5"])
    }

    /// §4.2: 503, not 354, when no RCPT succeeded.
    @Test func dataWithoutRecipients() {
        var fixture = ServerFixture { $0.speaks = .lmtp }
        fixture.send("LHLO a\r\nMAIL FROM:<>\r\n")
        #expect(fixture.send("DATA\r\nBDAT 1 LAST\r\nx").components(4) == ["503 ", "503 "])
    }

    @Test func refusalsOfTheWholeMessageAreSaidToEach() {
        var large = ready { $0.messageSizeLimit = 4 }
        #expect(large.send("DATA\r\n123456\r\n.\r\nNOOP\r\n").components(3) == ["354", "552", "552", "552", "250"])
        var bare = ready()
        #expect(bare.send("DATA\r\na\nb\r\n.\r\n").components(3) == ["354", "550", "550", "550"])
        #expect(bare.isClosed)
        var refusedChunk = ready { $0.messageSizeLimit = 4 }
        #expect(refusedChunk.send("BDAT 6\r\n123456BDAT 1 LAST\r\nx").components(3) == ["552", "503", "503", "503"])
    }

    /// A shell that lost count must not put the client's replies out of step.
    @Test func theNumberOfRepliesIsRightWhateverTheShellSays() {
        var fixture = ready()
        fixture.answers = [SMTPReply(250, "2.1.5", "a")]
        #expect(fixture.send("DATA\r\nx\r\n.\r\n").components(3) == ["354", "451", "451", "451"])
        var one = ready()
        #expect(one.send("DATA\r\nx\r\n.\r\n").components(3) == ["354", "250", "250", "250"])
    }
}
