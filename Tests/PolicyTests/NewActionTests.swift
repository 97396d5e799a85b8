import InternetMessage
@testable import Policy
import Synchronization
import Testing

/// Recipients, TLS, files and tables.
@Suite struct RecipientActionTests {
    @Test func recipients() throws {
        let rules = try load("""
            stage rcpt rule "r" then change recipient to "new@home.example", copy to "log@home.example"
            stage message rule "m" then redirect to "all@home.example"
            """)
        #expect(rules.evaluate(.rcpt, LiteralFacts()).actions == [.changeRecipient(try address("new@home.example")), .copy(try address("log@home.example"))])
        #expect(rules.evaluate(.message, LiteralFacts()).actions == [.redirect(try address("all@home.example"))])
    }

    @Test func requireTLS() throws {
        let any = try load("stage mail rule \"t\" then require tls"), newer = try load("stage mail rule \"t\" then require tls >= TLSv1.2, accept")
        #expect(any.evaluate(.mail, LiteralFacts()).decision == .reject(SMTPReply(530, "5.7.0", "Must issue a STARTTLS command first")))
        #expect(any.evaluate(.mail, LiteralFacts(values: [.tlsVersion: .word("TLSv1")])).decision == nil)
        #expect(newer.evaluate(.mail, LiteralFacts(values: [.tlsVersion: .word("TLSv1.1")])).decision == .reject(SMTPReply(530, "5.7.0", "TLSv1.2 or newer is required")))
        #expect(newer.evaluate(.mail, LiteralFacts(values: [.tlsVersion: .word("TLSv1.3")])).decision == .accept)
    }

    @Test func nextFile() throws {
        let files = MemoryFiles(files: [
            "a.policy": "stage mail rule \"a1\" when size > 5 then next file rule \"a2\" then reject stage rcpt rule \"a3\" then reject",
            "b.policy": "stage mail rule \"b1\" then discard",
        ])
        let rules = try RuleSet.load(files: ["a.policy", "b.policy"], reader: files)
        let skipped = rules.evaluate(.mail, LiteralFacts(values: [.size: .number(9)]))
        #expect(skipped.decision == .discard && skipped.trace.map(\.rule) == ["a1", "b1"])
        #expect(rules.evaluate(.mail, LiteralFacts()).trace.map(\.rule) == ["a1", "a2"])
        #expect(rules.evaluate(.rcpt, LiteralFacts()).trace.map(\.rule) == ["a3"])
    }

    @Test func aDecisionThatIsNotTakenLetsTheOthersHappenOnce() throws {
        let rules = try load("stage message rule \"r\" then add header \"X\" \"{attachments.name}\", add keyword \"$A\"")
        var run = rules.run(.message), lookups = PolicyLookups()
        guard case .needs(let query) = run.advance(LiteralFacts(), lookups) else { Issue.record("nothing was needed"); return }
        lookups[query] = PolicyAnswer(.attachments(AttachmentListing(names: ["a", "b"])))
        guard case .done(let outcome) = run.advance(LiteralFacts(), lookups) else { Issue.record("not done"); return }
        #expect(outcome.actions == [.addHeader(HeaderField(name: "X", value: "a, b")), .addKeyword("$A")])
    }

