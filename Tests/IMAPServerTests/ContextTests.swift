import MailStore
import Testing
@testable import IMAPServer

/// Contexts (RFC 5267); sections are those of that RFC unless said otherwise.
@Suite(.serialized) struct ContextTests {
    private func updates(_ answers: [String]) -> [String] { answers.filter { $0.hasPrefix("* ESEARCH") } }

    private func fill(_ server: TestServer, _ count: Int) throws {
        for number in 1...count { try server.deliver("Subject: \(number)\r\n\r\nx\r\n") }
    }

    /// Runs a command under a tag of the test's own.
    private func run(_ client: TestClient, _ tag: String, _ command: String) throws -> [String] {
        try client.send("\(tag) \(command)\r\n")
        return try client.answers(tag)
    }

    /// §4.1: what is announced, with what it needs.
    @Test func announced() async throws {
        try await TestServer.with { server in
            let names = try server.client().run("CAPABILITY")[0].split(separator: " ")
            for name in ["CONTEXT=SEARCH", "CONTEXT=SORT", "ESORT", "SORT", "ESEARCH"] { #expect(names.contains(Substring(name))) }
        }
    }

    /// §4.3, §4.3.3: ADDTO and REMOVEFROM for flags that others set, behind the FETCH (RFC 5465 §5.1); COUNT is not told again.
    @Test func flagsOfOthers() async throws {
        try await TestServer.with { server in
            try fill(server, 4)
            let client = try server.client(selecting: "INBOX"), other = try server.client(selecting: "INBOX")
            #expect(try run(client, "B01", "UID SEARCH RETURN (UPDATE COUNT) DELETED").first == "* ESEARCH (TAG \"B01\") UID COUNT 0")
            try other.run("STORE 2:3 +FLAGS.SILENT (\\Deleted)")
            let answers = try client.run("NOOP")
            #expect(updates(answers) == ["* ESEARCH (TAG \"B01\") UID ADDTO (0 2:3)"])
            let told = try #require(answers.firstIndex(of: "* ESEARCH (TAG \"B01\") UID ADDTO (0 2:3)")), fetch = try #require(answers.lastIndex { $0.contains("FETCH") })
            #expect(fetch < told)
            try other.run("STORE 3 -FLAGS.SILENT (\\Deleted)")
            try other.run("STORE 4 +FLAGS.SILENT (\\Deleted)")
            #expect(updates(try client.run("NOOP")) == ["* ESEARCH (TAG \"B01\") UID REMOVEFROM (0 3) ADDTO (0 4)"])
            // What does not change the result is not told.
            try other.run("STORE 1:4 +FLAGS.SILENT (\\Flagged)")
            #expect(updates(try client.run("NOOP")) == [])
        }
    }

    /// §4.3: the client's own changes as well, also those that no FETCH tells of.
    @Test func ownChanges() async throws {
        try await TestServer.with { server in
            try fill(server, 3)
            let client = try server.client(selecting: "INBOX")
            _ = try run(client, "U", "SEARCH RETURN (UPDATE) SEEN")
            #expect(updates(try client.run("STORE 1 +FLAGS (\\Seen)")) == ["* ESEARCH (TAG \"U\") ADDTO (0 1)"])
            #expect(updates(try client.run("STORE 1,2 FLAGS.SILENT (\\Seen)")) == ["* ESEARCH (TAG \"U\") ADDTO (0 2)"])
            #expect(updates(try client.run("FETCH 3 BODY[TEXT]")) == ["* ESEARCH (TAG \"U\") ADDTO (0 3)"])
            #expect(updates(try client.run("STORE 1:3 -FLAGS.SILENT (\\Seen)")) == ["* ESEARCH (TAG \"U\") REMOVEFROM (0 1:3)"])
        }
    }

    /// §4.3.3: sequence numbers of new messages come behind the EXISTS that makes them valid.
    @Test func arrivals() async throws {
        try await TestServer.with { server in
            try fill(server, 2)
            let client = try server.client(selecting: "INBOX")
            #expect(updates(try run(client, "U", "SEARCH RETURN (UPDATE ALL) SUBJECT 2")) == ["* ESEARCH (TAG \"U\") ALL 2"])
            try server.deliver("Subject: 12\r\n\r\nx\r\n")
            try server.deliver("Subject: other\r\n\r\nx\r\n")
            let answers = try client.run("FETCH 1 UID")
            #expect(updates(answers) == ["* ESEARCH (TAG \"U\") ADDTO (0 3)"])
            #expect(try #require(answers.firstIndex(of: "* 4 EXISTS")) < #require(answers.firstIndex { $0.hasPrefix("* ESEARCH") }))
            try client.send("a APPEND INBOX {14+}\r\nSubject: 22\r\n\r\n\r\n")
            #expect(updates(try client.answers("a")) == ["* ESEARCH (TAG \"U\") ADDTO (0 5)"])
        }
    }

    /// §4.3.4: REMOVEFROM before EXPUNGE, with the numbers of before; after it the new numbers count. Appendix A.3: the
    /// REMOVEFROM does not wait for a command that allows EXPUNGE, and comes once.
    @Test(arguments: ["", "ENABLE QRESYNC"]) func removals(_ enabling: String) async throws {
        try await TestServer.with { server in
            try fill(server, 5)
            let client = try server.client(), other = try server.client(selecting: "INBOX")
            if !enabling.isEmpty { try client.run(enabling) }
            try client.run("SELECT INBOX")
            _ = try run(client, "S", "SEARCH RETURN (UPDATE) NOT SUBJECT 5")
            _ = try run(client, "I", "UID SEARCH RETURN (UPDATE) SUBJECT 4")
            try other.run("STORE 2,4 +FLAGS.SILENT (\\Deleted)")
            try other.run("EXPUNGE")
            #expect(updates(try client.run("FETCH 1 UID")) == ["* ESEARCH (TAG \"S\") REMOVEFROM (0 2,4)", "* ESEARCH (TAG \"I\") UID REMOVEFROM (0 4)"])
            #expect(updates(try client.run("STORE 5 +FLAGS (\\Seen)")) == [])
            let noop = try client.run("NOOP")
            #expect(updates(noop) == [] && noop.contains(enabling.isEmpty ? "* 4 EXPUNGE" : "* VANISHED 2,4"))
            // Of 1, 3 and 5 there are 1, 2 and 3 now.
            try client.run("STORE 2 +FLAGS.SILENT (\\Deleted)")
            let expunged = try client.run("EXPUNGE")
            let told = try #require(expunged.firstIndex(of: "* ESEARCH (TAG \"S\") REMOVEFROM (0 2)"))
            #expect(told < (try #require(expunged.firstIndex(of: enabling.isEmpty ? "* 2 EXPUNGE" : "* VANISHED 3"))))
            try server.deliver("Subject: 6\r\n\r\nx\r\n")
            #expect(updates(try client.run("NOOP")) == ["* ESEARCH (TAG \"S\") ADDTO (0 3)"])
        }
    }

    /// §4.3.2, §4.3.3: in a SORT the positions say where, so that the order stays the requested one.
    @Test func sorted() async throws {
        try await TestServer.with { server in
            for subject in ["m", "c", "x"] { try server.deliver("Subject: \(subject)\r\n\r\nx\r\n") }
            let client = try server.client(selecting: "INBOX"), other = try server.client(selecting: "INBOX")
            #expect(updates(try run(client, "C", "UID SORT RETURN (UPDATE ALL) (SUBJECT) UTF-8 UNDELETED")) == ["* ESEARCH (TAG \"C\") UID ALL 2,1,3"])
            for subject in ["b", "d", "a", "z", "m"] { try server.deliver("Subject: \(subject)\r\n\r\nx\r\n") }
            // a b | c | d | m m | x | z
            #expect(updates(try client.run("NOOP")) == ["* ESEARCH (TAG \"C\") UID ADDTO (1 6,4 4 5 6 8 8 7)"])
            try other.run("NOOP")
            try other.run("UID STORE 6,4,1,8 +FLAGS.SILENT (\\Deleted)")
            #expect(updates(try client.run("NOOP")) == ["* ESEARCH (TAG \"C\") UID REMOVEFROM (5 1,8 1 6,4)"])
            // c d x z
            try other.run("UID STORE 1 -FLAGS.SILENT (\\Deleted)")
            try other.run("UID STORE 7 +FLAGS.SILENT (\\Deleted)")
            #expect(updates(try client.run("NOOP")) == ["* ESEARCH (TAG \"C\") UID REMOVEFROM (4 7) ADDTO (3 1)"])
            try other.run("EXPUNGE")
            let quiet = try client.run("NOOP")
            #expect(updates(quiet) == [] && quiet.contains("* 4 EXPUNGE"))
            try other.run("UID STORE 5 +FLAGS.SILENT (\\Deleted)")
            try other.run("EXPUNGE")
            #expect(updates(try client.run("UID FETCH 2 UID")) == ["* ESEARCH (TAG \"C\") UID REMOVEFROM (2 5)"])
        }
    }

    /// §4.3: BAD for a tag that has a context, and no effect; §4.3.5: CANCELUPDATE ends it.
    @Test func tagsAndCancelling() async throws {
        try await TestServer.with { server in
            try fill(server, 2)
            let client = try server.client(selecting: "INBOX")
            _ = try run(client, "B01", "UID SEARCH RETURN (UPDATE COUNT) DELETED")
            #expect(try run(client, "B01", "SORT RETURN (UPDATE) (DATE) UTF-8 FLAGGED").map { $0.prefix(3) } == ["BAD"])
            #expect(try run(client, "B01", "SEARCH RETURN (COUNT) ALL").first == "* ESEARCH (TAG \"B01\") COUNT 2")
            #expect(updates(try client.run("STORE 1 +FLAGS (\\Deleted \\Flagged)")) == ["* ESEARCH (TAG \"B01\") UID ADDTO (0 1)"])
            #expect(try run(client, "B04", "CANCELUPDATE \"B01\"").last?.hasPrefix("OK") == true)
            #expect(updates(try client.run("STORE 2 +FLAGS (\\Deleted)")) == [])
            #expect(try client.run("CANCELUPDATE \"B01\"").last?.hasPrefix("BAD") == true)
            #expect(updates(try run(client, "B01", "SEARCH RETURN (UPDATE COUNT) FLAGGED")) == ["* ESEARCH (TAG \"B01\") COUNT 1"])
            #expect(updates(try client.run("STORE 2 +FLAGS (\\Flagged)")) == ["* ESEARCH (TAG \"B01\") ADDTO (0 2)"])
        }
    }

    /// §4.3.1: an untagged NO in the command that is one too many, whose other options are honoured.
    @Test func refusals() async throws {
        try await TestServer.with { server in
            try fill(server, 1)
            let client = try server.client(selecting: "INBOX")
            for number in 1...SearchContexts.limit { #expect(try run(client, "c\(number)", "SEARCH RETURN (UPDATE) SEEN").count == 2) }
            let refused = try run(client, "B02", "UID SORT RETURN (UPDATE COUNT) (DATE) UTF-8 ALL")
            #expect(refused[0] == "* ESEARCH (TAG \"B02\") UID COUNT 1" && refused[1].hasPrefix("* NO [NOUPDATE \"B02\"] ") && refused[2].hasPrefix("OK"))
            #expect(updates(try client.run("STORE 1 +FLAGS (\\Seen)")).count == SearchContexts.limit)
            try client.run("CANCELUPDATE \"c1\" \"c2\"")
            #expect(try run(client, "B03", "SEARCH RETURN (UPDATE) SEEN").count == 2)
        }
    }

    /// §4.3.1 and §6: what would cost too much is not followed any further; what needs no reading is no cost.
    @Test func workIsBounded() async throws {
        try await TestServer.with({ $0.contextReadLimit = 3 }) { server in
            try fill(server, 6)
            let client = try server.client(selecting: "INBOX"), other = try server.client(selecting: "INBOX")
            _ = try run(client, "S", "UID SORT RETURN (UPDATE) (SUBJECT) UTF-8 UNSEEN")
            _ = try run(client, "H", "UID SEARCH RETURN (UPDATE) SUBJECT 1 SEEN")
            _ = try run(client, "F", "UID SEARCH RETURN (UPDATE) SEEN")
            try other.run("STORE 1:3 +FLAGS.SILENT (\\Seen)")
            #expect(updates(try client.run("NOOP")) == [
                "* ESEARCH (TAG \"S\") UID REMOVEFROM (1 1:3)", "* ESEARCH (TAG \"H\") UID ADDTO (0 1)", "* ESEARCH (TAG \"F\") UID ADDTO (0 1:3)",
            ])
            try other.run("STORE 1:6 +FLAGS.SILENT (\\Seen \\Answered)")
            let answers = try client.run("NOOP")
            #expect(updates(answers) == ["* ESEARCH (TAG \"S\") UID REMOVEFROM (1 4:6)", "* ESEARCH (TAG \"F\") UID ADDTO (0 4:6)"])
            #expect(answers.contains { $0.hasPrefix("* NO [NOUPDATE \"H\"] ") })
            try other.run("STORE 1:6 -FLAGS.SILENT (\\Seen)")
            let last = try client.run("NOOP")
            #expect(updates(last) == ["* ESEARCH (TAG \"F\") UID REMOVEFROM (0 1:6)"] && last.contains { $0.hasPrefix("* NO [NOUPDATE \"S\"] ") })
        }
    }

