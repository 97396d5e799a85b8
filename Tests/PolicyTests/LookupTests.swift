import Foundation
import InternetMessage
import NetworkAddress
@testable import Policy
import Synchronization
import Testing

/// Names that are looked up: when they are asked for, and what rules make of the answers.
@Suite struct LookupTests {
    private let lists = "dnsbl \"spam\" { \"zen.example\" weight 3 for 127.0.0.2..127.0.0.11, 127.0.1.0/24 \"bl.example\" \"white.example\" weight -2 }\n"

    private func facts(_ values: [PolicyFact: PolicyValue] = [:]) throws -> LiteralFacts {
        let client = try #require(IPAddress("192.0.2.1")), sender = try address("ann@far.example"), recipient = try address("Bob@home.example")
        return LiteralFacts(values: [
            .clientIP: .ip(client), .clientOwn: .flag(false), .sender: .address(sender), .senderDomain: .domain(try domain("far.example")),
            .recipient: .address(recipient), .fromDomain: .domain(try domain("from.example")),
        ].merging(values) { $1 })
    }

    /// Runs a stage, answering from the table; what was asked, in order.
    private func run(_ text: String, _ stage: PolicyStage, _ facts: LiteralFacts, _ answers: [String: PolicyAnswer]) async throws -> (PolicyOutcome, [String]) {
        let source = AnswerTable(answers)
        var lookups = PolicyLookups()
        let outcome = try await load(text).evaluate(stage, facts, &lookups, from: source)
        return (outcome, source.asked)
    }

    @Test func nothingIsAskedBeforeARuleNeedsIt() async throws {
        let text = lists + "stage connect rule \"own\" when client.own then accept rule \"listed\" when dnsbl[\"spam\"] >= 3 then reject"
        #expect(try await run(text, .connect, facts([.clientOwn: .flag(true)]), [:]).1 == [])
        let (outcome, asked) = try await run(text, .connect, facts(), ["dnsbl \"spam\" 192.0.2.1": PolicyAnswer(.number(3))])
        #expect(asked == ["dnsbl \"spam\" 192.0.2.1"])
        #expect(outcome.decision?.replyCode == 550)
        #expect(outcome.trace.last?.seen.map(\.description) == ["dnsbl[\"spam\"] = 3"])
    }

    @Test func eachQuestionOnce() async throws {
        let text = lists + "stage connect rule \"a\" when dnsbl[\"spam\"] >= 9 then reject rule \"b\" when dnsbl[\"spam\"] >= 5 then reject rule \"c\" when dnsbl[\"spam\"] in [2] then accept"
        let (outcome, asked) = try await run(text, .connect, facts(), ["dnsbl \"spam\" 192.0.2.1": PolicyAnswer(.number(2))])
        #expect(asked.count == 1 && outcome.decision == .accept && outcome.trace.map(\.rule) == ["a", "b", "c"])
    }

    @Test func listsAreDeclaredWithWeightsAndAnswers() throws {
        let set = try #require(try blocklist(in: lists + "stage connect rule \"r\" when dnsbl[\"spam\"] > 0 then reject"))
        #expect(set.lists.map(\.zone.text) == ["zen.example", "bl.example", "white.example"])
        #expect(set.lists.map(\.weight) == [3, 1, -2])
        #expect(set.lists[0].answers == [0x7f00_0002...0x7f00_000b, 0x7f00_0100...0x7f00_01ff] && set.lists[1].answers.isEmpty)
    }

    private func blocklist(in text: String) throws -> BlocklistSet? {
        var run = try load(text).run(.connect)
        guard case .needs(.blocklist(let set, _)) = run.advance(try facts(), PolicyLookups()) else { return nil }
        return set
    }

    @Test func domainLists() async throws {
        let text = lists + "stage message rule \"r\" when dnsbl[\"spam\", from.domain] > 0 then reject"
        #expect(try await run(text, .message, facts(), [:]).1 == ["dnsbl \"spam\" from.example"])
    }

