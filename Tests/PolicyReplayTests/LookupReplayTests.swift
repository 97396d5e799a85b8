import InternetMessage
import MailFilters
import Policy
@testable import PolicyReplay
import Testing

/// Rules that look up, before a record: what was asked then is known, everything else is not.
@Suite struct LookupReplayTests {
    private static let listed = """
        dnsbl "spam" { "list.example" weight 3 }
        stage connect
        rule "listed" when dnsbl["spam"] >= 3 then reject 554 "5.7.1" "listed"
        """
    private static let many = """
        stage mail
        rule "many" when rate(client.ip, 1h) > 5 then tempfail 450 "4.7.1" "too many"
        """
    private static let attached = """
        stage message
        rule "programs" when attachments.name matches "*.exe" then quarantine "a program"
        """
    private static let mail = RecordedRun(header: "Subject: x\r\nContent-Type: application/octet-stream; name=a.exe")

    @Test(arguments: [(listed, 3), (listed, 0), (many, 9), (many, 1)])
    func whatWasAskedIsNotAskedAgain(_ text: String, _ number: Int) async throws {
        let rules = try RecordedRun.rules(text), oracle = Oracle(number)
        var run = RecordedRun()
        run.source = oracle
        let stored = await run.record(rules)
        let asked = oracle.asked
        #expect(asked > 0)
        #expect(await RecordedRun.replay(stored, rules).isSame)
        #expect(oracle.asked == asked)
    }

    /// A limit that is set anew is judged by the answer of then.
    @Test func anotherLimitIsJudgedByTheSameAnswer() async throws {
        var run = RecordedRun()
        run.source = Oracle(4)
        let stored = await run.record(try RecordedRun.rules(Self.many))
        let result = await RecordedRun.replay(stored, try RecordedRun.rules(Self.many.replacing("> 5", with: "> 3")))
        #expect(result.kind == .deferred)
    }

    @Test(arguments: [(listed, "dnsbl \"spam\" 192.0.2.1"), (many, "rate mail client.ip=192.0.2.1 3600s"), (attached, "attachments")])
    func whatWasNeverAskedCannotBeTold(_ text: String, _ question: String) async throws {
        let stored = await Self.mail.record(.empty)
        let result = await RecordedRun.replay(stored, try RecordedRun.rules(text))
        #expect(result.unknown == [question])
    }

    @Test func attachmentsAreReadFromTheStoredCopy() async throws {
        let stored = await Self.mail.record(.empty), rules = try RecordedRun.rules(Self.attached)
        #expect(await RecordedRun.replay(stored, rules, body: "MZ\r\n").kind == .held)
    }

    /// The record of a refused client names the rule, though there was no message.
    @Test func aRefusedConnectionKeepsItsRuleAndItsAnswers() async throws {
        var run = RecordedRun()
        run.source = Oracle(3)
        let stored = await run.record(try RecordedRun.rules(Self.listed))
        #expect(stored.record.rules.map(\.rule) == ["listed"])
        #expect(stored.record.verdict.stage == "connect")
        #expect(stored.record.results.lookups?.contains("192.0.2.1") == true)
    }
}
