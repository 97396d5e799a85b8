import Accounts
import BlockingPool
import Delivery
import InternetMessage
import Logging
import MailFilters
import MailQueue
import Milter
import NetworkAddress
import Policy
import Synchronization
import Testing
@testable import PosternDaemon

/// Answers and changes by stage, and remembers what it was asked.
private final class Script: MailFilter, FilterSession {
    let name: String
    let stages = Set(MilterStage.allCases)
    private let answers: [MilterStage: FilterAnswer]
    private let changes: [Modification]
    private let heard = Mutex<[String]>([])
    var log: [String] { heard.withLock { $0 } }

    init(_ name: String = "script", _ answers: [MilterStage: FilterAnswer] = [:], changes: [Modification] = []) {
        self.name = name
        self.answers = answers
        self.changes = changes
    }

    func makeSession() -> any FilterSession { self }

    private func say(_ stage: MilterStage, _ what: String) -> FilterAnswer {
        heard.withLock { $0.append("\(stage) \(what)") }
        return answers[stage] ?? .continue
    }

    func connect(_ connection: ConnectionFacts) async -> FilterAnswer { say(.connect, "\(connection.listener) \(connection.isOriginating)") }
    func helo(_ name: String, _ connection: ConnectionFacts) async -> FilterAnswer { say(.helo, name) }
    func mail(_ transaction: inout Transaction) async -> FilterAnswer { say(.mail, "<\(transaction.sender.address?.description ?? "")>") }
    func rcpt(_ recipient: EnvelopeRecipient, _ transaction: inout Transaction) async -> FilterAnswer { say(.rcpt, "\(recipient.address)") }
    func data(_ transaction: inout Transaction) async -> FilterAnswer { say(.data, "\(transaction.recipients.count)") }
    func endOfMessage(_ transaction: inout Transaction) async -> FilterAnswer {
        let answer = say(.endOfMessage, transaction.message.header.first("Subject")?.value ?? "")
        if !answer.isNegative { for change in changes { transaction.apply(change) } }
        return answer
    }
    func abort() async { heard.withLock { $0.append("abort") } }
    func close() async { heard.withLock { $0.append("close") } }
}

private struct OneFile: PolicyFileReader {
    let text: String
    init(_ text: String) { self.text = text }
    func policyFiles(in folder: String) -> [String] { [] }
    func read(_ path: String, limit: Int) -> [UInt8] { Array(text.utf8) }
}

@Suite struct LocalMailTests {
    private static let field = HeaderField(name: "X-Seen", value: "yes")
    private static let refusals: [FilterAnswer] = [.reject, .tempfail, .discard]

