import InternetMessage
import Milter
import NetworkAddress
import Policy
import Synchronization
import Testing
@testable import MailFilters

/// Look-ups and changed recipients, from connection to end of message.
@Suite struct PolicySessionTests {
    /// Answers by the question's text and remembers what was asked.
    private final class Answers: PolicySource {
        private let table: [String: PolicyAnswer]
        private let questions = Mutex<[String]>([])
        init(_ table: [String: PolicyAnswer] = [:]) { self.table = table }
        var asked: [String] { questions.withLock { $0 } }
        func answer(_ query: PolicyQuery, about message: Message) async -> PolicyAnswer {
            questions.withLock { $0.append(query.text) }
            return table[query.text] ?? .missing
        }
    }

    private let house = PolicyHouse(delimiters: "+") { $0.domainName?.text == "home.example" }

    /// Every stage, as a server drives them; recipients whose RCPT is refused are left out.
    private func drive(_ text: String, _ source: Answers = Answers(), sender: String = "ann@far.example", account: String? = nil,
                       to recipients: [String] = ["bob@home.example"]) async throws -> (FilterAnswer, Transaction) {
        let filter = PolicyFilter(rules: try rules(text), house: house, source: source, logger: quiet)
        var session = FilterChain([filter]).makeSession()
        var facts = ConnectionFacts(clientAddress: IPAddress("192.0.2.1"), listener: "smtp")
        facts.authenticatedUser = account
        _ = await session.connect(facts)
        _ = await session.helo("h.example", facts)
        var message = Transaction(id: "t", connection: facts, helo: "h.example", sender: EnvelopeSender(EmailAddress(sender)))
        let mail = await session.mail(&message)
        guard !mail.answer.isNegative else { return (mail.answer, message) }
        for recipient in recipients.compactMap({ EmailAddress($0) }).map({ EnvelopeRecipient($0, parameters: ["NOTIFY": "FAILURE"]) }) {
            if await !session.rcpt(recipient, &message).answer.isNegative { message.recipients.append(recipient) }
        }
        message.receive(Message(parsing: Array("From: \(sender)\r\nSubject: x\r\n\r\nhello\r\n".utf8)))
        return (await session.endOfMessage(&message).answer, message)
    }

    private func recipients(_ message: Transaction) -> [String] { message.recipients.map(\.address.description) }

    @Test func aRecipientTakesAnothersPlace() async throws {
        let (_, message) = try await drive("stage rcpt rule \"r\" when recipient == \"old@home.example\" then change recipient to \"new@home.example\"",
                                           to: ["old@home.example", "bob@home.example"])
        #expect(recipients(message) == ["bob@home.example", "new@home.example"])
        // Notices go where they would have gone, and the change is in the log that a milter's MTA is told.
        #expect(message.recipients.last?.parameters["NOTIFY"] == "FAILURE" && message.recipients.last?.original.description == "old@home.example")
        #expect(message.modifications.count == 2)
    }

    @Test func aCopyIsSilentAndMadeOnce() async throws {
        let (_, message) = try await drive("stage rcpt rule \"r\" then copy to \"log@home.example\"", to: ["a@home.example", "b@home.example"])
        #expect(recipients(message) == ["a@home.example", "b@home.example", "log@home.example"])
        #expect(message.recipients.last?.parameters == ["NOTIFY": "NEVER"])
        let (_, same) = try await drive("stage rcpt rule \"r\" then copy to \"A@home.example\"", to: ["a@home.example"])
        #expect(same.modifications.isEmpty)
    }

    @Test func aRefusedRecipientHasNoEffect() async throws {
        let text = "stage rcpt rule \"c\" then copy to \"log@home.example\" rule \"r\" when recipient == \"no@home.example\" then reject"
        #expect(try await recipients(drive(text, to: ["no@home.example"]).1) == [])
    }

    @Test func redirectTakesAll() async throws {
        let (_, message) = try await drive("stage message rule \"r\" then redirect to \"all@home.example\"", to: ["a@home.example", "b@home.example"])
        #expect(recipients(message) == ["all@home.example"])
        let (_, stays) = try await drive("stage message rule \"r\" then redirect to \"b@home.example\"", to: ["a@home.example", "b@home.example"])
        #expect(recipients(stays) == ["b@home.example"])
    }

    /// Rules of stage `message` see the recipients as they are by then.
    @Test func theMessageStageSeesChangedRecipients() async throws {
        let text = "stage rcpt rule \"r\" then change recipient to \"new@home.example\" stage message rule \"m\" when recipients contains \"new@home.example\" then discard"
        #expect(try await drive(text).0 == .discard)
    }

    private let lists = "dnsbl \"spam\" { \"bl.example\" } "

    /// What the connection cost is kept with each of its messages, and is not asked again.
    @Test func lookupsOfTheConnectionComeAlong() async throws {
        let source = Answers(["dnsbl \"spam\" 192.0.2.1": PolicyAnswer(.number(1), remarks: ["bl.example 127.0.0.2"])])
        let (_, message) = try await drive(lists + "stage connect rule \"c\" when dnsbl[\"spam\"] > 1 then reject stage message rule \"m\" when dnsbl[\"spam\"] == 1 then discard", source)
        #expect(source.asked == ["dnsbl \"spam\" 192.0.2.1"])
        #expect(message[PolicyLookupsKey.self]?.answers["dnsbl \"spam\" 192.0.2.1"]?.remarks == ["bl.example 127.0.0.2"])
        #expect(message[PolicyTraceKey.self]?.map(\.rule) == ["c", "m"])
    }

    @Test func eachRecipientIsAnEvent() async throws {
        let source = Answers()
        _ = try await drive("stage rcpt rule \"r\" then limit rate(client.ip, 1h) to 5", source, to: ["a@home.example", "b@home.example", "a@home.example"])
        #expect(source.asked == ["rate rcpt client.ip=192.0.2.1 3600s for a@home.example", "rate rcpt client.ip=192.0.2.1 3600s for b@home.example"])
    }

    @Test func ownAddresses() async throws {
        let text = "stage mail rule \"s\" when sender.own then reject stage message rule \"f\" when from.own then discard"
        #expect(try await drive(text, sender: "bob@home.example").0.isNegative)
        #expect(try await drive(text).0 == .continue)
        #expect(try await drive(text, sender: "bob@home.example", account: "bob").0 == .continue)
        #expect(try await drive("stage message rule \"f\" when from.own then discard", sender: "bob@home.example").0 == .discard)
    }

    @Test func domainsThatMixScripts() async throws {
        let text = "stage message rule \"c\" when from.confusable then discard"
        #expect(try await drive(text, sender: "service@p\u{430}ypal.example").0 == .discard)
        #expect(try await drive(text, sender: "service@b\u{fc}cher.example").0 == .continue)
        #expect(try await drive(text).0 == .continue)
    }

    @Test func ciphers() async throws {
        let filter = PolicyFilter(rules: try rules("stage connect rule \"c\" when tls.cipher matches \"*CBC*\" then reject"), house: house, logger: quiet)
        var facts = ConnectionFacts(listener: "smtps")
        #expect(await filter.makeSession().connect(facts) == .continue)
        facts.tls = TLSFacts(version: "TLSv1.2", cipher: "AES128-CBC-SHA", cipherBits: 128)
        #expect(await filter.makeSession().connect(facts).isNegative)
    }
}
