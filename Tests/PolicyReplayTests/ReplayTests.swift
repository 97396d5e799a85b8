import DecisionRecords
import Foundation
import InternetMessage
import MailFilters
import Milter
import Policy
@testable import PolicyReplay
import Testing

/// Recorded messages before the same rules, and before others.
@Suite struct ReplayTests {
    private static let rules = """
        stage connect
        rule "no such network" when client.ip in 203.0.113.0/24 then reject 554 "5.7.1" "go away"
        stage mail
        rule "bad sender" when sender == "bad@a.example" then reject 550 "5.1.0" "not you"
        stage rcpt
        rule "closed" when recipient == "closed@home.example" then reject 550 "5.1.1" "closed"
        rule "later" when recipient == "later@home.example" then tempfail 450 "4.2.1" "later"
        stage message
        rule "mark" then add header "X-Mark" "{sender}", add keyword "$Seen"
        rule "dmarc" when dmarc.result == fail and dmarc.policy == reject then reject 550 "5.7.1" "refused for {from.domain}"
        rule "junk" when header["Subject"] contains "cheap" then file into "Junk"
        rule "hold" when header["Subject"] contains "odd" then quarantine "odd"
        rule "drop" when header["Subject"] contains "drop" then discard
        rule "large" when size > 1000 then tempfail 451 "4.3.0" "large"
        """

    private static let messages: [String: RecordedRun] = [
        "plain": RecordedRun(), "network": RecordedRun(client: "203.0.113.9"), "sender": RecordedRun(sender: "bad@a.example"), "null": RecordedRun(sender: nil),
        "closed": RecordedRun(recipients: ["closed@home.example"]), "some": RecordedRun(recipients: ["closed@home.example", "alice@home.example", "later@home.example"]),
        "later": RecordedRun(recipients: ["later@home.example"]), "forged": RecordedRun(dmarc: RecordedRun.dmarc(.fail, .reject)),
        "genuine": RecordedRun(dmarc: RecordedRun.dmarc(.pass, .reject)), "junk": RecordedRun(header: "Subject: cheap\r\nFrom: s@a.example"),
        "odd": RecordedRun(header: "Subject: odd"), "drop": RecordedRun(header: "Subject: drop"),
        "large": RecordedRun(body: String(repeating: "x", count: 2000)),
    ]

    @Test(arguments: messages.keys.sorted())
    func theSameRulesSayTheSame(_ name: String) async throws {
        let rules = try RecordedRun.rules(Self.rules)
        let stored = await (try #require(Self.messages[name])).record(rules)
        #expect(await RecordedRun.replay(stored, rules).isSame)
    }

    /// Without rules everything is delivered: each verdict the rules gave shows in what is no longer so.
    @Test(arguments: [
        ("network", ReplayChange.Kind.notRejected), ("sender", .notRejected), ("closed", .notRejected), ("some", .recipients), ("later", .notDeferred),
        ("forged", .notRejected), ("junk", .notFiled), ("odd", .notHeld), ("drop", .notDiscarded), ("large", .notDeferred), ("plain", .marks),
    ])
    func withoutRulesEachIsDelivered(_ name: String, _ kind: ReplayChange.Kind) async throws {
        let stored = await (try #require(Self.messages[name])).record(try RecordedRun.rules(Self.rules))
        let result = await RecordedRun.replay(stored, .empty)
        #expect(result.kind == kind)
    }

    /// The other way round: recorded without rules, they would have done all that.
    @Test(arguments: [
        ("forged", ReplayChange.Kind.rejected), ("junk", .filed), ("odd", .held), ("drop", .discarded), ("large", .deferred), ("closed", .rejected), ("plain", .marks),
    ])
    func newRulesShowWhatTheyWouldDo(_ name: String, _ kind: ReplayChange.Kind) async throws {
        let stored = await (try #require(Self.messages[name])).record(.empty)
        let result = await RecordedRun.replay(stored, try RecordedRun.rules(Self.rules))
        #expect(result.kind == kind)
    }

    @Test func aChangeNamesTheRuleAndBothFates() async throws {
        let stored = await (try #require(Self.messages["forged"])).record(.empty)
        guard case .changed(let change) = await RecordedRun.replay(stored, try RecordedRun.rules(Self.rules)) else {
            Issue.record("no change")
            return
        }
        #expect(change.was.words == "delivered")
        #expect(change.now.words == "rejected")
        #expect(change.now.reply == "550 5.7.1 refused for a.example (id ID1)")
        #expect(change.now.rule?.hasPrefix("\"dmarc\" (") == true)
        #expect(!change.isPartial)
    }

    /// Not the last one that matched, which does so before and after.
    @Test(arguments: [
        ("add header \"X-Mark\" \"1\"", "", "\"first\""), ("", "add header \"X-Mark\" \"1\"", "\"first\""), ("file into \"A\"", "", "\"first\""), ("", "quarantine \"x\"", "\"first\""),
    ])
    func theRuleThatMakesTheDifferenceIsNamed(_ before: String, _ after: String, _ rule: String) async throws {
        func rules(_ action: String) throws -> RuleSet {
            try RecordedRun.rules("stage message\n" + (action.isEmpty ? "" : "rule \"first\" then \(action)\n") + "rule \"last\" then add keyword \"$Seen\"\n")
        }
        guard case .changed(let change) = await RecordedRun.replay(await RecordedRun().record(try rules(before)), try rules(after)) else {
            Issue.record("no change")
            return
        }
        #expect(change.rule?.hasPrefix(rule) == true, "\(change.rule ?? "none")")
    }

    /// A bounce goes out whatever rules say.
    @Test func ourOwnNotificationsAreLeftAlone() async throws {
        var stored = await RecordedRun(sender: nil).record(.empty)
        stored.record.about = "ID0"
        #expect(await RecordedRun.replay(stored, try RecordedRun.rules("stage message rule \"r\" then reject")).isNotAsked)
    }

    /// What was refused at RCPT never showed its content.
    @Test func whatNeverCameIsSaidToBePartial() async throws {
        let stored = await (try #require(Self.messages["closed"])).record(try RecordedRun.rules(Self.rules))
        guard case .changed(let change) = await RecordedRun.replay(stored, .empty) else {
            Issue.record("no change")
            return
        }
        #expect(change.isPartial)
    }

    @Test func whatOthersRefusedIsLeftAlone() async throws {
        var stored = await RecordedRun().record(.empty)
        stored.record.verdict = .init(.rejected, reply: "550 5.1.1 unknown", stage: "message", filter: "inet:localhost:11332")
        #expect(await RecordedRun.replay(stored, try RecordedRun.rules(Self.rules)).isNotAsked)
    }

    /// Also after the way through the database.
    @Test func theRecordOnDiskIsEnough() async throws {
        let path = NSTemporaryDirectory() + "replay-\(UUID().uuidString).sqlite"
        defer { for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) } }
        var options = DecisionRecordStore.Options()
        options.now = { 1000 }
        let rules = try RecordedRun.rules(Self.rules), store = try DecisionRecordStore(path: path, options: options)
        for run in Self.messages.values {
            let stored = await run.record(rules)
            store.record(stored)
        }
        try store.flush()
        let archive = try DecisionArchive(path: path)
        var walk = archive.walk(since: 0)
        var count = 0
        while let page = try walk.next() {
            for stored in page {
                count += 1
                #expect(await RecordedRun.replay(stored, rules).isSame)
            }
        }
        #expect(count == Self.messages.count)
        store.close()
    }
}
