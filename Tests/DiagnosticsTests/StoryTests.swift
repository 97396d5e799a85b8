import DecisionRecords
@testable import Diagnostics
import Foundation
import Testing

/// What `postern explain` says.
@Suite struct StoryTests {
    private static func record() -> DecisionRecord {
        var record = DecisionRecord(
            id: "2KX", time: 1_700_000_000_000,
            client: .init(listener: "smtp", address: "192.0.2.7", name: "mx.shop.example", tls: .init(version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", bits: 256), helo: "mx.shop.example"),
            envelope: .init(sender: "news@shop.example", recipients: [
                .init("alice+shop@home.example"), .init("bob@remote.example"), .init("eve@home.example", refusal: "550 5.1.1 no such user")]),
            verdict: .init(.accepted, reply: "250 2.0.0 Ok: queued as 2KX"))
        record.messageID = "1@shop.example"
        record.size = 4096
        record.results.spf = [.init(verdict: "pass", identity: "mailfrom", domain: "shop.example", reason: "", match: "ip4:192.0.2.7 in the record of shop.example", record: "v=spf1 ip4:192.0.2.7 -all")]
        record.results.dkim = [.init(verdict: "pass", reason: "", domain: "shop.example", selector: "s1", algorithm: "rsa-sha256", identity: nil, coversWholeBody: true,
                                     signsFrom: true, isTesting: false, keyBits: 2048, keyRecord: "v=DKIM1; p=AAAA")]
        record.results.dmarc = .init(verdict: "pass", from: "shop.example", reason: "", policy: .init(
            domain: "shop.example", record: "v=DMARC1; p=reject", tag: "p", published: "reject", applied: "reject"))
        record.results.tags = [.init(recipient: "alice+shop@home.example", status: "leaked", base: "alice@home.example", detail: "shop", owners: ["first.example"],
                                     offender: "shop.example", explanation: "it belongs to first.example, and shop.example used it")]
        record.rules = [.init(rule: "leaked tag", file: "/p/default.policy", line: 2, stage: "message", saw: [.init("tag.status", "leaked"), .init("account", nil)])]
        record.keywords = ["$Leaked"]
        record.copies = [.init(recipient: "alice+shop@home.example", file: "/mail/alice/Maildir/new/1"), .init(recipient: "bob@remote.example", queueID: "2KX")]
        return record
    }

    private static let policy = "stage message\nrule \"leaked tag\" when tag.status == leaked\n  then add keyword \"$Leaked\"\n\nrule \"other\" then accept\n"

    private static func lines(_ record: DecisionRecord, _ deliveries: [DeliveryRecord] = [], policy: String? = policy) -> [String] {
        Story(record, deliveries: deliveries, source: RuleSource { _ in policy }).lines
    }

    private static let waiting = DeliveryRecord(queueID: "2KX", recipient: "bob@remote.example", outcome: .deferred, time: 1_700_000_100_000, attempts: 3, status: "4.3.0",
                                                text: "451 4.3.0 busy", host: "mx.remote.example")

    @Test func aWholeStory() {
        #expect(Self.lines(Self.record(), [Self.waiting]) == [
            "2KX (Message-ID <1@shop.example>), Tue, 14 Nov 2023 22:13:20 +0000, 4096 octets",
            "It came from 192.0.2.7 (mx.shop.example), calling itself mx.shop.example, by SMTP over TLSv1.3 (TLS_AES_256_GCM_SHA384).",
            "The sender was <news@shop.example>; it was for <alice+shop@home.example> and <bob@remote.example>.",
            "<eve@home.example> was refused by the server: 550 5.1.1 no such user",
            "SPF of shop.example allows 192.0.2.7 by ip4:192.0.2.7 in the record of shop.example.\n    record: v=spf1 ip4:192.0.2.7 -all",
            "It was signed by shop.example (selector s1, rsa-sha256), and the signature is good.\n    key: v=DKIM1; p=AAAA",
            "DMARC passed: shop.example really sent it; the owner asks to refuse what fails.\n    record of shop.example: v=DMARC1; p=reject",
            "The tag \"shop\" of alice@home.example was used by somebody it was not given to: it belongs to first.example, and shop.example used it",
            "The rule \"leaked tag\" matched, since tag.status was leaked and account was missing.",
            "    /p/default.policy:2: rule \"leaked tag\" when tag.status == leaked then add keyword \"$Leaked\"",
            "The message was accepted, with the keyword $Leaked. It was told: 250 2.0.0 Ok: queued as 2KX",
            "The copy for <alice+shop@home.example> was stored as /mail/alice/Maildir/new/1.",
            "The copy for <bob@remote.example> waits in the queue as 2KX after 3 attempts; at Tue, 14 Nov 2023 22:15:00 +0000 mx.remote.example said: 451 4.3.0 busy",
        ])
    }