    /// §4.3: updates cease when the mailbox is no longer selected.
    @Test(arguments: ["CLOSE", "UNSELECT", "SELECT Sent", "SELECT Nowhere", "EXAMINE INBOX"]) func theyEndWithTheSelection(_ command: String) async throws {
        try await TestServer.with { server in
            try fill(server, 2)
            let client = try server.client(selecting: "INBOX"), other = try server.client(selecting: "INBOX")
            _ = try run(client, "U", "SEARCH RETURN (UPDATE) FLAGGED")
            try client.run(command)
            try client.run("SELECT INBOX")
            try other.run("STORE 1 +FLAGS (\\Flagged)")
            #expect(updates(try client.run("NOOP")) == [])
            #expect(try client.run("CANCELUPDATE \"U\"").last?.hasPrefix("BAD") == true)
        }
    }

    /// §4.3.2: also in IDLE.
    @Test func inIdle() async throws {
        try await TestServer.with { server in
            try fill(server, 2)
            let client = try server.client(selecting: "INBOX"), other = try server.client(selecting: "INBOX")
            _ = try run(client, "U", "SEARCH RETURN (UPDATE (UID)) UNSEEN")
            try client.send("i IDLE\r\n")
            #expect(try client.response().hasPrefix("+ "))
            try other.run("STORE 1 +FLAGS (\\Seen)")
            #expect(try client.response().hasPrefix("* 1 FETCH"))
            #expect(try client.response() == "* ESEARCH (TAG \"U\") REMOVEFROM (0 1)")
            try server.deliver()
            #expect(try client.response() == "* 3 EXISTS")
            #expect(try client.response().hasPrefix("* 3 RECENT"))
            #expect(try client.response() == "* ESEARCH (TAG \"U\") ADDTO (0 3)")
            #expect(try client.response() == "* 3 FETCH (UID 3)")
            try other.run("STORE 2 +FLAGS.SILENT (\\Deleted)")
            #expect(try client.response().hasPrefix("* 2 FETCH"))
            try other.run("EXPUNGE")
            #expect(try client.response() == "* ESEARCH (TAG \"U\") REMOVEFROM (0 2)")
            #expect(try client.response() == "* 2 EXPUNGE")
            try client.send("DONE\r\n")
            _ = try client.answers("i")
        }
    }

