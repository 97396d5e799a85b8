import InternetMessage
import Milter
import NetworkAddress
import Synchronization
import Testing

/// Answers as told, and notes what it was asked.
struct Recorder: MailFilter {
    final class Notes: Sendable {
        private let state = Mutex<[String]>([])
        var all: [String] { state.withLock { $0 } }
        func add(_ text: String) { state.withLock { $0.append(text) } }
    }

    let name: String
    var stages: Set<MilterStage> = [.connect, .helo, .mail, .rcpt, .data, .endOfMessage]
    var answers: [MilterStage: FilterAnswer] = [:]
    var changes: [Modification] = []
    let notes: Notes

    func makeSession() -> any FilterSession { Session(filter: self) }

    struct Session: FilterSession {
        let filter: Recorder

        private func asked(_ stage: MilterStage) -> FilterAnswer {
            filter.notes.add("\(filter.name).\(stage)")
            return filter.answers[stage] ?? .continue
        }

        func connect(_ connection: ConnectionFacts) async -> FilterAnswer { asked(.connect) }
        func helo(_ name: String, _ connection: ConnectionFacts) async -> FilterAnswer { asked(.helo) }
        func mail(_ transaction: inout Transaction) async -> FilterAnswer { asked(.mail) }
        func rcpt(_ recipient: EnvelopeRecipient, _ transaction: inout Transaction) async -> FilterAnswer { asked(.rcpt) }
        func data(_ transaction: inout Transaction) async -> FilterAnswer { asked(.data) }
        func endOfMessage(_ transaction: inout Transaction) async -> FilterAnswer {
            filter.notes.add("\(filter.name) sees \(transaction.message.header.fields.map(\.name).joined(separator: ","))")
            for change in filter.changes { transaction.apply(change) }
            return asked(.endOfMessage)
        }
        func abort() async { filter.notes.add("\(filter.name).abort") }
        func close() async { filter.notes.add("\(filter.name).close") }
    }
}

func field(_ name: String, _ value: String) -> HeaderField { HeaderField(name: name, value: value) }

func transaction(_ fields: [HeaderField] = []) -> Transaction {
    Transaction(id: "t", connection: ConnectionFacts(listener: "smtp"), message: Message(header: MessageHeader(fields), body: MessageBody()))
}

@Suite struct FilterChainTests {
    let notes = Recorder.Notes()

    private func chain(_ first: Recorder, _ second: Recorder) -> FilterChainSession { FilterChain([first, second]).makeSession() }
    private func filter(_ name: String, _ answers: [MilterStage: FilterAnswer] = [:], changes: [Modification] = []) -> Recorder {
        Recorder(name: name, answers: answers, changes: changes, notes: notes)
    }

    @Test func filtersAreAskedInOrderAtEachStage() async {
        var chain = chain(filter("a"), filter("b"))
        var message = transaction()
        _ = await chain.connect(message.connection)
        _ = await chain.helo("h", message.connection)
        _ = await chain.mail(&message)
        #expect(notes.all == ["a.connect", "b.connect", "a.helo", "b.helo", "a.mail", "b.mail"])
    }

    @Test func theFirstNegativeAnswerEndsTheStageAndNamesItsFilter() async {
        var chain = chain(filter("a", [.mail: .reject]), filter("b"))
        var message = transaction()
        let verdict = await chain.mail(&message)
        #expect(verdict.answer == .reject && verdict.filter == "a")
        #expect(notes.all == ["a.mail"])
    }

    @Test(arguments: [FilterAnswer.reject, .tempfail, .discard])
    func everyNegativeAnswerPassesUnchanged(_ answer: FilterAnswer) async {
        var chain = chain(filter("a"), filter("b", [.endOfMessage: answer]))
        var message = transaction()
        #expect(await chain.endOfMessage(&message).answer == answer)
    }

    @Test func acceptEndsThatFilterForTheMessageAndNotTheChain() async {
        var chain = chain(filter("a", [.mail: .accept]), filter("b"))
        var message = transaction()
        let verdict = await chain.mail(&message)
        _ = await chain.data(&message)
        #expect(verdict.answer == .continue && verdict.filter == nil)
        #expect(notes.all == ["a.mail", "b.mail", "b.data"])
    }

