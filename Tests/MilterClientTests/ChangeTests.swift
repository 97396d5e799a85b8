import InternetMessage
import Milter
import Testing
@testable import MilterClient

/// What comes before the answer at the end of the message.
@Suite struct ChangeTests {
    /// The message after a milter made its changes to ``Bench/text``.
    private func changed(_ changes: [Reaction], flags: UInt32 = 0, answer: Reaction = .say("c"), text: String = Bench.text) async throws -> (FilterAnswer, Transaction) {
        try await ScriptedMilter.with(ScriptedMilter.script(.negotiate(flags: flags), ["E": changes + [answer]])) { await Bench($0).message(text) }
    }

    private func header(_ changes: [Reaction], flags: UInt32 = 0) async throws -> [String] {
        let (answer, transaction) = try await changed(changes, flags: flags)
        #expect(answer == .continue)
        return transaction.message.header.fields.map(\.description)
    }

    private static let ours = "Received: from ours", theirs = "Received: from theirs", subject = "Subject: one\r\n folded", one = "Dup: 1", two = "Dup: 2"

    @Test func addedAtTheEnd() async throws {
        #expect(try await header([.say("h", "X-A", "1"), .say("h", "X-B", "2\n more")]) == [Self.ours, Self.theirs, Self.subject, Self.one, Self.two, "X-A: 1", "X-B: 2\r\n more"])
    }

    /// Places count as the message is delivered: 0 above our Received field, 1 below it.
    @Test(arguments: [(0, 0), (1, 1), (2, 2), (3, 3), (5, 5), (99, 5)]) func inserted(_ index: Int, _ place: Int) async throws {
        let fields = try await header([.say("i", index: UInt32(index), "X-A", "1")])
        #expect(fields.firstIndex(of: "X-A: 1") == place)
        #expect(fields.filter { $0 != "X-A: 1" } == [Self.ours, Self.theirs, Self.subject, Self.one, Self.two])
    }

    @Test func insertedOneAboveTheOther() async throws {
        #expect(try await header([.say("i", index: 0, "X-A", "1"), .say("i", index: 0, "X-B", "2")]).prefix(3) == ["X-B: 2", "X-A: 1", Self.ours])
    }

    @Test func theRightOneOfSeveral() async throws {
        #expect(try await header([.say("m", index: 2, "dup", "two")]) == [Self.ours, Self.theirs, Self.subject, Self.one, "dup: two"])
        #expect(try await header([.say("m", index: 1, "Dup", "")]) == [Self.ours, Self.theirs, Self.subject, Self.two])
        // 0 stands for 1.
        #expect(try await header([.say("m", index: 0, "Dup", "")]) == [Self.ours, Self.theirs, Self.subject, Self.two])
        // After a removal the others move up.
        #expect(try await header([.say("m", index: 1, "Dup", ""), .say("m", index: 1, "Dup", "")]) == [Self.ours, Self.theirs, Self.subject])
        // One that is not there is added, or there is nothing to remove.
        #expect(try await header([.say("m", index: 3, "Dup", "3"), .say("m", index: 9, "Dup", "")]).last == "Dup: 3")
    }

    @Test func ourReceivedFieldIsNotCounted() async throws {
        #expect(try await header([.say("m", index: 1, "Received", "changed")]) == [Self.ours, "Received: changed", Self.subject, Self.one, Self.two])
        #expect(try await header([.say("m", index: 1, "Received", ""), .say("m", index: 1, "Received", "")]) == [Self.ours, Self.subject, Self.one, Self.two])
    }

    /// A filter of ours may have put a field above it.
    @Test func ourReceivedFieldNeedNotBeOnTop() async throws {
        try await ScriptedMilter.with(ScriptedMilter.script()) { milter in
            _ = await Bench(milter).message("Authentication-Results: a; none\r\nReceived: ours\r\nReceived: theirs\r\n\r\n")
            #expect(milter.packets.filter { $0.code == "L" }.map(\.texts) == [["Authentication-Results", "a; none"], ["Received", "theirs"]])
        }
    }

    @Test func leadingSpace() async throws {
        #expect(try await header([.say("h", "X-A", " 1")]).last == "X-A:  1")
        #expect(try await header([.say("h", "X-A", " 1"), .say("h", "X-B", "2")], flags: 0x100000).suffix(2) == ["X-A: 1", "X-B:2"])
    }

    @Test func aValueCannotBringASecondField() async throws {
        #expect(try await header([.say("h", "X-A", "1\r\nBcc: all@home.example\n\n body")]).count == 6)
    }

    @Test func envelope() async throws {
        let (_, transaction) = try await changed([
            .say("+", "<new@home.example>"), .say("2", "par@home.example", "NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;x@a.example"), .say("-", "<r@home.example>"),
            .say("e", "<other@a.example>", "SIZE=5 BODY=7BIT"),
        ])
        #expect(transaction.recipients.map(\.address.description) == ["new@home.example", "par@home.example"])
        #expect(transaction.recipients.last?.parameters == ["NOTIFY": "SUCCESS,FAILURE", "ORCPT": "rfc822;x@a.example"])
        #expect(transaction.sender == EnvelopeSender(Bench.address("other@a.example"), parameters: ["SIZE": "5", "BODY": "7BIT"]))
    }

    @Test(arguments: ["<>", ""]) func theNullSender(_ text: String) async throws {
        #expect(try await changed([.say("e", text)]).1.sender == EnvelopeSender(nil))
    }

    @Test func bodyInPieces() async throws {
        let (_, transaction) = try await changed([.say("b", Array("new \r".utf8)), .say("h", "X-A", "1"), .say("b", Array("\nbody\nend".utf8))])
        #expect(String(decoding: try transaction.message.body.bytes(), as: UTF8.self) == "new \r\nbody\r\nend")
        #expect(transaction.message.header.first("X-A") != nil)
    }

    @Test func emptyBody() async throws {
        #expect(try await changed([.say("b", [])]).1.message.body.count == 0)
    }

    @Test func quarantine() async throws {
        #expect(try await changed([.say("q", "looks odd")], answer: .say("a")).1.quarantineReason == "looks odd")
    }

    @Test(arguments: ["c", "a"] as [Character]) func acceptedWithChanges(_ last: Character) async throws {
        #expect(try await changed([.say("h", "X-A", "1")], answer: .say(last)).1.message.header.first("X-A") != nil)
    }

    @Test func refusedWithChanges() async throws {
        let (answer, transaction) = try await changed([.say("h", "X-A", "1")], answer: .say("r"))
        #expect(answer == .reject)
        #expect(transaction.modifications.isEmpty)
    }

    /// Faster than we take them: nothing is lost and nothing grows without bound.
    @Test func manyAtOnce() async throws {
        let value = String(repeating: "v", count: 2_000)
        let burst = (0..<3_000).flatMap { Reaction.packet("h", Array("X-\($0)\0\(value)\0".utf8)) }
        let (answer, transaction) = try await changed([.raw(burst)])
        #expect(answer == .continue)
        #expect(transaction.message.header.fields.dropFirst(5).map(\.name) == (0..<3_000).map { "X-\($0)" })
    }

    @Test func byteByByte() async throws {
        let octets = Reaction.packet("h", Array("X-A\u{0}1\u{0}".utf8)) + Reaction.packet("p") + Reaction.packet("+", Array("n@home.example\u{0}".utf8)) + Reaction.packet("c")
        let (answer, transaction) = try await changed([.drip(octets)], answer: .drip([]))
        #expect(answer == .continue)
        #expect(transaction.modifications.count == 2)
    }
}
