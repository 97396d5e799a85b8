import InternetMessage
import Testing
@testable import SMTPCore

/// How long a careless client is borne with.
@Suite struct PatienceTests {
    private static let message = "MAIL FROM:<s@a.example>\r\nRCPT TO:<r@home.example>\r\nDATA\r\nSubject: x\r\n\r\n.\r\n"

    /// As with Postfix, which sets its error count back: a relay keeps one connection for thousands of messages.
    @Test func aMessageTakenPaysForEarlierMistakes() {
        var fixture = ServerFixture()
        fixture.send("EHLO a.example\r\n")
        for _ in 0..<3 {
            for _ in 1..<fixture.machine.settings.errorLimit { fixture.send("FOO\r\n") }
            #expect(fixture.send(Self.message).hasSuffix("Ok: queued as X\r\n"))
        }
        #expect(!fixture.isClosed)
    }

    @Test func aMessageRefusedDoesNot() {
        var fixture = ServerFixture()
        fixture.refuse = { if case .recipient = $0 { SMTPReply(550, "5.1.1", "User unknown") } else { nil } }
        fixture.send("EHLO a.example\r\n")
        for _ in 1...fixture.machine.settings.errorLimit where !fixture.isClosed {
            fixture.send("MAIL FROM:<>\r\nRCPT TO:<nobody@home.example>\r\nRSET\r\n")
        }
        #expect(fixture.isClosed)
    }
}
