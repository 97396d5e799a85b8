import SMTPCore
import Testing

@Suite struct DotStufferTests {
    static let cases: [(String, String)] = [
        ("", ".\r\n"),
        ("a\r\n", "a\r\n.\r\n"),
        ("a", "a\r\n.\r\n"),
        (".\r\n", "..\r\n.\r\n"),
        ("a\r\n.b\r\n..c\r\nd.e\r\n", "a\r\n..b\r\n...c\r\nd.e\r\n.\r\n"),
        // Stray line ends cannot smuggle an end of data (RFC 5321 §2.3.8).
        ("a\n.\nMAIL FROM:<x@y>\n", "a\r\n..\r\nMAIL FROM:<x@y>\r\n.\r\n"),
        ("a\r.\r\nb\r\n", "a .\r\nb\r\n.\r\n"),
        ("\r.\r\n", " .\r\n.\r\n"),
        ("a\r\r\n.\r\n", "a \r\n..\r\n.\r\n"),
        ("a\r", "a\r\n.\r\n"),
        ("a\r\n\r", "a\r\n\r\n.\r\n"),
    ]

    @Test(arguments: cases) func whole(text: String, expected: String) {
        var stuffer = DotStuffer()
        #expect(String(decoding: stuffer.stuff(Array(text.utf8)) + stuffer.finish(), as: UTF8.self) == expected)
    }

    @Test(arguments: cases) func cutAnywhere(text: String, expected: String) {
        var stuffer = DotStuffer()
        let pieces = text.utf8.flatMap { stuffer.stuff([$0]) }
        #expect(String(decoding: pieces + stuffer.finish(), as: UTF8.self) == expected)
    }
}
