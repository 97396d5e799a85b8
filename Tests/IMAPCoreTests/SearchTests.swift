import IMAPCore
import InternetMessage
import Testing

struct TestMessage: SearchableMessage {
    struct Unreadable: Error {}
    var sequenceNumber: UInt32 = 2
    var uid: UInt32 = 20
    var isRecent = false
    var internalDate = MailDate(unixTime: 1_000_000_000, zoneMinutes: -300)  // Sat, 8 Sep 2001 20:46:40 -0500
    var flags: Set<Flag> = []
    var content: [UInt8]?
    var size: Int { content?.count ?? 100 }
    var modSequence: UInt64 = 5
    var saveDate: MailDate? = MailDate(unixTime: 1_000_000_000)
    func emailID() throws -> String { "Mabc" }

    func hasFlag(_ flag: Flag) -> Bool { flags.contains(flag) }

    func header() throws -> MessageHeader {
        guard let content else { throw Unreadable() }
        return MessageHeader.parse(content[...]).header
    }

    func withContent<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
        guard let content else { throw Unreadable() }
        return try content.withUnsafeBytes(body)
    }
}

@Suite struct SearchTests {
    static let message = TestMessage(
        isRecent: true, flags: [.seen, .flagged, Flag("$Work") ?? .draft],
        content: crlf("""
            Date: Fri, 7 Sep 2001 23:30:00 -0800
            From: =?iso-8859-1?q?J=F6rg?= Smith <joerg@example.org>
            Subject: =?utf-8?b?w5xiZXI=?= the moon
            X-Empty:
            Content-Type: multipart/mixed; boundary=b

            preamble words
            --b
            Content-Type: text/plain; charset=iso-8859-1
            Content-Transfer-Encoding: quoted-printable

            Stra=DFe and a soft line br=
            eak. GR=D6SSE
            --b
            Content-Type: text/html
            Content-Transfer-Encoding: base64

            PGI+aGlkZGVuIGdlbTwvYj4=
            --b
            Content-Type: application/octet-stream

            binarystuff
            --b
            Content-Type: message/rfc822

            Subject: enclosed subject

            enclosed body
            --b--
            """))

    func matches(_ search: String, _ message: TestMessage = message) throws -> Bool {
        guard case .search(let request, _) = try command("t SEARCH " + search) else { return false }
        return try SearchEvaluator(request.key, messageCount: 3, largestUID: 30, now: 1_000_000_060).matches(message)
    }

    @Test(arguments: [
        "ALL", "SEEN", "FLAGGED", "UNDELETED", "KEYWORD $work", "UNKEYWORD other", "RECENT", "NOT NEW", "2", "1:2", "2:*", "UID 15:25", "UID 20", "NOT UID 30:*", "OR DELETED SEEN", "OR SEEN DELETED",
        "(SEEN FLAGGED) NOT (SEEN DELETED)", "ON 8-Sep-2001", "BEFORE 9-Sep-2001", "SINCE 8-Sep-2001", "SENTON 7-Sep-2001", "SENTBEFORE 8-Sep-2001", "SENTSINCE 7-Sep-2001", "YOUNGER 60", "OLDER 60",
        "LARGER 10", "SMALLER 5000", "FROM {5}\r\njörg", "FROM SMITH", "FROM joerg@", "SUBJECT {5}\r\nüber", "SUBJECT \"ÜBER THE\"", "HEADER X-Empty \"\"", "HEADER from \"\"", "BODY straße", "BODY \"soft line break\"",
        "BODY {7}\r\ngrösse", "BODY \"hidden gem\"", "BODY \"enclosed body\"", "BODY \"enclosed subject\"", "TEXT \"the moon\"", "TEXT \"subject: über\"", "TEXT \"enclosed body\"", "BODY \"\"", "TEXT \"\"",
    ])
    func found(_ search: String) throws { #expect(try matches(search), "\(search)") }

    @Test(arguments: [
        "UNSEEN", "NOT ALL", "DELETED", "OLD", "NEW", "KEYWORD other", "UNKEYWORD $WORK", "1,3", "*", "UID 30", "UID *", "ON 9-Sep-2001", "BEFORE 8-Sep-2001", "SINCE 9-Sep-2001", "SENTON 8-Sep-2001", "SENTSINCE 8-Sep-2001",
        "YOUNGER 59", "OLDER 61", "SMALLER 10", "LARGER 5000", "TO x", "SUBJECT moons", "HEADER X-Missing \"\"", "BODY binarystuff", "BODY preamble", "BODY joerg", "TEXT nowhere", "OR DELETED DRAFT", "SEEN DELETED",
    ])
    func notFound(_ search: String) throws { #expect(!(try matches(search)), "\(search)") }

    /// Accents are compared however they are spelt.
    @Test func normalisation() throws {
        let message = TestMessage(content: crlf("Subject: x\nContent-Type: text/plain; charset=utf-8\n\nGRO\u{308}SSE\n"))
        #expect(try matches("BODY {7}\r\ngrösse", message))
        #expect(try !matches("BODY grosse", message))
    }

    /// FROM, TO, CC and BCC look in the envelope (RFC 3501 §6.4.4): comments inside an address are no part of it.
    @Test func addressesAsTheEnvelopeHasThem() throws {
        let message = TestMessage(content: crlf("From: <user-from (comment)@ (comment) domain.example>\nTo: group: A B <a (x)@d.example>, c@d.example;\n\nx\n"))
        for search in ["FROM user-from@domain.example", "FROM FROM@DOMAIN", "FROM comment", "TO a@d.example", "TO c@d.example", "TO group", "HEADER From user-from@domain"] {
            #expect(try matches(search, message), "\(search)")
        }
        #expect(try !matches("FROM a@d.example", message) && !matches("SUBJECT user-from@domain.example", message))
    }

    @Test func sizesAreStrict() throws {
        let message = TestMessage(content: Array(repeating: 10, count: 100))
        #expect(try !matches("LARGER 100", message) && matches("LARGER 99", message) && !matches("SMALLER 100", message) && matches("SMALLER 101", message))
    }

    /// Cheap keys decide first, so an unreadable message does not matter where they can.
    @Test func contentIsReadOnlyWhenNeeded() throws {
        let unreadable = TestMessage()
        #expect(try !matches("BODY x SEEN", unreadable))
        #expect(try matches("OR TEXT x UNSEEN", unreadable))
        #expect(throws: TestMessage.Unreadable.self) { try matches("BODY x", unreadable) }
        #expect(!SearchEvaluator(.flag(.seen), messageCount: 1, largestUID: 1, now: 0).readsMessages)
        #expect(SearchEvaluator(.not(.header("a", "b")), messageCount: 1, largestUID: 1, now: 0).readsMessages)
    }

    @Test func noDateMatchesNoSentKey() throws {
        let message = TestMessage(content: crlf("Date: whenever\n\n"))
        for key in ["SENTON", "SENTBEFORE", "SENTSINCE"] { #expect(try !matches(key + " 1-Jan-2000", message)) }
    }

    /// A text and a body chosen to make naive search quadratic.
    @Test func hostileTextTakesLinearTime() throws {
        let message = TestMessage(content: Array("A: b\r\n\r\n".utf8) + [UInt8](repeating: 97, count: 1_500_000))
        let needle = String(repeating: "a", count: 20_000) + "b"
        #expect(try !matches("BODY " + needle, message))
    }
}
