@testable import Policy
import Testing

@Suite struct DiagnosticTests {
    @Test func headerAtRcptPointsAndTellsTheFix() throws {
        let found = mistakes("stage rcpt\n\trule \"r\" when header[\"Subject\"] contains \"x\" then reject\n")
        let one = try #require(found.first)
        #expect(found.count == 1)
        #expect(one.description == """
            t.policy:2:16: error: header["Subject"] is not known at stage rcpt: the message has not come yet
                \trule "r" when header["Subject"] contains "x" then reject
                \t              ^^^^^^^^^^^^^^^^^
                fix: move the rule below 'stage message'
            """)
    }

    /// The text of a rule file, what the message says and what the fix says.
    @Test(arguments: [
        ("stage mail rule \"r\" when sendr == \"a@b.c\" then accept", "there is no name 'sendr'", "did you mean sender?"),
        ("stage message rule \"r\" when dmarc.result == fial then accept", "dmarc.result is never 'fial'", "did you mean 'fail'?"),
        ("stage rcpt rule \"r\" when tag.status == leaked then accept", "tag.status is never 'leaked'", "stage message only"),
        ("stage mail rule \"r\" when recipient == \"a@b.c\" then accept", "recipient is not known at stage mail", "stage rcpt"),
        ("stage message rule \"r\" when recipient.detail == \"x\" then accept", "several recipients", "recipients"),
        ("stage mesage rule \"r\" then accept", "there is no stage 'mesage'", "write 'stage message'"),
        ("stage eom rule \"r\" then accept", "there is no stage 'eom'", "write 'stage message'"),
        ("rule \"r\" then accept", "in no stage", "stage rcpt"),
        ("stage mail rule \"r\" then rejct", "there is no action 'rejct'", "did you mean 'reject'?"),
        ("stage mail rule \"r\" when size > \"10M\" then accept", "size is a number", "10 or 25M"),
        ("stage mail rule \"r\" when size > 10X then accept", "neither a number", "10M"),
        ("stage mail rule \"r\" when account == bob then accept", "account is a string", "\"bob\""),
        ("stage connect rule \"r\" when client.ip == 10.0.0.0/8 then accept", "a range", "client.ip in 10.0.0.0/8"),
        ("stage connect rule \"r\" when client.ip in 10.1.0.0/8 then accept", "bits behind its prefix", "10.0.0.0/8"),
        ("stage connect rule \"r\" when client.ip in [\"10.1.0.0/8\"] then accept", "bits behind its prefix", "10.0.0.0/8"),
        ("stage connect rule \"r\" when client.ip matches \"10.*\" then accept", "'matches' is for texts", "client.ip in"),
        ("stage message rule \"r\" when dkim.domains == \"a.example\" then accept", "is a list", "dkim.domains contains"),
        ("stage message rule \"r\" when dkim.domains in [\"a.example\"] then accept", "is a list", "contains"),
        ("stage message rule \"r\" when dkim.domains contains from then accept", "each of dkim.domains is a domain, but from is an address", nil),
        ("stage message rule \"r\" when from.domain in dkim.domains then accept", "needs a list that stands here", "dkim.domains contains from.domain"),
        ("stage connect rule \"r\" when listener == \"submision\" then accept", "listener is never 'submision'", "did you mean 'submission'?"),
        ("stage mail rule r when true then accept", "the rule's name in quotes", "rule \"r\""),
        ("stage mail rule \"r\" { accept }", "expected 'when' or 'then'", "no braces"),
        ("stage mail rule \"r\" when helo is \"x\" then accept", "expected an operator", "'=='"),
        ("stage mail rule \"r\" when helo == “x” then accept", "'“' has no meaning here", "straight quotes"),
        ("stage message rule \"r\" when header[Subject] == \"x\" then accept", "the header's name in quotes", "header[\"Subject\"]"),
        ("stage mail rule \"r\" when sender == [\"a@b.c\"] then accept", "cannot equal a list", "sender in"),
        ("stage mail rule \"r\" when sender in \"a@b.c\" then accept", "needs a list", "sender in [\"a@b.c\"]"),
        ("stage mail rule \"r\" when sender.domain in [] then accept", "the list is empty", "value"),
        ("stage mail rule \"r\" when sender == \"@b.c\" then accept", "is not an address", "in [\"@b.c\"]"),
        ("stage mail rule \"r\" when sender then accept", "not a condition by itself", "sender != missing"),
        ("stage mail rule \"r\" when sender < \"a@b.c\" then accept", "has no order", "numbers"),
        ("stage mail rule \"r\" when sender == size then accept", "sender is an address, but size is a number", nil),
        ("stage mail rule \"r\" when sender = \"a@b.c\" then accept", "'=' does not compare", "'=='"),
        ("stage mail rule \"r\" when true && true then accept", "no meaning here", "'and'"),
        ("stage mail rule \"r\" when helo matches /(a/ then accept", "a '(' without its ')'", "\\("),
        ("stage mail rule \"r\" when helo matches /(?=a)/ then accept", "look-around", "bounded time"),
        ("stage mail rule \"r\" when helo matches /a then accept", "does not end on its line", "/"),
        ("stage mail rule \"r then accept", "does not end on its line", "\""),
        ("stage mail rule \"r\" when helo == \"a\\q\" then accept", "unknown escape", "escapes"),
        ("stage mail rule \"r\" then add header \"X\" \"y\"", "cannot be changed at stage mail", "stage message"),
        ("stage helo rule \"r\" then discard", "nothing to discard", "stage mail"),
        ("stage mail rule \"r\" then reject 450 \"x\"", "450 is not a refusal", "550"),
        ("stage mail rule \"r\" then tempfail 550 \"x\"", "not a temporary refusal", "451"),
        ("stage mail rule \"r\" then reject 550 \"4.7.1\" \"x\"", "not of class 5", "5.7.1"),
        ("stage mail rule \"r\" then reject \"a\" \"b\"", "too many texts", "one text"),
        ("stage mail rule \"r\" then reject, accept", "nothing comes after a decision", "last"),
        ("stage mail rule \"r\" then reject \"{header[Subject]}\"", "not known at stage mail", "stage message"),
        ("stage mail rule \"r\" then reject \"{sendr}\"", "there is no name 'sendr'", "sender"),
        ("stage mail rule \"r\" then reject \"{sender\"", "a '{' without its '}'", "\\{"),
        ("stage rcpt rule \"r\" then reject \"{tag.status}\"", "tell the sender", "trace"),
        ("stage message rule \"r\" then file into \"../x\"", "not a folder's name", "Junk"),
        ("stage message rule \"r\" then file into \"a/{from.domain}\"", "takes no {…}", "rule for each"),
        ("stage rcpt rule \"r\" then exempt tag \"x\"", "cannot be changed at stage rcpt", "stage message"),
        ("stage message rule \"r\" then exempt \"x\"", "expected 'tag'", "exempt tag"),
        ("stage message rule \"r\" then add keyword \"\\\\Seen\"", "not an IMAP keyword", "$Leaked"),
        ("stage message rule \"r\" then add header \"X Y\" \"z\"", "not a header's name", "colon"),
        ("stage mail rule \"r\" then accept rule \"r\" then accept", "there is a rule \"r\" already, at t.policy:1", "name of its own"),
        ("stage mail rule \"r\" when sender in table \"nope\" then accept", "the table nope cannot be used: there is no such file", "folder"),
        ("stage mail rule \"r\" when sender in table \"bad\" then accept", "'not an address' is not an address", "user@example.org"),
        ("stage mail rule \"r\" when sender == ", "expected a value, found the end of the file", nil),
        ("stage mail rule \"r\" when sender equals \"x\" then accept", "expected an operator", "'=='"),
        ("stage mail rule \"r\" when helo matchs \"x\" then accept", "expected an operator", "did you mean 'matches'?"),
        ("hello", "expected 'stage', 'rule', 'dnsbl' or 'test', found 'hello'", nil),
        ("rul \"r\" then accept", "expected 'stage', 'rule', 'dnsbl' or 'test', found 'rul'", "did you mean 'rule'?"),
        ("if true then accept", "found 'if'", "rule \"name\" when"),
        ("stage mail\0", "NUL", nil),
        ("test \"t\" { given size = 3 expect accept }", "names no stage", "stage message"),
        ("test \"t\" { stage mail }", "expects nothing", "expect"),
    ] as [(String, String, String?)])
    func mistakeAndFix(text: String, message: String, fix: String?) throws {
        let found = try #require(mistakes(text, ["bad": "a@b.c\nnot an address\n"]).first)
        #expect(found.message.contains(message), "\(found)")
        if let fix { #expect(try #require(found.fix).contains(fix), "\(found)") }
    }

    @Test func aByteOrderMarkSaysNothing() {
        #expect(mistakes("\u{FEFF}stage mail rule \"r\" then accept").isEmpty)
    }

    /// What a file holds must not steer the terminal that shows its mistakes.
    @Test func controlCharactersAreNotShown() throws {
        let found = try #require(mistakes("stage mail rule \"r\" when \u{1B}[31m then accept").first)
        #expect(!found.description.unicodeScalars.contains { $0.properties.generalCategory == .control && $0 != "\n" })
    }

    @Test func severalMistakesAtOnce() {
        let found = mistakes("""
            stage mail
            rule "a" when sendr == "x@y.z" and siz > 3 then accept
            rule "b" when then accept
            rule "c" then rejct
            stage wrong
            rule "d" when recipient == "x@y.z" then accept
            stage rcpt
            rule "e" when size > x then accept
            """)
        #expect(Set(found.map(\.line)) == [2, 3, 4, 5, 8])
        #expect(found.filter { $0.line == 2 }.count == 2)
    }

    @Test func aMistakeInATestLeavesTheRestAlone() {
        let found = mistakes("""
            stage mail
            test "t" { nonsense stage message given size = 3 expect rule "x" }
            rule "a" when sendr == "x@y.z" then accept
            """)
        #expect(found.map(\.line) == [2, 3])
    }

    @Test func tableMistakesNameTheTablesLine() throws {
        let found = try #require(mistakes("stage connect rule \"r\" when client.ip in table \"nets\" then accept", ["nets": "10.0.0.0/8\n  10.0.0.300\n"]).first)
        #expect((found.file, found.line, found.column) == ("nets", 2, 3))
    }

    @Test func boundsHold() {
        let deep = "stage mail rule \"r\" when " + String(repeating: "(", count: 100_000) + "true" + String(repeating: ")", count: 100_000) + " then accept"
        #expect(mistakes(deep).first?.message.contains("nests deeper") == true)
        let nots = "stage mail rule \"r\" when " + String(repeating: "not ", count: 100_000) + "true then accept"
        #expect(mistakes(nots).first?.message.contains("nests deeper") == true)
        #expect(mistakes(String(repeating: "#", count: RuleSet.fileSizeLimit + 1)).first?.message.contains("larger than") == true)
        #expect(mistakes(String(repeating: "stage nope ", count: 1_000)).count <= 50)
        let many = "stage mail " + (0...RuleSet.ruleLimit).map { "rule \"\($0)\" then accept" }.joined(separator: "\n")
        #expect(mistakes(many).contains { $0.message.contains("more than") })
    }

    @Test func aLongLineIsShownInAWindow() throws {
        let text = "stage mail rule \"r\" when helo == \"" + String(repeating: "x", count: 10_000) + "\" and sendr == missing then accept"
        let one = try #require(mistakes(text).first)
        #expect(one.description.count < 500)
        #expect(one.description.contains("sendr"))
    }

    /// Cut and altered rule files never crash the loader, and what loads runs.
    @Test func mutatedFilesNeverCrash() throws {
        let seed = Array(try DiskPolicyFileReader().read(defaultPolicyPath, limit: 1 << 20))
        var state: UInt64 = 42
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for _ in 0..<200 {
            var bytes = seed
            for _ in 0..<(1 + random(8)) { bytes[random(bytes.count)] = UInt8(random(256)) }
            bytes.removeSubrange(random(bytes.count)..<bytes.count)
            let rules = try? load(String(decoding: bytes, as: UTF8.self))
            for stage in PolicyStage.allCases { _ = rules?.evaluate(stage, LiteralFacts()) }
        }
    }
}
