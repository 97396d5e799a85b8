import InternetMessage
import SMTPCore
import Testing

extension SMTPReplyParser {
    fileprivate mutating func feed(_ bytes: [UInt8]) throws -> [SMTPReply] {
        var replies: [SMTPReply] = []
        try feed(bytes, into: &replies)
        return replies
    }
}

@Suite struct SMTPReplyParserTests {
    static let cases: [(String, [SMTPReply])] = [
        ("220 mx.example.net ESMTP\r\n", [SMTPReply(220, nil, "mx.example.net ESMTP")]),
        ("250\r\n", [SMTPReply(250, nil, "")]),
        ("250 ok\n", [SMTPReply(250, nil, "ok")]),
        ("550 5.1.1 no such user\r\n", [SMTPReply(550, "5.1.1", "no such user")]),
        ("550-5.7.1 first\r\n550-5.7.1 second\r\n550 5.7.1 third\r\n", [SMTPReply(550, "5.7.1", lines: ["first", "second", "third"])]),
        ("250-mx\r\n250-SIZE 1000\r\n250 DSN\r\n", [SMTPReply(250, lines: ["mx", "SIZE 1000", "DSN"])]),
        ("250 2.1.0 ok\r\n550 5.1.1 no\r\n354 go\r\n", [SMTPReply(250, "2.1.0", "ok"), SMTPReply(550, "5.1.1", "no"), SMTPReply(354, nil, "go")]),
        // The class must be the reply's own (RFC 2034 §4), and three numbers are needed.
        ("550 4.1.1 odd\r\n", [SMTPReply(550, nil, "4.1.1 odd")]),
        ("550 5.1 odd\r\n", [SMTPReply(550, nil, "5.1 odd")]),
        ("550 5.1.1234 odd\r\n", [SMTPReply(550, nil, "5.1.1234 odd")]),
    ]

    @Test(arguments: cases) func wholeReplies(text: String, expected: [SMTPReply]) throws {
        var parser = SMTPReplyParser()
        #expect(try parser.feed(Array(text.utf8)) == expected)
        #expect(!parser.isInsideReply)
    }

    @Test(arguments: cases) func oneOctetAtATime(text: String, expected: [SMTPReply]) throws {
        var parser = SMTPReplyParser()
        var replies: [SMTPReply] = []
        for (index, byte) in text.utf8.enumerated() {
            replies += try parser.feed([byte])
            if index < text.utf8.count - 1, replies.count < expected.count, byte != 10 { #expect(parser.isInsideReply) }
        }
        #expect(replies == expected)
    }

    @Test(arguments: ["hello\r\n", "25 ok\r\n", "650 what\r\n", "150 early\r\n", "250x ok\r\n", "\r\n", "2a0 ok\r\n"])
    func whatIsNoReplyIsAnError(text: String) {
        var parser = SMTPReplyParser()
        #expect(throws: SMTPReplyParser.Failure.self) { try parser.feed(Array(text.utf8)) }
    }

    @Test func aCodeThatChangesIsAnError() {
        var parser = SMTPReplyParser()
        #expect(throws: SMTPReplyParser.Failure.inconsistentCodes(250, 550)) { try parser.feed(Array("250-a\r\n550 b\r\n".utf8)) }
    }

    @Test func endlessLinesAndRepliesAreBounded() {
        var parser = SMTPReplyParser()
        #expect(throws: SMTPReplyParser.Failure.lineTooLong(limit: 2048)) { try parser.feed([UInt8](repeating: 50, count: 3000)) }
        var other = SMTPReplyParser()
        #expect(throws: SMTPReplyParser.Failure.replyTooLong(limit: 65536)) {
            for _ in 0..<10_000 { _ = try other.feed(Array("250-more\r\n".utf8)) }
        }
    }

    @Test func manyShortRepliesAreNotOneLongOne() throws {
        var parser = SMTPReplyParser()
        for _ in 0..<10_000 { #expect(try parser.feed(Array("250 okay\r\n".utf8)).count == 1) }
    }

    @Test func extensionsOfEHLO() throws {
        var parser = SMTPReplyParser()
        let text = "250-mx.example.net greets you\r\n250-size 5000\r\n250-PIPELINING\r\n250-AUTH=LOGIN\r\n250-AUTH PLAIN cram-md5\r\n250-8bitmime\r\n250 STARTTLS\r\n"
        let offered = ServerExtensions(ehloReply: try #require(try parser.feed(Array(text.utf8)).first))
        #expect(offered.serverName == "mx.example.net")
        #expect(offered.sizeLimit == 5000)
        #expect(offered.pipelining && offered.eightBitMIME && offered.startTLS)
        #expect(!offered.dsn && !offered.smtpUTF8 && !offered.requireTLS)
        #expect(offered.authentication == ["LOGIN", "PLAIN", "CRAM-MD5"])
    }

    @Test(arguments: ["SIZE", "SIZE 0", "SIZE many"]) func aSizeWithoutALimit(line: String) {
        let offered = ServerExtensions(ehloReply: SMTPReply(250, lines: ["mx", line]))
        #expect(offered.size)
        #expect(offered.sizeLimit == nil)
    }
}