    /// RFC 5465 §5 and §7: between commands; one FETCH with what NOTIFY and UPDATE asked for, none for messages that match by
    /// their flags, nor for the client's own.
    @Test func withNotify() async throws {
        try await TestServer.with { server in
            try fill(server, 1)
            let client = try server.client(selecting: "INBOX"), other = try server.client(selecting: "INBOX")
            _ = try run(client, "a00", "SEARCH RETURN (COUNT UPDATE (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])) OR FLAGGED SUBJECT boss")
            try client.run("NOTIFY SET (selected (MessageNew (UID RFC822.SIZE) MessageExpunge FlagChange))")
            try server.deliver("Subject: boss\r\n\r\nx\r\n")
            #expect(try client.response() == "* 2 EXISTS")
            #expect(try client.response().hasPrefix("* 2 RECENT"))
            #expect(try client.response() == "* ESEARCH (TAG \"a00\") ADDTO (0 2)")
            #expect(try client.response() == "* 2 FETCH (UID 2 RFC822.SIZE 20 BODY[HEADER.FIELDS (SUBJECT)] {17}\r\nSubject: boss\r\n\r\n)")
            try other.run("STORE 1 +FLAGS (\\Flagged)")
            #expect(try client.response().hasPrefix("* 1 FETCH (UID 1 FLAGS"))
            #expect(try client.response() == "* ESEARCH (TAG \"a00\") ADDTO (0 1)")
            try client.send("o APPEND INBOX {16+}\r\nSubject: boss\r\n\r\n\r\n")
            #expect(updates(try client.answers("o")) == ["* ESEARCH (TAG \"a00\") ADDTO (0 3)"])
            #expect(try client.run("NOOP") == ["OK done"])
        }
    }