    /// What nobody answered, and what has nothing to ask about, holds in no positive comparison.
    @Test func missingAnswers() async throws {
        let text = lists + "stage connect rule \"r\" when dnsbl[\"spam\"] >= 0 or dnsbl[\"spam\"] < 9 then reject rule \"m\" when dnsbl[\"spam\"] == missing then accept"
        #expect(try await run(text, .connect, facts(), [:]).0.decision == .accept)
        var nobody = try facts()
        nobody.values[.clientIP] = nil
        let (outcome, asked) = try await run(text, .connect, nobody, [:])
        #expect(asked == [] && outcome.decision == .accept)
    }

    @Test func ratesAreOfTheirStageAndOccasion() async throws {
        let rule = "rule \"r\" when rate(client.ip, sender.domain, 10m) > 5 then tempfail"
        #expect(try await run("stage mail " + rule, .mail, facts(), [:]).1 == ["rate mail client.ip=192.0.2.1 sender.domain=far.example 600s"])
        #expect(try await run("stage rcpt " + rule, .rcpt, facts(), [:]).1 == ["rate rcpt client.ip=192.0.2.1 sender.domain=far.example 600s for bob@home.example"])
        let six = try facts([.clientIP: .ip(try #require(IPAddress("2001:db8:1:2:3::4")))])
        #expect(try await run("stage mail rule \"r\" when rate(client.ip, 1h) > 5 then tempfail", .mail, six, [:]).1 == ["rate mail client.ip=2001:db8:1:2::/64 3600s"])
        #expect(try await run("stage mail rule \"r\" when rate(account, 1h) > 5 then tempfail", .mail, facts(), [:]).1 == [], "nobody logged in")
    }

    @Test func limit() async throws {
        let text = "stage mail rule \"l\" then limit rate(client.ip, 1h) to 2, accept", query = "rate mail client.ip=192.0.2.1 3600s"
        #expect(try await run(text, .mail, facts(), [query: PolicyAnswer(.number(2))]).0.decision == .accept)
        #expect(try await run(text, .mail, facts(), [query: PolicyAnswer(.number(3))]).0.decision?.replyCode == 450)
        #expect(try await run(text, .mail, facts(), [:]).0.decision == .accept)
    }

    @Test func greylist() async throws {
        let text = "stage rcpt rule \"g\" then greylist delay 2m retry 1d keep 10d trust 3 rule \"next\" then accept"
        let query = "greylist 192.0.2.0/24 from <ann@far.example> to <bob@home.example>"
        let (waiting, asked) = try await run(text, .rcpt, facts(), [query: PolicyAnswer(.number(120))])
        #expect(asked == [query])
        #expect(waiting.decision == .tempfail(SMTPReply(451, "4.7.1", "greylisted, try again in 120 seconds")))
        #expect(try await run(text, .rcpt, facts(), [query: PolicyAnswer(.number(0))]).0.decision == .accept)
        #expect(try await run(text, .rcpt, facts(), [:]).0.decision == .accept, "nobody can be asked")
        for own in [[PolicyFact.account: PolicyValue.text("ann")], [.clientOwn: .flag(true)]] {
            #expect(try await run(text, .rcpt, facts(own), [query: PolicyAnswer(.number(120))]).1 == [])
        }
    }

    @Test func greylistTerms() throws {
        var run = try load("stage rcpt rule \"g\" then greylist delay 2m trust 0").run(.rcpt)
        guard case .needs(.greylist(let attempt)) = run.advance(try facts(), PolicyLookups()) else { throw Missing() }
        #expect(attempt.terms.delay == 120 && attempt.terms.trustAfter == 0 && attempt.terms.retryWithin == 2 * 86_400 && attempt.terms.keep == 35 * 86_400)
    }

    private struct Missing: Error {}

    @Test func whereASenderTakesMail() async throws {
        let text = "stage mail rule \"r\" when sender.mx in [null, none] then reject"
        #expect(try await run(text, .mail, facts(), ["mx far.example": PolicyAnswer(.word("none"))]).0.decision?.replyCode == 550)
        #expect(try await run(text, .mail, facts(), ["mx far.example": PolicyAnswer(.word("mx"))]).0.decision == nil)
        #expect(try await run(text, .mail, facts(), ["mx far.example": PolicyAnswer(nil)]).0.decision == nil, "the DNS did not answer")
        var bounce = try facts()
        (bounce.values[.sender], bounce.values[.senderDomain]) = (nil, nil)
        #expect(try await run(text, .mail, bounce, [:]).1 == [])
    }

    @Test func whoMayWriteAsWhom() async throws {
        let text = "stage mail rule \"r\" when sender.allowed == false then reject", query = "account ann as ann@far.example"
        #expect(try await run(text, .mail, facts([.account: .text("ann")]), [query: PolicyAnswer(.flag(false))]).0.decision?.replyCode == 550)
        #expect(try await run(text, .mail, facts([.account: .text("ann")]), [query: PolicyAnswer(.flag(true))]).0.decision == nil)
        #expect(try await run(text, .mail, facts(), [:]).1 == [])
    }

    @Test func attachmentsAndAge() async throws {
        let listing = AttachmentListing(names: ["a.pdf", "run/Setup.EXE"], types: ["text/plain", "application/zip"], isEncrypted: true)
        let answers = ["attachments": PolicyAnswer(.attachments(listing)), "message.age": PolicyAnswer(.number(-7200))]
        func holds(_ condition: String) async throws -> Bool {
            try await run("stage message rule \"r\" when \(condition) then accept", .message, facts(), answers).0.decision == .accept
        }
        #expect(try await holds("attachments.name matches [\"*.exe\", \"*.scr\"]"))
        #expect(try await !holds("attachments.name contains [\"setup.exe\"]"))
        #expect(try await holds("attachments.type contains \"application/zip\" and attachments.encrypted and not attachments.unreadable"))
        #expect(try await holds("message.age < -1h"))
        #expect(try await !holds("message.age > 5m"))
        #expect(try await holds("message.age >= -120m and message.age <= -120m"))
    }

    /// Values that were given beforehand are not asked for.
    @Test func givenValues() throws {
        var given = try facts([.senderMX: .word("none"), .messageAge: .number(9)])
        given.named = ["dnsbl[\"spam\"]": .number(4), "rate(client.ip, 1h)": .number(11)]
        let rules = try load(lists + "stage message rule \"r\" when dnsbl[\"spam\"] == 4 and rate(client.ip, 1h) > 10 and sender.mx == none and message.age < 10s then accept")
        #expect(rules.evaluate(.message, given).decision == .accept)
        #expect(rules.evaluate(.message, LiteralFacts()).decision == nil)
    }

    /// A record is enough to judge again: nothing else is asked.
    @Test func recordsAnswerAgain() async throws {
        let text = lists + "stage connect rule \"r\" when dnsbl[\"spam\"] >= 3 then reject"
        var lookups = PolicyLookups()
        let rules = try load(text)
        let first = await rules.evaluate(.connect, try facts(), &lookups, from: AnswerTable(["dnsbl \"spam\" 192.0.2.1": PolicyAnswer(.number(3), remarks: ["zen.example 127.0.0.2"])]))
        let kept = try JSONDecoder().decode(PolicyLookups.self, from: JSONEncoder().encode(lookups))
        #expect(kept == lookups)
        var again = PolicyLookups()
        #expect(await rules.evaluate(.connect, try facts(), &again, from: RecordedPolicySource(kept)) == first)
    }
}

/// Answers from a table, and remembers the questions.
final class AnswerTable: PolicySource {
    private let answers: [String: PolicyAnswer]
    private let questions = Mutex<[String]>([])
    init(_ answers: [String: PolicyAnswer]) { self.answers = answers }
    var asked: [String] { questions.withLock { $0 } }

    func answer(_ query: PolicyQuery, about message: Message) async -> PolicyAnswer {
        questions.withLock { $0.append(query.text) }
        return answers[query.text] ?? .missing
    }
}

extension PolicyDecision {
    /// The reply's code, where there is a reply.
    var replyCode: Int? {
        switch self {
        case .accept, .discard: nil
        case .reject(let reply), .tempfail(let reply): reply.code
        }
    }
}