    @Test func acceptHoldsForOneMessageOnly() async {
        var chain = chain(filter("a", [.data: .accept]), filter("b"))
        var message = transaction()
        _ = await chain.data(&message)
        _ = await chain.mail(&message)
        #expect(notes.all == ["a.data", "b.data", "a.mail", "b.mail"])
    }

    @Test func acceptAtConnectEndsThatFilterForTheConnection() async {
        var chain = chain(filter("a", [.connect: .accept]), filter("b"))
        var message = transaction()
        _ = await chain.connect(message.connection)
        _ = await chain.helo("h", message.connection)
        _ = await chain.mail(&message)
        _ = await chain.mail(&message)
        #expect(notes.all == ["a.connect", "b.connect", "b.helo", "b.mail", "b.mail"])
    }

    /// Postfix's milter8.c (MILTER8_STAT_REJECT_CON), and Sendmail: "reject all further commands except QUIT".
    @Test(arguments: [MilterStage.connect, .helo]) func aRefusalOfTheConnectionHolds(_ stage: MilterStage) async {
        let answer = FilterAnswer.reject(SMTPReply(550, "5.7.1", "not you"))
        var quiet = filter("a", [stage: answer])
        quiet.stages = [stage]
        var chain = chain(quiet, filter("b"))
        var message = transaction()
        if stage == .helo { _ = await chain.connect(message.connection) }
        #expect(!chain.isRefused)
        _ = stage == .connect ? await chain.connect(message.connection) : await chain.helo("h", message.connection)
        #expect(chain.isRefused)
        let asked = notes.all
        #expect(await chain.helo("other", message.connection).answer == answer)
        #expect(await chain.mail(&message).answer == answer)
        #expect(await chain.rcpt(EnvelopeRecipient(EmailAddress("r@example.net")!), &message).answer == answer)
        #expect(notes.all == asked, "nobody is asked again")
    }

    @Test func aDiscardAtConnectIsTheOwnersToKeep() async {
        var chain = chain(filter("a", [.connect: .discard]), filter("b"))
        #expect(await chain.connect(transaction().connection).answer == .discard)
        #expect(!chain.isRefused)
    }

    @Test func aFilterIsAskedOnlyAtItsStages() async {
        var quiet = filter("a")
        quiet.stages = [.rcpt]
        var chain = chain(quiet, filter("b"))
        var message = transaction()
        _ = await chain.mail(&message)
        _ = await chain.rcpt(EnvelopeRecipient(EmailAddress("r@example.net")!), &message)
        #expect(notes.all == ["b.mail", "a.rcpt", "b.rcpt"])
        #expect(FilterChain([quiet]).stages == [.rcpt])
    }

    @Test func aRefusedRecipientLeavesTheFilterInTheMessage() async {
        var chain = chain(filter("a", [.rcpt: .reject]), filter("b"))
        var message = transaction()
        let recipient = EnvelopeRecipient(EmailAddress("r@example.net")!)
        #expect(await chain.rcpt(recipient, &message).answer == .reject)
        #expect(await chain.rcpt(recipient, &message).answer == .reject)
        _ = await chain.data(&message)
        #expect(notes.all == ["a.rcpt", "a.rcpt", "a.data", "b.data"])
    }

    @Test func aLaterFilterSeesWhatAnEarlierOneChanged() async {
        var chain = chain(filter("a", changes: [.insertHeader(index: 0, field("X-A", "1"))]), filter("b"))
        var message = transaction([field("Subject", "s")])
        _ = await chain.endOfMessage(&message)
        #expect(notes.all == ["a sees Subject", "a.endOfMessage", "b sees X-A,Subject", "b.endOfMessage"])
    }

    @Test func abortAndCloseReachEveryFilter() async {
        let chain = chain(filter("a", [.mail: .accept]), filter("b"))
        await chain.abort()
        await chain.close()
        #expect(notes.all == ["a.abort", "b.abort", "a.close", "b.close"])
    }
}
