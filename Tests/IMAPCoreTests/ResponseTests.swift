import IMAPCore
import InternetMessage
import Testing

@Suite struct ResponseTests {
    /// Lines of RFC 3501 §7 and §8, RFC 2342, RFC 2971, RFC 4315, RFC 4731.
    @Test(arguments: [
        (Response.untagged(.ok("IMAP4rev1 Service Ready")), "* OK IMAP4rev1 Service Ready"),
        (.tagged("a002", .ok("SELECT completed", code: .readWrite)), "a002 OK [READ-WRITE] SELECT completed"),
        (.untagged(.ok("First unseen.", code: .unseen(17))), "* OK [UNSEEN 17] First unseen."),
        (.untagged(.ok("Limited", code: .permanentFlags([.deleted, .seen], allowsNew: true))), "* OK [PERMANENTFLAGS (\\Deleted \\Seen \\*)] Limited"),
        (.untagged(Condition(.bye, "")), "* BYE ."), (.continuation(""), "+ "), (.continuation("YGgG"), "+ YGgG"), (.exists(18), "* 18 EXISTS"), (.recent(2), "* 2 RECENT"),
        (.expunge(44), "* 44 EXPUNGE"), (.flags([.answered, .recent]), "* FLAGS (\\Answered \\Recent)"), (.search([2, 84, 882]), "* SEARCH 2 84 882"), (.search([]), "* SEARCH"),
        (.capability(["IMAP4rev1", "AUTH=PLAIN"]), "* CAPABILITY IMAP4rev1 AUTH=PLAIN"), (.enabled([]), "* ENABLED"),
        (.list(ListEntry(MailboxName("~/Mail/foo"), delimiter: "/", attributes: [.noSelect])), "* LIST (\\Noselect) \"/\" ~/Mail/foo"),
        (.list(ListEntry(MailboxName(""), delimiter: nil, attributes: [])), "* LIST () NIL \"\""),
        (.list(ListEntry(MailboxName("Foo"), delimiter: "/", attributes: [.hasChildren], childInfo: [.subscribed])), "* LIST (\\HasChildren) \"/\" Foo (\"CHILDINFO\" (\"SUBSCRIBED\"))"),
        (.lsub(ListEntry(MailboxName("Entwürfe x"), delimiter: ".", attributes: [.drafts])), "* LSUB (\\Drafts) \".\" \"Entw&APw-rfe x\""),
        (.list(ListEntry(MailboxName("nil"), delimiter: "\\", attributes: [])), "* LIST () \"\\\\\" \"nil\""),
        (.status(MailboxName("blurdybloop"), [(.messages, 231), (.uidNext, 44292)]), "* STATUS blurdybloop (MESSAGES 231 UIDNEXT 44292)"),
        (.namespace(personal: [Namespace(prefix: MailboxName(""), delimiter: "/")], otherUsers: [], shared: []), "* NAMESPACE ((\"\" \"/\")) NIL NIL"),
        (.id([IDField("name", "Cy\"rus"), IDField("os", nil)]), "* ID (\"name\" \"Cy\\\"rus\" \"os\" NIL)"), (.id([]), "* ID NIL"),
        (.esearch(tag: "A282", .sequence, SearchResult([2, 10, 11], returns: [.min, .count])), "* ESEARCH (TAG \"A282\") MIN 2 COUNT 3"),
        (.esearch(tag: "A283", .uid, SearchResult([4, 7, 8, 9], returns: [.all, .max])), "* ESEARCH (TAG \"A283\") UID MAX 9 ALL 4,7:9"),
        (.esearch(tag: "A284", .sequence, SearchResult([], returns: [.min, .all, .count])), "* ESEARCH (TAG \"A284\") COUNT 0"),
    ])
    func wireForm(_ response: Response, _ expected: String) { #expect(wire(response) == expected + "\r\n") }

    @Test func uidPlusCodes() throws {
        let set = try #require(SequenceSet("304,319:320")), to = try #require(SequenceSet("3956:3958"))
        #expect(wire(.tagged("A003", .ok("COPY completed", code: .copyUID(validity: 38505, source: set, destination: to)))) == "A003 OK [COPYUID 38505 304,319:320 3956:3958] COPY completed\r\n")
        #expect(wire(.tagged("A", .ok("x", code: .appendUID(validity: 1, uids: SequenceSet(3955...3955))))) == "A OK [APPENDUID 1 3955] x\r\n")
    }

    @Test func textCannotBreakTheLine() { #expect(wire(.tagged("a", .no("x\r\nb OK\u{0}y"))) == "a NO x  b OK y\r\n") }

    @Test(arguments: [
        ("", "\"\""), ("a\"b\\c", "\"a\\\"b\\\\c\""), ("a\r\nb", "{4}\r\na\r\nb"), ("é", "{2}\r\né"), ("a\u{0}b", "\"ab\""),
    ])
    func strings(_ value: String, _ expected: String) {
        var writer = ResponseWriter()
        writer.string(Array(value.utf8))
        #expect(String(decoding: writer.bytes, as: UTF8.self) == expected)
    }

    @Test func longStringsAreLiterals() {
        var writer = ResponseWriter()
        writer.string(Array(repeating: 97, count: 5000))
        #expect(writer.bytes.starts(with: Array("{5000}\r\n".utf8)))
    }

    @Test func utf8WhenEnabled() {
        var writer = ResponseWriter(utf8: true)
        writer.mailbox(MailboxName("Entwürfe"))
        #expect(String(decoding: writer.bytes, as: UTF8.self) == "\"Entwürfe\"")
    }

    @Test func fetch() throws {
        var fetch = FetchResponse(number: 23)
        fetch.uid(4827313)
        fetch.flags([.seen, .recent])
        fetch.internalDate(try #require(MailDate("17 Jul 1996 02:44:25 -0700")))
        fetch.size(44827)
        fetch.section("BODY[1]<0>", Array("abc".utf8))
        fetch.null("BODY[7]")
        fetch.literalHeader("BINARY[1]", size: 2, literal8: true)
        fetch.writer.raw([0, 1])
        fetch.finish()
        #expect(String(decoding: fetch.writer.bytes, as: UTF8.self) == "* 23 FETCH (UID 4827313 FLAGS (\\Seen \\Recent) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 44827 BODY[1]<0> {3}\r\nabc BODY[7] NIL BINARY[1] ~{2}\r\n\u{0}\u{1})\r\n")
    }

    @Test(arguments: [
        ("BODY.PEEK[HEADER.FIELDS (date {7}\r\nsub ect)]<5.10>", "BODY[HEADER.FIELDS (date \"sub ect\")]<5>"), ("BODY[1.2.mime]", "BODY[1.2.MIME]"), ("BODY[]", "BODY[]"), ("BODY[3]", "BODY[3]"),
        ("RFC822.TEXT", "RFC822.TEXT"), ("BINARY.PEEK[1.2]<3.4>", "BINARY[1.2]<3>"), ("BINARY.SIZE[1]", "BINARY.SIZE[1]"),
    ])
    func namesInAnswers(_ asked: String, _ answered: String) throws {
        guard case .fetch(_, let items, _, _) = try command("t FETCH 1 " + asked) else { return }
        #expect(items.first?.responseName == answered)
    }

    @Test func seen() throws {
        guard case .fetch(_, let items, _, _) = try command("t FETCH 1 (BODY[] BODY.PEEK[] RFC822 RFC822.HEADER RFC822.TEXT BODY FLAGS BINARY[1] BINARY.PEEK[1])") else { return }
        #expect(items.map(\.setsSeen) == [true, false, true, false, true, false, false, true, false])
    }
}