    /// Mistakes of the new names and actions: the text, what is said, and the fix.
    @Test(arguments: [
        ("stage connect rule \"r\" when dnsbl[\"spam\"] > 1 then reject", "no DNS lists of that name", "dnsbl \"spam\" {"),
        ("dnsbl \"spam\" { \"a.example\" } stage connect rule \"r\" when dnsbl[\"spa\"] > 1 then reject", "no DNS lists of that name", "\"spam\""),
        ("dnsbl \"s\" { \"a.example\" } stage connect rule \"r\" when dnsbl[\"s\", sender.domain] > 1 then reject", "not known at stage connect", "stage mail"),
        ("dnsbl \"s\" { \"a.example\" } stage mail rule \"r\" when dnsbl[\"s\", size] > 1 then reject", "list addresses and domains", "client.ip"),
        ("dnsbl \"s\" { \"a.example\" } stage connect rule \"r\" when dnsbl[\"s\"] == \"x\" then reject", "is a number", "10 or 25M"),
        ("dnsbl \"s\" { \"localhost\" }", "not the domain of a DNS list", "zen.spamhaus.org"),
        ("dnsbl \"s\" { }", "no list stands", "weight"),
        ("dnsbl \"s\" { \"a.example\" weight 0 }", "from -100 to 100", nil),
        ("dnsbl \"s\" { \"a.example\" for 192.0.2.1 }", "in 127.0.0.0/8 only", "127.0.0.2"),
        ("dnsbl \"s\" { \"a.example\" for 127.0.0.9..127.0.0.2 }", "neither a number", nil),
        ("dnsbl \"s\" { \"a.example\" } dnsbl \"s\" { \"b.example\" }", "already", "together"),
        ("stage mail rule \"r\" when rate(client.ip) > 1 then tempfail", "expected ','", "rate(client.ip, 1h)"),
        ("stage mail rule \"r\" when rate(client.ip, 60) > 1 then tempfail", "with its unit", "60s"),
        ("stage mail rule \"r\" when rate(client.ip, 90d) > 1 then tempfail", "from 1s to 31d", nil),
        ("stage mail rule \"r\" when rate(size, 1h) > 1 then tempfail", "counted by", "client.ip"),
        ("stage connect rule \"r\" when rate(account, 1h) > 1 then tempfail", "not known at stage connect", "stage mail"),
        ("stage mail rule \"r\" when rate(client.ip, 1h) then tempfail", "not a condition by itself", "compare"),
        ("stage message rule \"r\" when message.age > 60 then tempfail", "with its unit", "60s"),
        ("stage mail rule \"r\" when size > 1h then tempfail", "size is a number", "25M"),
        ("stage mail rule \"r\" when sender.mx == nul then tempfail", "never 'nul'", "null"),
        ("stage rcpt rule \"r\" when attachments.name matches \"*.exe\" then reject", "not known at stage rcpt", "stage message"),
        ("stage mail rule \"r\" then copy to \"a@b.example\"", "no recipient at stage mail", "stage rcpt"),
        ("stage rcpt rule \"r\" then redirect to \"nobody\"", "is not an address", "user@example.org"),
        ("stage rcpt rule \"r\" then redirect to \"{sender}\"", "takes no {…}", "write the address"),
        ("stage message rule \"r\" then change recipient to \"a@b.example\"", "no single recipient", "redirect to"),
        ("stage message rule \"r\" then greylist", "needs the recipient", "stage rcpt"),
        ("stage rcpt rule \"r\" then greylist delay 3d", "no retry can come", "shorter"),
        ("stage rcpt rule \"r\" then greylist delay 5", "with its unit", "5s"),
        ("stage helo rule \"r\" then require tls", "no time for STARTTLS", "stage mail"),
        ("stage mail rule \"r\" then require tls >= TLSv9", "never 'TLSv9'", nil),
        ("stage mail rule \"r\" then limit rate(client.ip, 1h)", "expected 'to'", "to 100"),
        ("stage mail rule \"r\" then next file, accept", "nothing comes after", "last"),
    ] as [(String, String, String?)]) func loadErrors(_ text: String, _ message: String, _ fix: String?) throws {
        let one = try #require(mistakes(text).first)
        #expect(one.message.contains(message) && one.line == 1 && one.column > 0, "\(one)")
        if let fix { #expect(one.fix?.contains(fix) == true, "\(one)") }
    }

    @Test func aBadDeclarationDoesNotHideTheRest() {
        #expect(mistakes("dnsbl \"s\" { oops }\nstage mail rule \"r\" then rejct").count == 2)
    }
}

/// Tables follow their files.
@Suite struct TableRefreshTests {
    /// Files that change.
    private final class ChangingFiles: PolicyFileReader {
        private let files = Mutex<[String: String]>([:])
        subscript(_ path: String) -> String? {
            get { files.withLock { $0[path] } }
            set { files.withLock { $0[path] = newValue } }
        }
        func policyFiles(in folder: String) throws -> [String] { [] }
        func read(_ path: String, limit: Int) throws -> [UInt8] {
            guard let text = self[path] else { throw PolicyFileProblem("there is no such file") }
            return Array(text.utf8)
        }
        func stamp(of path: String) -> PolicyFileStamp? {
            self[path].map { PolicyFileStamp(seconds: $0.hashValue, nanoseconds: 0, size: $0.utf8.count, file: 1) }
        }
    }

    @Test func newEntriesCountAndBadOnesDoNot() throws {
        let files = ChangingFiles()
        files["t.policy"] = "stage mail rule \"r\" when sender.domain in table \"bad\" then reject"
        files["bad"] = "one.example\n"
        let rules = try RuleSet.load(files: ["t.policy"], reader: files)
        let table = try #require(rules.tables.first)
        func refused(_ name: String) throws -> Bool {
            rules.evaluate(.mail, LiteralFacts(values: [.senderDomain: .domain(try domain(name))])).decision != nil
        }
        #expect(try refused("one.example") && !refused("two.example"))
        if case .none = table.refresh(files) {} else { Issue.record("nothing had changed") }

        files["bad"] = "two.example\n"
        if case .read = table.refresh(files) {} else { Issue.record("the change was not seen") }
        #expect(try !refused("one.example") && refused("two.example"))

        files["bad"] = "three.example\nnot a domain\n"
        guard case .refused(let mistakes) = table.refresh(files) else { Issue.record("a mistake was taken"); return }
        #expect(mistakes.first?.line == 2)
        #expect(try refused("two.example") && !refused("three.example"))
        if case .none = table.refresh(files) {} else { Issue.record("a mistake is told once") }

        files["bad"] = nil
        if case .refused = table.refresh(files) {} else { Issue.record("a table that is gone keeps its entries") }
        #expect(try refused("two.example"))
    }
}
