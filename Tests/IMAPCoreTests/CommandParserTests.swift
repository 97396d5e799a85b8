import IMAPCore
import InternetMessage
import Testing

@Suite struct CommandParserTests {
    /// The client's lines of RFC 3501 §8.
    @Test func sampleConnection() throws {
        #expect(try CommandParser.parse(Array("a001 login mrc secret\r\n".utf8)) == TaggedCommand(tag: "a001", command: .login(user: "mrc", password: "secret")))
        #expect(try command("a002 select inbox\r\n") == .select(.inbox))
        #expect(try command("a003 fetch 12 full\r\n") == .fetch(SequenceSet(12...12), FetchAttribute.full, .sequence))
        #expect(try command("a004 fetch 12 body[header]\r\n") == .fetch(SequenceSet(12...12), [.section(BodySection(.header), partial: nil, peek: false)], .sequence))
        #expect(try command("a005 store 12 +flags \\deleted\r\n") == .store(SequenceSet(12...12), StoreRequest(.add, [.deleted]), .sequence))
        #expect(try command("a006 logout\r\n") == .logout)
    }

    @Test(arguments: [
        ("CAPABILITY", Command.capability), ("nOOp", .noop), ("STARTTLS", .startTLS), ("CHECK", .check), ("CLOSE", .close), ("UNSELECT", .unselect),
        ("EXPUNGE", .expunge(uids: nil)), ("UID EXPUNGE 3000:3002", .expunge(uids: SequenceSet(3000...3002))), ("NAMESPACE", .namespace), ("IDLE", .idle),
        ("EXAMINE blurdybloop", .examine(MailboxName("blurdybloop"))), ("CREATE owatagusiam/", .create(MailboxName("owatagusiam/"))),
        ("DELETE \"a \\\"b\\\\\"", .delete(MailboxName("a \"b\\"))), ("RENAME inBOX old-mail", .rename(.inbox, to: MailboxName("old-mail"))),
        ("SUBSCRIBE #news.comp.mail.mime", .subscribe(MailboxName("#news.comp.mail.mime"))), ("UNSUBSCRIBE x]", .unsubscribe(MailboxName("x]"))),
        ("LSUB \"#news.\" \"comp.mail.*\"", .lsub(reference: "#news.", pattern: "comp.mail.*")),
        ("STATUS blurdybloop (UIDNEXT MESSAGES)", .status(MailboxName("blurdybloop"), [.uidNext, .messages])),
        ("COPY 2:4 MEETING", .copy(SequenceSet(2...4), MailboxName("MEETING"), .sequence)), ("UID MOVE 42:69 foo", .move(SequenceSet(42...69), MailboxName("foo"), .uid)),
        ("ENABLE CONDSTORE x-good", .enable(["CONDSTORE", "X-GOOD"])), ("ID NIL", .id([])),
        ("ID (\"name\" \"sodr\" \"version\" NIL)", .id([IDField("name", "sodr"), IDField("version", nil)])),
        ("AUTHENTICATE gssapi", .authenticate(mechanism: "GSSAPI", initialResponse: nil)), ("AUTHENTICATE EXTERNAL =", .authenticate(mechanism: "EXTERNAL", initialResponse: [])),
        ("AUTHENTICATE PLAIN dGVzdAB0ZXN0AHRlc3Q=", .authenticate(mechanism: "PLAIN", initialResponse: Array("test\0test\0test".utf8))),
        ("LOGIN {3}\r\nm\"c {6+}\r\nse ret", .login(user: "m\"c", password: "se ret")),
        ("LOGIN \"\" {0}\r\n", .login(user: "", password: "")),
    ])
    func commands(_ text: String, _ expected: Command) throws {
        #expect(try command("A1 " + text + "\r\n") == expected)
        #expect(try command("A1 " + text) == expected)
    }

