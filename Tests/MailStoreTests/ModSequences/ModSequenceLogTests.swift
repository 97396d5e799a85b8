import Testing
@testable import MailStore

@Suite struct ModSequenceLogTests {
    private func log(_ lines: [String]) throws -> ModSequenceLog {
        try #require(ModSequenceLog(parsing: Array((["postern-modseq 1 5"] + lines).map { $0 + "\n" }.joined().utf8)))
    }

    @Test func theLastLineForAUIDCounts() throws {
        let log = try log(["1 10 S", "3 10 -", "2 11 FSa", "1 12 T", "3 13 !", "4 14 !", "4 15 -"])
        #expect(log.entries.map(\.uid) == [1, 2, 4])
        #expect(log.entries.map(\.modSequence) == [12, 11, 15])
        #expect(log.entries.map(\.flags) == [[.deleted], [.flagged, .seen], []])
        #expect(log.entries.map(\.keywords) == [0, 1, 0])
        #expect(log.vanished == [3: 13, 4: 14])
        #expect(log.lines == 7 && log.highest == 15)
    }

    @Test func whatIsNoLineCountsForNothing() throws {
        let log = try log(["1 10 S", "", "2", "2 11", "2 11 ", "x 11 S", "99999999999 11 S", "3 x S", "4 12 -"])
        #expect(log.entries.map(\.uid) == [1, 4])
        #expect(ModSequenceLog(parsing: Array("postern-modseq 1 5\n1 10 S".utf8)) == nil)
        #expect(ModSequenceLog(parsing: Array("postern-modseq 2 5\n".utf8)) == nil)
    }

    /// Messages that the log knows, knows otherwise, and does not know, and what is gone before, between and after them.
    @Test func aLogIsTakenUpWhereItWasLeft() throws {
        let log = try log(["1 10 -", "2 10 S", "4 11 -", "5 12 S", "9 13 -"])
        var messages = MessageList([StoredMessage(uid: 2, flags: [.seen], base: "b"), StoredMessage(uid: 3, base: "c"), StoredMessage(uid: 5, base: "e")]), output = ModSequenceLines()
        let taken = ModSequences(log, messages: &messages, now: 20, output: &output)
        #expect(messages.map(\.modSequence) == [10, 20, 20])
        #expect(taken.vanished.map(\.uid) == [1, 4, 9])
        #expect(taken.highest == 20)
        #expect(String(decoding: output.octets, as: UTF8.self) == "3 20 -\n5 20 -\n1 20 !\n4 20 !\n9 20 !\n")
    }
}
