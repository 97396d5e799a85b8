import Testing
@testable import IMAPServer

/// CONDSTORE and QRESYNC (RFC 7162) over a real socket.
@Suite(.serialized) struct ModSequenceTests {
    /// The number behind a word: `HIGHESTMODSEQ 17`, `MODSEQ (17)`.
    static func number(_ word: String, _ answers: [String]) throws -> UInt64 {
        let line = try #require(answers.first { $0.contains(word) })
        let behind = line[try #require(line.range(of: word)).upperBound...].drop { !$0.isNumber }
        return try #require(UInt64(behind.prefix { $0.isNumber }))
    }

    @Test func conditionalStore() async throws {
        try await TestServer.with { server in
            for _ in 0..<3 { try server.deliver() }
            let client = try server.client()
            let other = try server.client(selecting: "INBOX")
            let highest = try Self.number("HIGHESTMODSEQ", client.run("SELECT INBOX (CONDSTORE)"))
            // Somebody else changes message 2 (§3.1.3's case).
            try other.run("STORE 2 +FLAGS (\\Flagged)")
            let answers = try client.run("STORE 1:3 (UNCHANGEDSINCE \(highest)) +FLAGS.SILENT (\\Seen)")
            #expect(answers.last?.hasPrefix("OK [MODIFIED 2]") == true)
            // Also the silent form tells the new mod-sequences.
            #expect(answers.filter { $0.contains("MODSEQ (") }.count == 3)
            #expect(try client.run("FETCH 1:3 (FLAGS)").map { $0.contains("\\Seen") } == [true, false, true, false])
            let after = try Self.number("MODSEQ", client.run("FETCH 1 (MODSEQ)"))
            #expect(after > highest)
            #expect(try client.run("FETCH 1:* (FLAGS) (CHANGEDSINCE \(highest))").count == 4)
            #expect(try client.run("FETCH 1:* (FLAGS) (CHANGEDSINCE \(after))") == ["OK done"])
            #expect(try client.run("SEARCH MODSEQ \(after)").first == "* SEARCH 1 3 (MODSEQ \(after))")
            #expect(try client.run("SEARCH RETURN (MIN) MODSEQ \(after)").first?.hasSuffix("MIN 1 MODSEQ \(after)") == true)
            #expect(try Self.number("HIGHESTMODSEQ", client.run("STATUS INBOX (HIGHESTMODSEQ)")) == after)
            // Zero: only what never had a number, which is nothing.
            #expect(try client.run("STORE 1 (UNCHANGEDSINCE 0) FLAGS (\\Seen)").last?.hasPrefix("OK [MODIFIED 1]") == true)
        }
    }

    @Test func vanishedTellsWhatWent() async throws {
        try await TestServer.with { server in
            for _ in 0..<5 { try server.deliver() }
            let client = try server.client()
            let other = try server.client(selecting: "INBOX")
            #expect(try client.run("SELECT INBOX (QRESYNC (1 1))").last?.hasPrefix("BAD") == true)
            #expect(try client.run("ENABLE QRESYNC").first == "* ENABLED QRESYNC")
            let selected = try client.run("SELECT INBOX")
            let validity = try Self.number("UIDVALIDITY", selected), highest = try Self.number("HIGHESTMODSEQ", selected)
            try other.run("STORE 2,4 +FLAGS (\\Deleted)")
            try other.run("EXPUNGE")
            let answers = try client.run("NOOP")
            #expect(answers.contains("* VANISHED 2,4") && !answers.contains { $0.contains("EXPUNGE") })
            try other.run("STORE 1 +FLAGS (\\Seen)")
            try client.run("UNSELECT")
            let again = try client.run("SELECT INBOX (QRESYNC (\(validity) \(highest) 1:5))")
            #expect(again.contains("* VANISHED (EARLIER) 2,4"))
            #expect(again.contains { $0.hasPrefix("* 1 FETCH (UID 1 FLAGS (\\Seen") && $0.contains("MODSEQ (") })
            #expect(!again.contains { $0.hasPrefix("* 2 FETCH") })
            #expect(try client.run("UID FETCH 1:3 (FLAGS) (CHANGEDSINCE \(highest) VANISHED)").first == "* VANISHED (EARLIER) 2")
            // Another UIDVALIDITY: the client's knowledge is worth nothing.
            #expect(try !(client.run("SELECT INBOX (QRESYNC (\(validity + 1) \(highest)))").contains { $0.contains("VANISHED") }))
            // RFC 7162 §3.2.11, §3.2.9.
            #expect(try client.run("SELECT INBOX").first?.hasPrefix("* OK [CLOSED]") == true)
            try client.run("STORE 1 +FLAGS (\\Deleted)")
            let expunged = try client.run("EXPUNGE")
            #expect(expunged.first == "* VANISHED 1" && expunged.last?.hasPrefix("OK [HIGHESTMODSEQ ") == true)
        }
    }

    /// A mod-sequence from long ago: every gap may have been a message.
    @Test func gaps() {
        #expect(UIDGaps.between([2, 3, 7], within: [1...10], below: 9)?.description == "1:1,4:6,8:8" || UIDGaps.between([2, 3, 7], within: [1...10], below: 9)?.description == "1,4:6,8")
        #expect(UIDGaps.between([1, 2], within: [1...2], below: 3) == nil)
        #expect(UIDGaps.between([5], within: [2...3, 5...5, 8...9], below: 9)?.description == "2:3,8")
    }

    @Test func aChangeBackIsTold() async throws {
        try await TestServer.with { server in
            try server.deliver()
            let client = try server.client(selecting: "INBOX"), other = try server.client(selecting: "INBOX")
            try client.run("FETCH 1 MODSEQ")
            try other.run("STORE 1 +FLAGS (\\Flagged)")
            try other.run("STORE 1 -FLAGS (\\Flagged)")
            #expect(try client.run("NOOP").first?.contains("MODSEQ (") == true)
        }
    }
}
