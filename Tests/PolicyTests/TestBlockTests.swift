@testable import Policy
import Testing

/// Whole-message tests as they are written: what is read, and what is refused.
@Suite struct TestBlockTests {
    private func message(_ body: String, _ others: [String: String] = [:]) throws -> MessageTest {
        try #require(try load("test \"t\" {\n\(body)\nexpect accept\n}", others).tests.first?.message)
    }

    @Test func everyClauseIsRead() throws {
        let test = try message("""
            client 192.0.2.7 name "mx.a.example" own helo "there" listener submission tls TLSv1.2 account "alice" owns "alice@example.org"
            sender "a@b.example" recipient "x@example.org", "y@example.org" recipient "z@example.org" size 2K
            time "2026-03-01T12:00:00Z" local "example.org"
            dns \"""
              b.example TXT "v=spf1 -all"
            \"""
            dns fails "_dmarc.b.example"
            dkim signed by "b.example" dkim signed by "c.example" selector "k1"
            tag "x+shop@example.org" owned by "shop.example", "mailer.example"
            tag "x+old@example.org" revoked
            earlier 10m times 3 earlier 2h
            """)
        #expect(test.accountAddresses.map(\.description) == ["alice@example.org"])
        #expect(test.earlier.map { [$0.before, $0.times] } == [[600, 3], [7_200, 1]])
        #expect(test.client.address?.description == "192.0.2.7" && test.client.name == "mx.a.example" && test.client.isOwn)
        #expect(test.client.helo == "there" && test.client.listener == "submission" && test.client.tlsVersion == "TLSv1.2" && test.client.account == "alice")
        #expect(test.sender?.description == "a@b.example" && test.recipients.map(\.description) == ["x@example.org", "y@example.org", "z@example.org"])
        #expect(test.declaredSize == 2_048 && test.time.timeIntervalSince1970 == 1_772_366_400 && test.localDomains.map(\.text) == ["example.org"])
        #expect(test.records.count == 1 && test.failingNames.map(\.text) == ["_dmarc.b.example"])
        #expect(test.signatures.map { "\($0.domain) \($0.selector)" } == ["b.example test", "c.example k1"])
        #expect(test.tags.map { "\($0.address)" } == ["x+shop@example.org", "x+old@example.org"] && test.tags[1].state == .revoked)
    }

    @Test func theCommonIndentationIsTakenAway() throws {
        let test = try message("    message \"\"\"\r\n      From: a@b.example\r\n      Subject: a\r\n        folded\r\n\r\n      text \"quoted\" \\n\r\n  \"\"\"")
        #expect(String(decoding: test.content ?? [], as: UTF8.self) == "From: a@b.example\nSubject: a\n  folded\n\ntext \"quoted\" \\n\n")
    }

    @Test func aMessageMayStandInAFile() throws {
        #expect(try message("message file \"mail/a.eml\"", ["mail/a.eml": "From: x\n\ny"]).content == Array("From: x\n\ny".utf8))
    }

    @Test func theNullSenderIsTheEmptyString() throws {
        #expect(try message("sender \"\"").sender == nil)
        #expect(try message("size 1").sender?.description == "sender@sender.example")
    }

