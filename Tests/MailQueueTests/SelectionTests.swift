import Foundation
import InternetMessage
@testable import MailQueue
import Testing

@Suite struct SelectionTests {
    let fixture = QueueFixture()

    /// a: alice to x and y, an hour old, put off; b: the null sender to x, held; c: carol to z.
    func queue() throws -> MailQueue {
        let queue = try fixture.open()
        func add(_ id: String, _ sender: String?, _ age: TimeInterval, _ recipients: [String]) throws {
            let arrival = QueueFixture.start - age
            let envelope = QueueEnvelope(id: id, arrival: arrival, sender: QueueSender(sender.flatMap { EmailAddress($0) }),
                                         recipients: try recipients.map { QueueRecipient(try #require(EmailAddress($0)), status: .fresh(at: arrival)) })
            try queue.enqueue(envelope, message: QueueFixture.message)
        }
        try add("a", "alice@us.test", 3600, ["bob@x.test", "Eve@Y.test"])
        try add("b", nil, 60, ["bob@x.test"])
        try add("c", "carol@us.test", 0, ["dan@z.test"])
        try queue.record("a", [0: .pending(PendingDelivery(nextAttempt: QueueFixture.start + 300, attempts: 1, lastNote: QueueFixture.note("4.2.1")))])
        try queue.hold("b", QueueHold(reason: "Odd", by: "operator", since: QueueFixture.start))
        return queue
    }

    static func make(_ change: (inout QueueSelection) -> Void) -> QueueSelection {
        var out = QueueSelection()
        change(&out)
        return out
    }

    @Test(arguments: [
        (make { _ in }, ["a", "b", "c"]),
        (make { $0.ids = ["b", "nobody"] }, ["b"]),
        (make { $0.sender = "ALICE@us.test" }, ["a"]),
        (make { $0.sender = "@us.test" }, ["a", "c"]),
        (make { $0.sender = "<>" }, ["b"]),
        (make { $0.recipient = "eve@y.test" }, ["a"]),
        (make { $0.recipient = "@x.test" }, ["a", "b"]),
        (make { $0.domain = "Y.TEST" }, ["a"]),
        (make { $0.domain = "nowhere.test" }, []),
        (make { $0.arrivedBefore = QueueFixture.start - 60 }, ["a"]),
        (make { $0.arrivedSince = QueueFixture.start - 60 }, ["b", "c"]),
        (make { $0.reason = "MX.example" }, ["a"]),
        (make { $0.reason = "odd" }, ["b"]),
        (make { $0.held = true }, ["b"]),
        (make { $0.held = false }, ["a", "c"]),
        (make { $0.domain = "x.test"; $0.held = false }, ["a"]),
    ])
    func whatASelectionMeans(_ selection: QueueSelection, _ expected: [String]) throws {
        let queue = try queue()
        #expect(try queue.candidates(selection).map(\.id).filter { try queue.matches($0, selection) } == expected)
    }

    @Test func aDeliveredRecipientsDomainIsNoReason() throws {
        let queue = try queue()
        try queue.record("a", [1: .delivered(QueueFixture.note())])
        #expect(queue.candidates(Self.make { $0.domain = "y.test" }).isEmpty)
    }

    @Test func statisticsByDomainAndAge() throws {
        let statistics = try queue().statistics(at: QueueFixture.start)
        #expect(statistics.messages == 3 && statistics.heldMessages == 1)
        #expect(statistics.destinations.map(\.domain) == ["x.test", "y.test", "z.test"])
        let x = try #require(statistics.destinations.first)
        #expect(x.waiting == 1 && x.held == 1)
        #expect(x.oldestArrival == QueueFixture.start - 3600)
        #expect(x.nextAttempt == QueueFixture.start + 300)
        // 60 minutes old: under 80, the fifth column; one minute old: the first.
        #expect(x.ages == [1, 0, 0, 0, 1, 0, 0, 0, 0, 0])
    }

    @Test func statisticsBySender() throws {
        let statistics = try queue().statistics(at: QueueFixture.start, bySender: true)
        #expect(statistics.destinations.map(\.domain) == ["alice@us.test", "", "carol@us.test"])
        #expect(statistics.destinations.map(\.waiting) == [2, 0, 1])
    }

    /// What memory leaves out must be nothing that the file would have taken.
    @Test func memoryKnowsOfCopiesThatStayAndOfMailings() throws {
        let queue = try queue()
        var envelope = try QueueFixture.envelope("d", recipients: ["bob@Here.test"])
        envelope.sender = QueueSender(EmailAddress("List-Bounces+bob=here.test@us.test"))
        envelope.recipients[0].destination = .local(LocalDestination(account: "bob"))
        try queue.enqueue(envelope, message: QueueFixture.message)
        for selection in [Self.make { $0.recipient = "BOB@here.test" }, Self.make { $0.sender = "list-bounces+bob=here.test@US.test" }] {
            #expect(queue.candidates(selection).map(\.id) == ["d"])
            #expect(try queue.matches("d", selection))
        }
        // The same one in turns, another one to people.
        let other = Self.make { $0.sender = "list@us.test" }
        #expect(try queue.candidates(other).allSatisfy { try !queue.matches($0.id, other) })
    }

    @Test func namesAreForgottenWithTheirLastMessage() throws {
        let queue = try queue()
        for id in ["a", "b", "c"] { try queue.remove(id) }
        let counts = queue.index.withLock { ($0.domains.count, $0.senders.count) }
        #expect(counts == (0, 0))
        #expect(queue.statistics(at: QueueFixture.start).destinations.isEmpty)
    }

    @Test func aMailingIsOneSender() throws {
        func flow(_ text: String?) -> String { QueueIndex.flow(of: QueueSender(text.flatMap { EmailAddress($0) })) }
        #expect(flow("list-bounces+bob=example.net@us.test") == flow("list-bounces+eve=example.com@US.test"))
        #expect(flow("alice@us.test") != flow("carol@us.test"))
        #expect(flow(nil) == "")
        #expect(flow("+x@us.test") == "+x@us.test")
    }

    @Test func whatAnotherProcessPutThereIsTakenIn() throws {
        let server = try queue()
        let other = try fixture.open()
        try other.enqueue(QueueFixture.envelope("late"), message: QueueFixture.message)
        #expect(try server.adopt() == ["late"])
        #expect(server.entry("late")?.pendingRecipients == 1)
        #expect(try server.adopt() == [])
    }

    @Test func aRowTellsWhy() throws {
        let queue = try queue()
        #expect(QueueRow(try queue.load("a")).reason == "mx.example.net said: 250 4.2.1 ok")
        #expect(QueueRow(try queue.load("b")).reason == "held by operator: Odd")
        #expect(QueueRow(try queue.load("b")).nextAttempt == nil)
        #expect(QueueRow(try queue.load("c")).reason == "not tried yet")
    }
}
