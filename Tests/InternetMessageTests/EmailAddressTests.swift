import InternetMessage
import Testing

@Suite struct EmailAddressTests {
    @Test(arguments: [
        ("john@Example.ORG", "john@example.org"), ("John.Doe@example.org", "John.Doe@example.org"), (#""john doe"@x.org"#, #""john doe"@x.org"#),
        (#""a\"b\\c"@x.org"#, #""a\"b\\c"@x.org"#), (#""plain"@x.org"#, "plain@x.org"), ("a@[192.0.2.1]", "a@[192.0.2.1]"),
        ("a@[IPv6:2001:DB8::1]", "a@[IPv6:2001:db8::1]"), ("j\u{f6}rg@b\u{fc}cher.example", "j\u{f6}rg@xn--bcher-kva.example"), ("a+b@x.org", "a+b@x.org"),
        (#"""@x.org"#, ""),
    ])
    func parsing(_ text: String, _ expected: String) { #expect((EmailAddress(text)?.description ?? "") == expected) }

    @Test(arguments: [
        "", "a", "@x.org", "a@", ".a@x.org", "a.@x.org", "a..b@x.org", "a b@x.org", "a@x..org", "a@-x.org", "a@x.org.", "a@[2001:db8::1]", "a@[300.1.1.1]",
        "\"a@x.org", "a@x.org ", "a@b@c", "\"a\u{1}\"@x.org", "a@[192.0.2.1",
    ])
    func refused(_ text: String) { #expect(EmailAddress(text) == nil) }

    /// A quote and a combining mark are one Character, but the quote ends the local part all the same.
    @Test func aQuoteUnderACombiningMarkIsEscaped() {
        let written = "\"a\\\"\u{301}> x\"@x.org"
        let address = EmailAddress(written)
        let unquoted = "a\"\u{301}> x"
        #expect(address?.localPart == unquoted)
        #expect(address?.description == written)
    }

    /// RFC 5321 §4.5.3.1.3, less the angle brackets; local parts longer than §4.5.3.1.1's 64 octets are in use.
    @Test func lengthLimit() {
        #expect(EmailAddress(String(repeating: "a", count: 248) + "@x.org") != nil)
        #expect(EmailAddress(String(repeating: "a", count: 249) + "@x.org") == nil)
    }

    @Test func paths() {
        func path(_ text: String) -> PathParser.Path? {
            var parser = PathParser(Array(text.utf8))
            return parser.path()
        }
        #expect(path("<>") == .null)
        #expect(path("<Postmaster>") == .postmaster)
        #expect(path("<a@x.org> SIZE=1") == EmailAddress("a@x.org").map { .mailbox($0) })
        #expect(path("<@a.test,@b.test:a@x.org>") == EmailAddress("a@x.org").map { .mailbox($0) })
        #expect(path("a@x.org") == nil && path("<a@x.org") == nil && path("<@a.test>") == nil && path("<a>") == nil)
        var parser = PathParser(Array("<a@x.org> BODY".utf8))
        _ = parser.path()
        #expect(parser.position == 9)
    }

    @Test func details() throws {
        let address = try #require(EmailAddress("user+one-two@x.org"))
        #expect(address.splittingDetail(delimiters: "+").detail == "one-two")
        #expect(address.splittingDetail(delimiters: "-+").base.localPart == "user")
        #expect(address.splittingDetail(delimiters: "").detail == nil)
        #expect(EmailAddress("+x@x.org")?.splittingDetail(delimiters: "+").detail == nil)
    }

    /// Dots with combining marks behind them are Characters of their own; servers count octets.
    @Test(arguments: ["\".\u{301}a\"@x.org", "\"a..\u{301}b\"@x.org", "\"a.\u{301}.\"@x.org"])
    func dotsBeforeMarksAreQuoted(_ text: String) throws {
        let address = try #require(EmailAddress(text))
        #expect(address.description == text)
        #expect(EmailAddress(address.description) == address)
    }

    // RFC 5321 §4.5.3.1.5: a reply line has 512 octets; what stands around the text takes some of them.
    @Test func replyLinesAreBoundedInOctets() {
        let reply = SMTPReply(550, "5.7.1", String(repeating: "\u{1F600}", count: 400))
        #expect(reply.lines[0].utf8.count == 480)
        #expect(reply.wire.utf8.count <= 512)
    }

    @Test func comparison() {
        #expect(EmailAddress("A@x.org") != EmailAddress("a@x.org"))
        #expect(EmailAddress("A@x.org")?.folded == EmailAddress("a@X.org")?.folded)
        #expect(EmailAddress("j\u{f6}@x.org")?.needsSMTPUTF8 == true && EmailAddress("j@b\u{fc}.org")?.needsSMTPUTF8 == false)
    }
}