    @Test(arguments: [
        ("LIST \"\" \"\"", ListRequest(reference: "", patterns: [""])), ("LIST /usr/staff/jones \"\"", ListRequest(reference: "/usr/staff/jones", patterns: [""])),
        ("LIST ~/Mail/ %", ListRequest(reference: "~/Mail/", patterns: ["%"])), ("LIST \"\" &U,BTFw-*", ListRequest(reference: "", patterns: ["台北*"])),
        ("LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (\"a*\" b%) RETURN (CHILDREN STATUS (UNSEEN) SPECIAL-USE)",
         ListRequest(reference: "", patterns: ["a*", "b%"], selection: [.subscribed, .recursiveMatch], returns: [.children, .status([.unseen]), .specialUse], isExtended: true)),
        ("LIST () \"\" *", ListRequest(reference: "", patterns: ["*"], isExtended: true)),
    ])
    func lists(_ text: String, _ expected: ListRequest) throws { #expect(try command("t " + text) == .list(expected)) }

    @Test(arguments: [
        ("ALL", FetchAttribute.all), ("fast", FetchAttribute.fast), ("(FLAGS FLAGS UID)", [.flags, .uid]), ("BODY", [.body]), ("(BODY BODYSTRUCTURE)", [.body, .bodyStructure]),
        ("RFC822", [.rfc822]), ("(RFC822.HEADER RFC822.TEXT RFC822.SIZE)", [.rfc822Header, .rfc822Text, .size]),
        ("BODY[]<0.2048>", [.section(BodySection(), partial: Partial(origin: 0, count: 2048), peek: false)]),
        // RFC 9051 §9 wants a count; without one it is to the end.
        ("(BODY[]<15> BINARY.PEEK[5]<0>)", [.section(BodySection(), partial: Partial(origin: 15), peek: false), .binary(part: [5], partial: Partial(origin: 0), peek: true)]),
        ("BODY.PEEK[4.1.MIME]", [.section(BodySection(part: [4, 1], .mime), partial: nil, peek: true)]),
        ("BODY[4.2.2.1]", [.section(BodySection(part: [4, 2, 2, 1]), partial: nil, peek: false)]),
        ("BODY[3.HEADER.FIELDS (\"To\" {4}\r\nDate)]<1.1>", [.section(BodySection(part: [3], .headerFields(["To", "Date"])), partial: Partial(origin: 1, count: 1), peek: false)]),
        ("body.peek[header.fields.not (received)]", [.section(BodySection(.headerFieldsNot(["received"])), partial: nil, peek: true)]),
        ("(BINARY.PEEK[1.MIME]<0.9> BINARY.SIZE[TEXT])", [.binaryText(BodySection(part: [1], .mime), partial: Partial(origin: 0, count: 9), peek: true), .binaryTextSize(BodySection(.text))]),
        ("(BINARY[1] BINARY.PEEK[2.1]<0.5> BINARY.SIZE[3])", [.binary(part: [1], partial: nil, peek: false), .binary(part: [2, 1], partial: Partial(origin: 0, count: 5), peek: true), .binarySize(part: [3])]),
        ("(ENVELOPE INTERNALDATE)", [.envelope, .internalDate]),
    ])
    func fetchItems(_ text: String, _ expected: [FetchAttribute]) throws { #expect(try command("t FETCH 1 " + text) == .fetch(SequenceSet(1...1), expected, .sequence)) }

    @Test func uidFetchAnswersWithTheUID() throws {
        #expect(try command("t UID FETCH 1:* FLAGS") == .fetch(SequenceSet([.init(.number(1), .largest)]), [.uid, .flags], .uid))
    }

    @Test(arguments: [
        ("FLAGS (\\Seen $Junk)", StoreRequest(.replace, [.seen, Flag("$Junk")].compactMap { $0 })), ("FLAGS ()", StoreRequest(.replace, [])),
        ("-FLAGS.SILENT \\flagged \\draft", StoreRequest(.remove, [.flagged, .draft], silent: true)),
    ])
    func stores(_ text: String, _ expected: StoreRequest) throws { #expect(try command("t STORE 1 " + text) == .store(SequenceSet(1...1), expected, .sequence)) }

    static let since = SearchDay(year: 1994, month: 2, day: 1)

    @Test(arguments: [
        ("ALL", SearchKey.all), ("FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\"", .and([.flag(.flagged), .since(since), .not(.header("FROM", "Smith"))])),
        ("TEXT \"string not in mailbox\"", .text("string not in mailbox")), ("CHARSET UTF-8 TEXT {6}\r\nçéé", .text("çéé")),
        ("CHARSET ISO-8859-1 SUBJECT x", .header("SUBJECT", "x")), ("OR SEEN (DELETED 2,4:*)", .or(.flag(.seen), .and([.flag(.deleted), .sequence(SequenceSet([.init(.number(2), .number(2)), .init(.number(4), .largest)]))]))),
        ("UID 5 NEW", .and([.uid(SequenceSet(5...5)), .and([.recent, .not(.flag(.seen))])])), ("OLD UNSEEN", .and([.not(.recent), .not(.flag(.seen))])),
        ("KEYWORD $Junk", .flag(Flag("$Junk") ?? .seen)), ("UNKEYWORD x", .not(.flag(Flag("x") ?? .seen))), ("HEADER X-Spam \"\"", .header("X-Spam", "")),
        ("LARGER 1000 SMALLER 0", .and([.larger(1000), .smaller(0)])), ("SENTBEFORE \"1-Feb-1994\"", .sentBefore(since)), ("YOUNGER 60", .younger(60)), ("1", .sequence(SequenceSet(1...1))),
        ("((BCC a))", .header("BCC", "a")), ("NOT NOT ALL", .not(.not(.all))), ("BODY x ON 1-Feb-1994", .and([.body("x"), .on(since)])),
    ])
    func searches(_ text: String, _ expected: SearchKey) throws {
        #expect(try command("t SEARCH " + text) == .search(SearchRequest(expected, namesCharset: text.hasPrefix("CHARSET")), .sequence))
    }

    @Test func searchReturns() throws {
        #expect(try command("t UID SEARCH RETURN (MIN COUNT) ALL") == .search(SearchRequest(.all, returns: [.min, .count]), .uid))
        #expect(try command("t SEARCH RETURN () ALL") == .search(SearchRequest(.all, returns: [.all]), .sequence))
    }

    /// A malformed command keeps its tag.
    @Test(arguments: [
        "", "FOO", "LOGIN", "LOGIN a", "LOGIN a b c", "LOGIN a  b", "LOGIN \"a b", "LOGIN a \"\\x\"", "SELECT", "SELECT a b", "SELECT &AAA", "SELECT &-&", "NOOP x", "UID", "UID NOOP",
        "UID STORE 1 FLAGS \\Recent", "STORE 1 +FLAGS (\\Foo)", "STORE 1 FLAG (a)", "STORE 0 FLAGS a", "FETCH 1", "FETCH a FLAGS", "FETCH 1: FLAGS", "FETCH 1,,2 FLAGS", "FETCH 4294967296 FLAGS",
        "FETCH 1 ()", "FETCH 1 (ALL)", "FETCH 1 FOO", "FETCH 1 BODY[", "FETCH 1 BODY[MIME]", "FETCH 1 BODY[0]", "FETCH 1 BODY[1.]", "FETCH 1 BODY[1]<0", "FETCH 1 BODY[1]<>", "FETCH 1 BODY[1]<0.>", "FETCH 1 BODY[1]<0.0>", "FETCH 1 BODY[HEADER.FIELDS ()]",
        "FETCH 1 BODY[1 HEADER]", "FETCH 1 (FLAGS", "SEARCH", "SEARCH FOO", "SEARCH (ALL", "SEARCH ()", "SEARCH NOT", "SEARCH OR ALL", "SEARCH SINCE 31-Feb-1994", "SEARCH SINCE 1994-02-01", "SEARCH LARGER x",
        "STATUS a ()", "STATUS a (FOO)", "STATUS a MESSAGES", "LIST a", "LIST (FOO) a b", "LIST (RECURSIVEMATCH) a b", "LIST a b RETURN", "ENABLE", "ID", "ID (\"a\")", "AUTHENTICATE", "AUTHENTICATE PLAIN x",
        "LOGIN {9}\r\nabc def", "LOGIN {x}\r\nabc def", "COPY 1", "RENAME a", "APPEND a", "APPEND a {3", "SEARCH CHARSET UTF-8 TEXT {2}\r\n\u{ff}x", "EXPUNGE 1", "UID EXPUNGE",
    ])
    func malformedKeepsItsTag(_ text: String) {
        let error = failure("A77 " + text + "\r\n")
        #expect(error?.tag == "A77")
        #expect(error?.text.isEmpty == false)
        #expect(error.map { wire($0.response).hasPrefix("A77 BAD ") } == true)
    }

    @Test func withoutATagTheAnswerIsUntagged() {
        for text in ["", " NOOP", "+ NOOP", "(a NOOP", "\u{1}"] {
            #expect(failure(text)?.tag == nil)
            #expect(failure(text).map { wire($0.response).hasPrefix("* BAD ") } == true)
        }
    }

    /// RFC 3501 §6.4.4: NO with BADCHARSET.
    @Test func unknownCharset() {
        #expect(failure("a SEARCH CHARSET x-klingon TEXT a").map { wire($0.response) } == "a NO [BADCHARSET (US-ASCII UTF-8)] charset x-klingon is not supported\r\n")
    }

    @Test func nestingIsBounded() throws {
        let deep = { (depth: Int) in "t SEARCH " + String(repeating: "(", count: depth) + "ALL" + String(repeating: ")", count: depth) }
        #expect(try command(deep(60)) == .search(SearchRequest(.all), .sequence))
        #expect(failure(deep(100))?.tag == "t" && failure("t SEARCH " + String(repeating: "NOT ", count: 20_000) + "ALL")?.tag == "t")
        #expect(failure("t SEARCH " + String(repeating: "ALL ", count: 5_000) + "ALL")?.tag == "t")
        #expect(failure("t FETCH 1 BODY[" + String(repeating: "1.", count: 500) + "1]")?.tag == "t")
    }

    /// Every proper prefix of a command either parses or fails with its tag; none crashes.
    @Test(arguments: ["A1 UID FETCH 1:*,3 (FLAGS BODY.PEEK[1.2.HEADER.FIELDS (\"a\" {2}\r\nbc)]<0.5>)\r\n", "A1 SEARCH RETURN (ALL) CHARSET UTF-8 OR (KEYWORD x) NOT SENTON \"1-Jan-2000\"\r\n"])
    func prefixes(_ text: String) {
        let bytes = Array(text.utf8)
        for count in 3..<bytes.count {
            do { _ = try CommandParser.parse(Array(bytes[..<count])) } catch { #expect((error as CommandError).tag == "A1") }
        }
    }
}