    @Test func aRefusalNamesWhoAndWhere() {
        var record = Self.record()
        record.copies = []
        record.verdict = .init(.rejected, reply: "550 5.7.1 no (id 2KX)", stage: "message", filter: "policy")
        #expect(Self.lines(record).last == "The message was refused for good by the rules at the end of the message. It was told: 550 5.7.1 no (id 2KX)")
        record.verdict = .init(.deferred, reply: "451 4.7.1 later", stage: "data", filter: "inet:localhost:11332")
        #expect(Self.lines(record).last == "The message was refused for now by the filter inet:localhost:11332 at DATA. It was told: 451 4.7.1 later")
        record.verdict = .init(.abandoned)
        #expect(Self.lines(record).last == "The message was given up by the client before its end.")
    }

    @Test func mailMadeHereHasNoClient() {
        var record = Self.record()
        record.client = .init(listener: "local", isOwn: true, helo: "localhost")
        record.verdict = .init(.accepted, reply: "250 2.0.0 Ok: queued as 2KX")
        #expect(Self.lines(record)[1] == "It was handed in on this machine, by sendmail, so nothing was checked.")
        #expect(Self.lines(record)[2].hasPrefix("The sender was <news@shop.example>"))
        #expect(Self.lines(record).contains("The message was accepted, with the keyword $Leaked."))
        record.verdict = .init(.rejected, reply: "550 5.7.1 no", stage: "message", filter: "policy")
        record.copies = []
        #expect(Self.lines(record).last == "The message was refused for good by the rules at the end of the message. The reason: 550 5.7.1 no")
    }

    /// What a stranger says cannot make a line of its own or move the cursor.
    @Test func strangersWordsStayInTheirLine() {
        var record = Self.record()
        record.client.helo = "a\n\u{1B}[2Jb"
        record.messageID = "x\r\ny"
        record.verdict.reply = "250 \u{7}ok"
        for line in Self.lines(record) where !line.contains("\n    ") { #expect(!line.unicodeScalars.contains { $0.value < 32 || $0.value == 127 }, "\(line)") }
    }

    @Test(arguments: [
        (nil as String?, "(the file cannot be read now)"),
        ("stage message\n\n\nrule \"leaked tag\" then accept\n", "(now in line 4, perhaps changed) rule \"leaked tag\" then accept"),
        ("stage message\nrule \"another\" then accept\n", "(the rule is not there any more)"),
    ])
    func aRuleThatIsNotWhereItWas(_ text: String?, _ says: String) {
        let lines = Self.lines(Self.record(), policy: text)
        #expect(lines.contains("    /p/default.policy:2: " + says))
    }

    @Test func everyVerdictHasWords() {
        for verdict in ["pass", "fail", "softfail", "neutral", "none", "temperror", "permerror"] {
            let text = VerdictWords.spf(.init(verdict: verdict, identity: "mailfrom", domain: "d.example", reason: ""), client: "c")
            #expect(!text.contains(": \(verdict)"), "\(text)")
        }
        for status in ["new", "match", "leaked", "unverified", "guessed", "blocked", "revoked"] where status != "blocked" && status != "revoked" {
            #expect(VerdictWords.tag(status) != "is \(status)")
        }
    }
}
