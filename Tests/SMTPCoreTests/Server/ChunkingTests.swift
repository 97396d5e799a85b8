import InternetMessage
import Testing
@testable import SMTPCore

/// RFC 3030.
@Suite struct ChunkingTests {
    @Test(arguments: [Int.max, 1]) func chunks(_ step: Int) {
        var fixture = ServerFixture.ready()
        let said = fixture.send("BDAT 7\r\na: b\r\n\rBDAT 5\r\n\n.\r\n.BDAT 2 LAST\r\n\r\nNOOP\r\n", step: step)
        #expect(said == "250 2.0.0 Ok: 7 octets so far\r\n250 2.0.0 Ok: 12 octets so far\r\n250 2.0.0 Ok: queued as X\r\n250 2.0.0 Ok\r\n")
        #expect(String(decoding: fixture.content, as: UTF8.self) == "a: b\r\n\r\n.\r\n.\r\n")
        #expect(fixture.questions.filter { $0 == .content }.count == 1)
    }

    @Test func lastOfNothing() {
        var fixture = ServerFixture.ready()
        #expect(fixture.send("BDAT 3\r\na\r\nBDAT 0 LAST\r\n").components(9) == ["250 2.0.0", "250 2.0.0"])
        #expect(fixture.questions.contains(.message))
    }

    @Test(arguments: ["BDAT 3\r\na\nb", "BDAT 2\r\na\rBDAT 1 LAST\r\nb", "BDAT 2 LAST\r\na\r"]) func bareLineEnds(_ text: String) {
        var fixture = ServerFixture.ready()
        #expect(fixture.send(text).contains("550 5.6.0"))
        #expect(fixture.isClosed && fixture.aborts == 1)
        #expect(!fixture.questions.contains(.message))
    }

    @Test func dataAfterChunks() {
        var fixture = ServerFixture.ready()
        fixture.send("BDAT 1\r\nx")
        #expect(fixture.send("DATA\r\n").hasPrefix("503"))
        #expect(fixture.send("RCPT TO:<r@home.example>\r\n").hasPrefix("503"))
        #expect(fixture.send("RSET\r\n").hasPrefix("250"))
        #expect(fixture.aborts == 1)
    }

    /// The octets of a refused chunk are read over: they are no commands.
    @Test func refusedChunks() {
        var fixture = ServerFixture()
        fixture.send("EHLO a\r\n")
        #expect(fixture.send("BDAT 6\r\nQUIT\r\nNOOP\r\n").components(3) == ["503", "250"])
        fixture.send("MAIL FROM:<>\r\n")
        #expect(fixture.send("BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n").components(3) == ["554", "250"])
        #expect(fixture.send("MAIL FROM:<>\r\n").hasPrefix("250"))
    }

    @Test func aFailedChunkFailsTheRest() {
        var fixture = ServerFixture.ready()
        fixture.refuse = { $0 == .content ? SMTPReply(451, "4.7.1", "later") : nil }
        #expect(fixture.send("BDAT 2\r\nabBDAT 2\r\ncdBDAT 1 LAST\r\ne").components(3) == ["451", "503", "503"])
        #expect(fixture.content.isEmpty && !fixture.isClosed)
        #expect(fixture.send("MAIL FROM:<>\r\n").hasPrefix("250"))
    }

    @Test func tooLargeInSum() {
        var fixture = ServerFixture.ready { $0.messageSizeLimit = 10 }
        #expect(fixture.send("BDAT 8\r\n12345678BDAT 3 LAST\r\nabc").components(9) == ["250 2.0.0", "552 5.3.4"])
        #expect(!fixture.isClosed)
        var huge = ServerFixture.ready { $0.messageSizeLimit = 10 }
        #expect(huge.send("BDAT 999999999999999999 LAST\r\n").hasPrefix("552 5.3.4"))
        #expect(huge.isClosed)
    }
}