    /// A client that asked not to hear of new messages is told no number of one (RFC 5465 §3.1).
    @Test func notifyNone() async throws {
        try await TestServer.with { server in
            try fill(server, 1)
            let client = try server.client(selecting: "INBOX"), other = try server.client(selecting: "INBOX")
            _ = try run(client, "U", "UID SEARCH RETURN (UPDATE) UNSEEN")
            try client.run("NOTIFY NONE")
            try server.deliver()
            #expect(updates(try client.run("NOOP")) == [])
            // What it asked for with UPDATE it hears.
            try other.run("STORE 1 +FLAGS (\\Seen)")
            #expect(try client.run("NOOP") == ["* ESEARCH (TAG \"U\") UID REMOVEFROM (0 1)", "OK done"])
            try client.run("NOTIFY SET (selected-delayed (MessageNew MessageExpunge))")
            #expect(updates(try client.run("NOOP")) == [])
        }
    }

    /// §4.3: sequence numbers in the search are those of the command; `$` likewise (RFC 5182 §2.1).
    @Test func numbersInTheSearch() async throws {
        try await TestServer.with { server in
            try fill(server, 3)
            let client = try server.client(selecting: "INBOX"), other = try server.client(selecting: "INBOX")
            #expect(updates(try run(client, "N", "SEARCH RETURN (UPDATE ALL) 2:*")) == ["* ESEARCH (TAG \"N\") ALL 2:3"])
            _ = try client.run("SEARCH RETURN (SAVE) 3")
            #expect(try run(client, "D", "SEARCH RETURN (UPDATE SAVE ALL) $ UNFLAGGED").first == "* ESEARCH (TAG \"D\") ALL 3")
            try other.run("STORE 1 +FLAGS.SILENT (\\Deleted)")
            try other.run("EXPUNGE")
            try server.deliver()
            #expect(updates(try client.run("NOOP")) == [])
            try other.run("NOOP")
            try other.run("STORE 1:3 +FLAGS.SILENT (\\Flagged)")
            #expect(updates(try client.run("NOOP")) == ["* ESEARCH (TAG \"D\") REMOVEFROM (0 2)"])
            #expect(try client.run("UID SEARCH $").first == "* SEARCH 3")
        }
    }

