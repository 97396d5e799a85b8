import MailStore
import Testing
@testable import IMAPServer

/// Message numbers with several sessions on one mailbox: RFC 9051 §5.5, §7.5.1 (RFC 3501 §7.4.1), RFC 2180 §4.
@Suite(.serialized) struct NumberingTests {
    private func isExpunge(_ line: String) -> Bool { line.hasSuffix(" EXPUNGE") || line.hasPrefix("* VANISHED") }

    /// While FETCH, STORE and SEARCH by number are answered nothing shifts; what is gone is named by its number still.
    @Test(arguments: ["", "ENABLE IMAP4rev2", "ENABLE QRESYNC"]) func numbersStayWhileTheyAreUsed(_ enabling: String) async throws {
        try await TestServer.with { server in
            for index in 1...5 { try server.deliver("Subject: \(index)\r\n\r\nx\r\n") }
            let client = try server.client(), other = try server.client(selecting: "INBOX")
            if !enabling.isEmpty { try client.run(enabling) }
            try client.run("SELECT INBOX")
            try other.run("STORE 2,4 +FLAGS.SILENT (\\Deleted)")
            try other.run("EXPUNGE")
            for command in ["FETCH 5 UID", "STORE 5 +FLAGS (\\Seen)", "SEARCH ALL", "SORT (ARRIVAL) UTF-8 ALL"] {
                let answers = try client.run(command)
                #expect(!answers.contains(where: isExpunge), "\(command)")
                #expect(answers.last?.hasPrefix("OK") == true)
            }
            #expect(try client.run("FETCH 5 UID").contains("* 5 FETCH (UID 5)"))
            // RFC 2180 §4.1.2: NO for what is gone, and the rest is answered.
            let mixed = try client.run("FETCH 3:4 (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
            #expect(mixed.first?.hasPrefix("* 3 FETCH (UID 3 ") == true && mixed.last?.hasPrefix("NO [EXPUNGEISSUED]") == true)
            #expect(try client.run("STORE 2 +FLAGS (\\Seen)").last?.hasPrefix("NO [EXPUNGEISSUED]") == true)
            let told = try client.run("NOOP")
            #expect(enabling == "ENABLE QRESYNC" ? told.first == "* VANISHED 2,4" : Array(told.prefix(2)) == ["* 4 EXPUNGE", "* 2 EXPUNGE"])
            #expect(try client.run("FETCH 3 UID").contains("* 3 FETCH (UID 5)"))
            #expect(try client.run("FETCH 4 UID").last?.hasPrefix("BAD") == true)
        }
    }

    /// Commands by UID may tell EXPUNGE, and answer with numbers that hold before it is told.
    @Test func commandsByUIDMayTell() async throws {
        try await TestServer.with { server in
            for _ in 0..<3 { try server.deliver() }
            let client = try server.client(selecting: "INBOX"), other = try server.client(selecting: "INBOX")
            try other.run("STORE 1 +FLAGS.SILENT (\\Deleted)")
            try other.run("EXPUNGE")
            let answers = try client.run("UID FETCH 3 FLAGS")
            let fetch = try #require(answers.firstIndex { $0.hasPrefix("* 3 FETCH (UID 3") })
            let gone = try #require(answers.firstIndex(of: "* 1 EXPUNGE"))
            #expect(fetch < gone)
            #expect(try client.run("UID FETCH 3 FLAGS").first?.hasPrefix("* 2 FETCH (UID 3") == true)
            // UIDs that are not there are no error (RFC 9051 §6.4.9).
            #expect(try client.run("UID FETCH 1 FLAGS") == ["OK done"])
            #expect(try client.run("UID STORE 1 +FLAGS (\\Seen)").last == "OK done")
            #expect(try client.run("UID COPY 1 Sent").last == "OK done")
        }
    }

    /// EXPUNGE and EXISTS in one answer: first what goes, then the number that is there afterwards.
    @Test func arrivalsAndRemovalsTogether() async throws {
        try await TestServer.with { server in
            for _ in 0..<3 { try server.deliver() }
            let client = try server.client(selecting: "INBOX"), other = try server.client(selecting: "INBOX")
            try other.run("STORE 1:2 +FLAGS.SILENT (\\Deleted)")
            try other.run("EXPUNGE")
            try server.deliver()
            // Told of the new one first, since a FETCH by number may not remove.
            #expect(try client.run("FETCH 3 UID").contains("* 4 EXISTS"))
            let told = try client.run("NOOP").filter { $0.hasSuffix("EXPUNGE") || $0.hasSuffix("EXISTS") }
            #expect(told == ["* 2 EXPUNGE", "* 1 EXPUNGE"])
            #expect(try client.run("FETCH 1:2 UID").dropLast() == ["* 1 FETCH (UID 3)", "* 2 FETCH (UID 4)"])
            // A UID is never given twice, also when the last message went.
            try client.run("STORE 2 +FLAGS.SILENT (\\Deleted)")
            try client.run("EXPUNGE")
            #expect(try client.run("STATUS INBOX (UIDNEXT MESSAGES)").first == "* STATUS INBOX (UIDNEXT 5 MESSAGES 1)")
            try server.deliver()
            try client.run("NOOP")
            #expect(try client.run("UID SEARCH ALL").contains("* SEARCH 3 5"))
        }
    }

    /// MOVE and COPY by number of what another session removed.
    @Test func copiesOfWhatIsGone() async throws {
        try await TestServer.with { server in
            for _ in 0..<3 { try server.deliver() }
            let client = try server.client(selecting: "INBOX"), other = try server.client(selecting: "INBOX")
            try other.run("STORE 2 +FLAGS.SILENT (\\Deleted)")
            try other.run("EXPUNGE")
            let copied = try client.run("COPY 1:3 Sent")
            #expect(copied.last?.contains("[COPYUID ") == true && copied.last?.contains(" 1,3 1:2]") == true)
            #expect(try client.run("STATUS Sent (MESSAGES)").first == "* STATUS Sent (MESSAGES 2)")
        }
    }

    /// RFC 3501 §6.3.11 and §6.4.7: what is appended or copied is recent, with flags as well, and to one session only. With
    /// flags that lasts as long as anybody has the folder open: a Maildir has no place for it.
    @Test func recentForOneSession() async throws {
        try await TestServer.with { server in
            try server.deliver()
            let client = try server.client(selecting: "INBOX"), target = try server.client(), watcher = try server.client()
            try watcher.run("EXAMINE Sent")
            try client.run("STORE 1 +FLAGS (\\Flagged)")
            try client.run("COPY 1 Sent")
            try client.send("a APPEND Sent (\\Seen) {5+}\r\nA: b\n\r\n")
            try client.answers("a")
            #expect(try client.run("STATUS Sent (RECENT)").first == "* STATUS Sent (RECENT 2)")
            #expect(try target.run("SELECT Sent").contains("* 2 RECENT"))
            #expect(try target.run("FETCH 1:2 FLAGS").dropLast() == ["* 1 FETCH (FLAGS (\\Flagged \\Recent))", "* 2 FETCH (FLAGS (\\Seen \\Recent))"])
            #expect(try client.run("SELECT Sent").contains("* 0 RECENT"))
        }
    }

    /// A name that stands only for those below it is left out where they show themselves (RFC 5258 §3.3).
    @Test func parentsThatDoNotExist() async throws {
        try await TestServer.with { server in
            let client = try server.client()
            try client.run("CREATE Work/Plans")
            #expect(try client.run("LIST \"\" Work%").first == "* LIST (\\Noselect \\HasChildren) \"/\" Work")
            #expect(try client.run("LIST \"\" Work*").dropLast() == ["* LIST (\\HasNoChildren) \"/\" Work/Plans"])
            try client.run("SUBSCRIBE Work/Plans")
            #expect(try client.run("LIST (SUBSCRIBED RECURSIVEMATCH) \"\" Work%").first == "* LIST (\\NonExistent \\HasChildren) \"/\" Work (\"CHILDINFO\" (\"SUBSCRIBED\"))")
            #expect(try client.run("LIST (SUBSCRIBED RECURSIVEMATCH) \"\" Work*").dropLast() == ["* LIST (\\HasNoChildren \\Subscribed) \"/\" Work/Plans"])
            #expect(try client.run("SELECT INBOX").last?.hasPrefix("OK") == true)
            try server.deliver()
            try server.deliver()
            try client.run("NOOP")
            #expect(try client.run("SORT RETURN (ALL) (ARRIVAL) UTF-8 ALL").first?.hasSuffix(" ALL 1:2") == true)
            #expect(try client.run("SORT RETURN (ALL) (REVERSE ARRIVAL) UTF-8 ALL").first?.contains(" ALL ") == true)
        }
    }
}