    @Test(arguments: [
        ("cliant 192.0.2.1", "expected 'expect'", "did you mean 'client'?"),
        ("from \"a@b.c\"", "expected 'expect'", "did you mean 'sender'?"),
        ("client \"192.0.2.1\"", "expected the client's address", "client 192.0.2.7"),
        ("client 192.0.2.0/24", "a range", nil),
        ("stage mail sender \"a@b.c\"", "not both", "every stage"),
        ("given size = 3 sender \"a@b.c\"", "not both", "every stage"),
        ("sender \"a@b.c\" sender \"a@b.c\"", "'sender' stands in the test already", "leave one"),
        ("sender \"a\"", "'a' is not an address", "user@example.org"),
        ("recipient \"a@b.c\" \"d@e.f\"", "found a string", nil),
        ("tls TLSv9", "never 'TLSv9'", "TLSv1"),
        ("listener web", "'web' is not a listener", "submission"),
        ("time \"yesterday\"", "not a time", "2026-03-01"),
        ("local \"a b\"", "not a domain", "example.org"),
        ("earlier 10", "a length of time", "10m for minutes"),
        ("earlier 10m times 5000", "1 to 1,000", "smaller limit"),
        ("earlier 400d", "up to a year", nil),
        ("size 1 expect action greylist", "greylisting needs the recipient", nil),
        ("size 1 expect action limit rate(client.ip, 1h) to 3", "refuses, or does nothing", "rcpt tempfail"),
        ("message \"x\"", "a message between", nil),
        ("message \"\"\" From: a\n\"\"\"", "begins on the line after", "lines of its own"),
        ("message \"\"\"\nFrom: a\n", "does not end", "close it"),
        ("message file \"nope.eml\"", "nope.eml cannot be used: there is no such file", "folder"),
        ("dns \"\"\"\n  b.example TXT \"x\"\n  b.example WHAT 3\n\"\"\"", "in the DNS records", "a record is"),
        ("dkim signed \"b.example\"", "expected 'by'", "dkim signed by"),
        ("dkim signed by \"b.example\" selector \"a b\"", "not a selector", "letters"),
        ("tag \"a+b@c.d\" stolen", "expected 'owned by", nil),
        ("size 1 expect none", "'none' says of one stage", "expect accept"),
        ("size 1 expect accept 250", "only reject and tempfail have a code", "code"),
        ("size 1 expect mail reject for \"a@b.c\"", "only stage rcpt", "delivered to"),
        ("size 1 expect rule \"no such\"", "a rule \"no such\" that there is not", "behind 'rule'"),
        ("size 1 expect not rule \"ruel\"", "a rule \"ruel\" that there is not", "did you mean \"rule\"?"),
        ("size 1 expect that sise > 3", "there is no name 'sise'", "size"),
        ("size 1 expect rejct", "expected a decision", "did you mean 'reject'?"),
        ("size 1 expect action reject", "a decision is no action", "expect"),
        ("stage mail expect header \"X\"", "makes no message", "expect action"),
        ("stage mail expect rcpt reject", "about one stage", "leave the stage"),
    ] as [(String, String, String?)])
    func mistakeAndFix(body: String, message: String, fix: String?) throws {
        let found = try #require(mistakes("stage mail rule \"rule\" when false then accept\ntest \"t\" { \(body) expect not rule \"rule\" }").first)
        #expect(found.message.contains(message), "\(found)")
        if let fix { #expect(try #require(found.fix).contains(fix), "\(found)") }
        #expect(found.line > 0)
    }

    @Test func aMistakeInTheRecordsPointsAtItsLine() throws {
        let found = try #require(mistakes("test \"t\" {\n  dns \"\"\"\n    b.example TXT \"x\"\n    b.example WHAT 3\n  \"\"\"\n  expect accept\n}").first)
        #expect((found.line, found.column, found.width) == (4, 5, 16))
    }

    /// `next file` ends its file's rules, not those of other files.
    @Test func theNextFileIsReached() throws {
        let files = ["d/a.policy": "stage mail rule \"a\" then next file", "d/b.policy": "stage mail rule \"b\" then accept"]
        #expect(try RuleSet.load(folder: "d", reader: MemoryFiles(files: files)).warnings.isEmpty)
    }

    @Test func listsAreBounded() {
        let many = (0...100).map { "\"a\($0)@b.c\"" }.joined(separator: ", ")
        #expect(mistakes("test \"t\" { recipient \(many) expect accept }").first?.message.contains("at most 100") == true)
    }
}

@Suite struct RemarkTests {
    @Test(arguments: [
        ("stage mail rule \"a\" then reject rule \"b\" when size > 3 then accept", "never asked: rule \"a\" at t.policy:1"),
        ("stage mail rule \"a\" when true or size > 3 then reject rule \"b\" when size > 3 then accept", "never asked"),
        ("stage mail rule \"a\" when not true then reject", "always false"),
        ("stage mail rule \"a\" when size > 3 and false then reject", "always false"),
        ("stage message rule \"a\" when spf.result == pass and spf.result == fail then reject", "spf.result cannot equal two"),
        ("stage mail rule \"a\" then next file rule \"b\" when size > 3 then accept", "never asked"),
        ("dnsbl \"x\" { \"bl.example\" } dnsbl \"y\" { \"bl.example\" } stage mail rule \"a\" when dnsbl[\"x\"] > 0 then reject", "no rule asks the DNS lists \"y\""),
        ("stage mail rule \"a\" then accept test \"t\" { stage mail expect accept } test \"t\" { stage mail expect accept }", "a test \"t\" already"),
    ])
    func warned(text: String, message: String) throws {
        let warnings = try load(text).warnings
        #expect(warnings.count == 1)
        #expect(warnings.first?.message.contains(message) == true, "\(warnings)")
        #expect(warnings.first?.severity == .warning)
        #expect(warnings.first?.description.contains(": warning: ") == true)
    }

    @Test(arguments: [
        "stage message rule \"a\" then add keyword \"x\"",
        "stage mail rule \"a\" when size > 3 then reject rule \"b\" when size > 4 then reject",
        "stage mail rule \"a\" then reject stage rcpt rule \"b\" then reject",
        "stage message rule \"a\" then add keyword \"x\" rule \"b\" then accept",
        "stage message rule \"a\" when header[\"X\"] == \"a\" and header[\"X\"] == \"b\" then accept",
        "stage message rule \"a\" when from == sender and from == \"a@b.c\" then accept",
        "stage message rule \"a\" when helo == \"A\" and helo == \"a\" then accept",
    ])
    func notWarned(text: String) throws {
        #expect(try load(text).warnings.isEmpty)
    }
}
