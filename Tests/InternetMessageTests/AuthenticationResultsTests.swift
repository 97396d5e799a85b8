import InternetMessage
import Testing

@Suite struct AuthenticationResultsTests {
    typealias Result = AuthenticationResults.Result
    typealias Property = AuthenticationResults.Property

    func parse(_ text: String) -> AuthenticationResults? { AuthenticationResults(parsing: Array(text.utf8)) }

    /// RFC 8601 Appendix B.2.
    @Test func noResult() throws {
        let parsed = try #require(parse(" example.org 1; none\r\n"))
        #expect(parsed == AuthenticationResults(authservID: "example.org"))
        #expect(parse("example.org;none")?.results == [])
        #expect(AuthenticationResults(authservID: "example.org").headerValue == "example.org; none")
    }

    /// RFC 8601 Appendix B.3.
    @Test func oneResult() {
        let parsed = parse("example.com;\r\n          spf=pass smtp.mailfrom=example.net")
        #expect(parsed?.results == [Result("spf", "pass", properties: [Property("smtp", "mailfrom", "example.net")])])
    }

    /// RFC 8601 Appendix B.5, comments and all.
    @Test func severalResultsWithComments() throws {
        let parsed = try #require(parse("""
            example.com;\r
                      auth=pass (cram-md5) smtp.auth=sender@example.net;\r
                      spf=pass smtp.mailfrom=example.net;\r
                      sender-id=fail header.from=example.com;\r
                      dkim=pass (good signature) header.d=sender.example.com
            """))
        #expect(parsed.results.map(\.method) == ["auth", "spf", "sender-id", "dkim"])
        #expect(parsed.results[0].value("smtp", "auth") == "sender@example.net")
        #expect(parsed.results[3].value("Header", "D") == "sender.example.com")
    }

    /// RFC 8601 Appendix B.7: the very heavily commented example.
    @Test func commentsEverywhere() throws {
        let parsed = try #require(parse("""
            foo.example.net (foobar) 1 (baz);\r
                dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r
                  policy (A dot can go here) . (like that) expired\r
                  (this surprised me) = (as I wasn't expecting it) 1362471462
            """))
        #expect(parsed.authservID == "foo.example.net")
        #expect(parsed.version == 1)
        #expect(parsed.results == [Result("dkim", "fail", properties: [Property("policy", "expired", "1362471462")])])
    }

    @Test func quotedValuesAndReasons() throws {
        let parsed = try #require(parse(#"mx; dkim=fail reason="bad \"sig\"; really" header.b="ab/cd=" header.i="a b"@x.org"#))
        #expect(parsed.results[0].reason == #"bad "sig"; really"#)
        #expect(parsed.results[0].value("header", "b") == "ab/cd=")
        #expect(parsed.results[0].value("header", "i") == #""a b"@x.org"#)
    }

    @Test func versionsOtherThanOneAreReported() { #expect(parse("example.org 2; spf=pass")?.version == 2) }

    @Test(arguments: [
        "", ";", "example.org", "example.org;", "example.org; spf", "example.org; spf=", "example.org; spf=pass smtp", "example.org; spf=pass smtp.x",
        "example.org; none; spf=pass", "example.org spf=pass", "example.org; spf=pass )", "example.org; spf=pass reason=\"x", "(unclosed; spf=pass",
        "example.org; spf/x=pass",
    ])
    func malformed(_ text: String) { #expect(parse(text) == nil) }

    @Test func whatIsWrittenIsRead() throws {
        let original = AuthenticationResults(
            authservID: "mx.example.org",
            results: [
                Result("spf", "pass", reason: "designated sender; \"ok\" \\ yes", properties: [Property("smtp", "mailfrom", "user@example.net"), Property("smtp", "helo", "a b")]),
                Result("dkim", "fail", properties: [Property("header", "d", "example.net"), Property("header", "b", "ab+/=="), Property("header", "i", "@example.net")]),
                Result("dmarc", "none", properties: [Property("header", "from", "bücher.example"), Property("smtp", "mailfrom", "")], methodVersion: 2),
            ])
        let field = original.field
        #expect(try #require(AuthenticationResults(field)) == original)
        for line in field.description.split(separator: "\r\n") { #expect(line.utf8.count <= 78, "\(line)") }
    }

    @Test func longResultsAreFolded() {
        let properties = (0..<10).map { Property("header", "x\($0)", String(repeating: "a", count: 20)) }
        let results = AuthenticationResults(authservID: "mx.example.org", results: [Result("dkim", "pass", properties: properties)])
        let lines = results.field.description.split(separator: "\r\n")
        #expect(lines.count > 3)
        #expect(lines.allSatisfy { $0.utf8.count <= 78 })
        #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("\t") })
    }

    @Test func nothingCanInjectAField() {
        let evil = AuthenticationResults(
            authservID: "mx\r\nBcc: x", results: [Result("spf\r\nX: y", "pa ss", reason: "a\r\nSubject: b", properties: [Property("smtp", "mail;from", "x\r\ny")])])
        for line in evil.field.description.split(separator: "\r\n").dropFirst() { #expect(line.hasPrefix("\t")) }
    }

    /// A quote with a combining mark behind it is one Character, and still a quote to whoever reads octets.
    @Test(arguments: ["a\"\u{301}; dmarc=pass header.from=bank.example; x=\"", "a\\\u{301}\"", "\"\u{200D}\\"])
    func nothingCanInjectAResult(_ text: String) throws {
        let made = AuthenticationResults(authservID: "mx", results: [Result("spf", "pass", reason: text, properties: [Property("smtp", "mailfrom", text)])])
        let read = try #require(AuthenticationResults(made.field))
        #expect(read == made)
    }

    @Test func identityIgnoresCaseAndFinalDot() {
        #expect(AuthenticationResults(authservID: "MX.example.org.").isFrom("mx.Example.org"))
        #expect(!AuthenticationResults(authservID: "mx.example.org").isFrom("example.org"))
    }
}