    /// `*` among UIDs is the last message there is.
    @Test func theLargestUID() async throws {
        try await TestServer.with { server in
            try fill(server, 2)
            let client = try server.client(selecting: "INBOX"), other = try server.client(selecting: "INBOX")
            #expect(updates(try run(client, "L", "UID SEARCH RETURN (UPDATE ALL) UID *")) == ["* ESEARCH (TAG \"L\") UID ALL 2"])
            #expect(updates(try run(client, "M", "UID SEARCH RETURN (UPDATE ALL) UID 2:*")) == ["* ESEARCH (TAG \"M\") UID ALL 2"])
            try fill(server, 2)
            #expect(updates(try client.run("NOOP")) == ["* ESEARCH (TAG \"L\") UID REMOVEFROM (0 2) ADDTO (0 4)", "* ESEARCH (TAG \"M\") UID ADDTO (0 3:4)"])
            try other.run("NOOP")
            try other.run("STORE 4 +FLAGS.SILENT (\\Deleted)")
            try other.run("EXPUNGE")
            #expect(updates(try client.run("NOOP")) == [
                "* ESEARCH (TAG \"L\") UID REMOVEFROM (0 4)", "* ESEARCH (TAG \"M\") UID REMOVEFROM (0 4)", "* ESEARCH (TAG \"L\") UID ADDTO (0 3)",
            ])
        }
    }

    /// RFC 5032 §2: how old messages are is asked from time to time.
    @Test func ageing() async throws {
        try await TestServer.with({ $0.contextInterval = 0 }) { server in
            try fill(server, 2)
            let client = try server.client(selecting: "INBOX")
            #expect(updates(try run(client, "O", "SEARCH RETURN (UPDATE COUNT) OLDER 2")) == ["* ESEARCH (TAG \"O\") COUNT 0"])
            var told: [String] = []
            for _ in 0..<60 where told.isEmpty {
                told = updates(try client.run("NOOP"))
                if told.isEmpty { try await Task.sleep(for: .milliseconds(100)) }
            }
            #expect(told.first?.hasPrefix("* ESEARCH (TAG \"O\") ADDTO (0 1") == true)
        }
    }

    /// Headers and bodies are looked into as well, and keywords that others set.
    @Test func contents() async throws {
        try await TestServer.with { server in
            try server.deliver("Subject: a\r\n\r\napple\r\n")
            try server.deliver("Subject: b\r\n\r\npear\r\n")
            let client = try server.client(selecting: "INBOX"), other = try server.client(selecting: "INBOX")
            _ = try run(client, "K", "UID SEARCH RETURN (UPDATE) BODY apple KEYWORD $Junk")
            try other.run("STORE 1:2 +FLAGS.SILENT ($Junk)")
            #expect(updates(try client.run("NOOP")) == ["* ESEARCH (TAG \"K\") UID ADDTO (0 1)"])
        }
    }
}
