import InternetMessage
import NetworkAddress
@testable import Policy
import Testing

@Suite struct OutcomeTests {
    @Test func firstDecisionEndsTheStageMarksGoOn() throws {
        let rules = try load("""
            stage message
            rule "mark" then add header "X-A" "1", add keyword "$A"
            rule "no" when size > 5 then discard
            rule "yes" then reject 554 "5.7.0" "no, {client.ip}"
            rule "never" then accept
            """)
        let out = rules.evaluate(.message, LiteralFacts(values: [.size: .number(1), .clientIP: .ip(.v4Loopback)]))
        #expect(out.decision == .reject(SMTPReply(554, "5.7.0", "no, 127.0.0.1")))
        #expect(out.actions == [.addHeader(HeaderField(name: "X-A", value: "1")), .addKeyword("$A")])
        #expect(out.trace.map(\.rule) == ["mark", "no", "yes"])
        #expect(out.trace.map(\.matched) == [true, false, true])
        #expect(out.trace.map(\.line) == [2, 3, 4])
        #expect(out.trace[1].seen == [SeenValue(name: "size", value: .number(1))])
    }

    @Test func traceShowsOnlyWhatWasLookedAt() throws {
        let rules = try load("stage mail rule \"r\" when sender.domain == \"a.example\" and size > 3 then accept")
        let out = rules.evaluate(.mail, LiteralFacts(values: [.size: .number(9)]))
        #expect(out.trace.first?.seen.map(\.description) == ["sender.domain = missing"])
    }

    @Test func defaultsOfReplies() throws {
        let rules = try load("stage rcpt rule \"a\" when recipients.count > 5 then tempfail rule \"b\" then reject \"no\"")
        #expect(rules.evaluate(.rcpt, LiteralFacts(values: [.recipientsCount: .number(6)])).decision == .tempfail(SMTPReply(451, "4.7.1", "not now, try again later")))
        #expect(rules.evaluate(.rcpt, LiteralFacts()).decision == .reject(SMTPReply(550, "5.7.1", "no")))
        #expect(rules.evaluate(.mail, LiteralFacts()) == PolicyOutcome(), "no rules, no decision")
    }

    @Test func everyAction() throws {
        let rules = try load("""
            stage message
            rule "all" then quarantine "held: {header[Subject]}", add header "X-A" "a", set header "X-B" "{sender}", remove header "X-C",
              subject prefix "[\\{x}] ", file into "Lists/Swift", add keyword "$K", exempt tag "a list"
            """)
        let out = rules.evaluate(.message, LiteralFacts(fields: ["subject": ["line\r\nInjected: x"]]))
        #expect(out.actions == [
            .quarantine("held: line  Injected: x"), .addHeader(HeaderField(name: "X-A", value: "a")), .setHeader(HeaderField(name: "X-B", value: "(missing)")),
            .removeHeader("X-C"), .subjectPrefix("[{x}] "), .fileInto("Lists/Swift"), .addKeyword("$K"), .exemptTag("a list"),
        ])
    }

    @Test func interpolatedValuesAreBounded() throws {
        let rules = try load("stage message rule \"r\" then reject \"{header[X]}\"")
        let out = rules.evaluate(.message, LiteralFacts(fields: ["x": [String(repeating: "y", count: 100_000)]]))
        guard case .reject(let reply) = out.decision else { Issue.record("no reject"); return }
        #expect(reply.text.count == TextTemplate.valueLimit)
    }

    /// Where the reply for a blocked tag was cut it would differ from the one for an unknown address.
    @Test func anAddressIsPutInWhole() throws {
        let rules = try load("stage rcpt rule \"r\" then reject 550 \"5.1.1\" \"<{recipient}>: Recipient address rejected: User unknown\"")
        let long = String(repeating: "L", count: 64) + "@" + [63, 63, 58].map { String(repeating: "d", count: $0) }.joined(separator: ".") + ".ex"
        let out = rules.evaluate(.rcpt, LiteralFacts(values: [.recipient: .address(try address(long))]))
        #expect(out.decision == .reject(SMTPReply(550, "5.1.1", "<\(long)>: Recipient address rejected: User unknown")))
    }

    @Test func targetsAreKnownBeforeMailComes() throws {
        let rules = try load("""
            stage rcpt
            rule "a" when recipient.detail == "old" then change recipient to "new@example.org"
            rule "b" then copy to "archive@example.org", redirect to "c@d.example"
            stage message rule "c" then copy to "x@example.org"
            """)
        #expect(rules.targets.map { "\($0.line) \($0.rule) \($0.action) \($0.address)" } == [
            "2 a change recipient to new@example.org", "3 b copy to archive@example.org", "3 b redirect to c@d.example", "4 c copy to x@example.org",
        ])
    }

    @Test func factsAreAskedLazilyAndOnce() throws {
        final class Counting: PolicyFacts {
            var asked: [PolicyFact] = []
            func value(of fact: PolicyFact) -> PolicyValue? { asked.append(fact); return fact == .helo ? .text("x") : nil }
            func headers(named name: String) -> [String] { [] }
        }
        let rules = try load("stage mail rule \"a\" when helo == \"y\" and size > 1 then accept rule \"b\" when helo == \"z\" then accept")
        let facts = Counting()
        _ = rules.evaluate(.mail, facts)
        #expect(facts.asked == [.helo])
    }

    @Test func filesAreTakenInTheOrderOfTheirNames() throws {
        let files = MemoryFiles(files: ["p/20.policy": "stage mail rule \"second\" then accept", "p/10.policy": "stage mail rule \"first\" then discard", "p/x.txt": "?"])
        let rules = try RuleSet.load(folder: "p", reader: files)
        #expect(rules.evaluate(.mail, LiteralFacts()).decision == .discard)
        #expect(rules.count == 2)
        #expect(rules.hasRules(at: .mail) && !rules.hasRules(at: .rcpt))
    }
}