    private func address(_ text: String) throws -> EmailAddress { try #require(EmailAddress(text)) }

    private func mail(_ recipients: String...) throws -> Transaction {
        Transaction(id: "n1", connection: ConnectionFacts(listener: ""), recipients: try recipients.map { EnvelopeRecipient(try address($0)) },
                    message: Message(parsing: Array("Subject: report\r\n\r\nbody\r\n".utf8)))
    }

    private func local(_ filters: [any MailFilter]) -> LocalMail { LocalMail(chain: { FilterChain(filters) }, pool: BlockingPool(threads: 1)) }

    @Test func everyStageInOrder() async throws {
        let script = Script(changes: [.addHeader(Self.field)])
        guard case .passed(let transaction) = await local([script]).filter(try mail("a@home.example", "b@home.example")) else { return #expect(Bool(false)) }
        #expect(script.log == ["connect local true", "helo localhost", "mail <>", "rcpt a@home.example", "rcpt b@home.example", "data 2", "endOfMessage report", "close"])
        #expect(transaction.message.header.first("X-Seen")?.value == "yes")
        #expect(transaction.recipients.count == 2)
    }

    @Test(arguments: [MilterStage.connect, .helo, .mail, .rcpt, .data, .endOfMessage], refusals)
    func aRefusalAtAnyStageRefusesTheMessage(_ stage: MilterStage, _ answer: FilterAnswer) async throws {
        let (script, after) = (Script("first", [stage: answer]), Script("second"))
        guard case .refused(answer, by: "first") = await local([script, after]).filter(try mail("a@home.example")) else { return #expect(Bool(false)) }
        #expect(!after.log.contains { $0.hasPrefix("\(stage)") })
        #expect(script.log.suffix(2) == ["abort", "close"])
    }

    // MARK: Notifications

    private func pass(_ filters: [any MailFilter], to recipient: RoutedRecipient? = nil, mayWait: Bool = true, judged: JudgedNotices? = nil) async throws -> Submission {
        let folder = try TemporaryFolder()
        let accounts = try AccountStore(path: folder.path + "/a.sqlite", pool: BlockingPool(threads: 1))
        try accounts.add("alice@home.example", password: "correct horse")
        var settings = Settings()
        settings[Known.mydestination] = ["home.example"].compactMap { DomainName($0) }
        let book = AddressBook(settings, accounts: accounts)
        let filter = NoticeFilter(local: local(filters), book: { book }, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, judged: judged)
        let recipient = try recipient ?? RoutedRecipient(address("alice@home.example"), notify: [], destination: .local(LocalDestination(account: "alice@home.example")))
        let message = Message(parsing: Array("Subject: report\r\n\r\nbody\r\n".utf8))
        return try await filter.pass(Submission(id: "n1", sender: QueueSender(nil), recipients: [recipient], message: message), mayWait: mayWait)
    }

    /// Whatever a filter says, the notification goes out, and the filters behind it have their say.
    @Test(arguments: [MilterStage.connect, .helo, .mail, .rcpt, .data, .endOfMessage], refusals)
    func noFilterMakesANotificationVanish(_ stage: MilterStage, _ answer: FilterAnswer) async throws {
        let (script, signer) = (Script("first", [stage: answer]), Script("second", changes: [.addHeader(Self.field)]))
        let notice = try await pass([script, signer], mayWait: false)
        #expect(notice.message.header.first("X-Seen")?.value == "yes")
        #expect(notice.recipients.map(\.address.description) == ["alice@home.example"])
        // It has said its word; nothing behind that stage is asked of it.
        #expect(script.log.last { !["abort", "close"].contains($0) }?.hasPrefix("\(stage)") == true)
    }

    @Test(arguments: [MilterStage.connect, .helo, .mail, .rcpt, .data, .endOfMessage]) func itWaitsWhileItMay(_ stage: MilterStage) async throws {
        await #expect(throws: NoticeFilter.Waits.self) { try await pass([Script("first", [stage: .tempfail])]) }
    }

    @Test func changesAreMade() async throws {
        let notice = try await pass([Script(changes: [
            .addHeader(Self.field), .replaceBody(MessageBody(Array("other\r\n".utf8))), .addRecipient(EnvelopeRecipient(try address("x@away.example"))),
            .addRecipient(EnvelopeRecipient(try address("alice+bounces@home.example"))), .changeSender(EnvelopeSender(try address("evil@away.example"))),
        ])])
        #expect(try notice.message.body.bytes() == Array("other\r\n".utf8))
        #expect(notice.recipients.map(\.address.description) == ["alice@home.example", "x@away.example", "alice+bounces@home.example"])
        #expect(notice.recipients.map { $0.destination == .remote } == [false, true, false])
        // A notification that fails tells nobody, whoever it was sent to and as whose.
        #expect(notice.recipients.allSatisfy { $0.notify == [] })
        #expect(notice.sender.address == nil)
    }

    @Test func withoutRecipientsItKeepsThoseItHad() async throws {
        #expect(try await pass([Script(changes: [.removeRecipient(try address("alice@home.example"))])]).recipients.count == 1)
    }

    /// A mistyped archive of ours is told to the log, and the notification goes where it went.
    @Test func anAddressOfOursThatNobodyHasIsLeftOut() async throws {
        let notice = try await pass([Script(changes: [.addRecipient(EnvelopeRecipient(try address("archve@home.example")))])])
        #expect(notice.recipients.map(\.address.description) == ["alice@home.example"])
        let led = Script(changes: [.removeRecipient(try address("alice@home.example")), .addRecipient(EnvelopeRecipient(try address("archve@home.example")))])
        #expect(try await pass([led]).recipients.map(\.address.description) == ["alice@home.example"])
    }

    /// Its record tells which rules matched, as any message's does.
    @Test func theRulesThatMatchedAreKnownToItsRecord() async throws {
        let rules = try RuleSet.load(files: ["r.policy"], reader: OneFile("""
            stage connect rule "no name" when client.name == missing and listener != local then reject
            stage helo rule "made here" when listener == local and helo == "localhost" and client.own then accept
            stage message rule "bounces" when sender == missing then file into "Bounces"
            """))
        let filter = NotedPolicyFilter(PolicyFilter(rules: rules, delimiters: "+", logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        let judged = JudgedNotices()
        let notice = try await pass([filter], judged: judged)
        guard case .local(let place)? = notice.recipients.first?.destination else { return #expect(Bool(false)) }
        #expect(place.folder == "Bounces")
        let one = try #require(judged.take(notice.id))
        let record = RecordMaker.make(TransactionEnd(received: one.made, transaction: one.transaction, outcome: .accepted(SMTPReply(250, "2.0.0", "Ok"))), at: 0).record
        #expect(record.rules.map(\.rule) == ["made here", "bounces"])
        #expect(judged.take(notice.id) == nil, "once")
    }

    @Test func noticesThatWereNeverSentAreForgotten() throws {
        let judged = JudgedNotices(capacity: 2)
        for id in ["a", "b", "c"] {
            let mail = Transaction(id: id, connection: LocalMail.connection)
            judged.note(.init(made: mail, transaction: mail))
        }
        #expect(["a", "b", "c"].map { judged.take($0) != nil } == [false, true, true])
    }

    @Test func whatIsHeldLiesInQuarantineHereAndLeavesElsewhere() async throws {
        let held = Script(changes: [.quarantine("odd")])
        guard case .local(let place)? = try await pass([held]).recipients.first?.destination else { return #expect(Bool(false)) }
        #expect(place.folder == DeliverySink.quarantineFolder)
        let remote = RoutedRecipient(try address("x@away.example"), notify: [], destination: .remote)
        #expect(try await pass([held], to: remote).recipients == [remote])
    }
}
