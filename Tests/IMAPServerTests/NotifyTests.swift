import Foundation
import MailStore
import NIOCore
import Testing
@testable import IMAPServer

/// NOTIFY (RFC 5465) and CREATE-SPECIAL-USE (RFC 6154).
@Suite(.serialized) struct NotifyTests {
    /// §3.1: NO with BADEVENT for an unknown event; §5 and §6.1: BAD for events that may not stand so.
    @Test func whatIsRefused() async throws {
        try await TestServer.with { server in
            let client = try server.client(selecting: "INBOX")
            let unknown = try client.run("NOTIFY SET (personal (MessageNew MessageExpunge AnnotationChange))")
            #expect(unknown == ["NO [BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange)] that event is not offered"])
            for bad in ["(personal (MessageNew))", "(personal (MessageExpunge))", "(personal (FlagChange))", "(selected (MailboxName))",
                        "(selected NONE) (selected-delayed NONE)", "(personal (MessageNew (FLAGS) MessageExpunge))", "(elsewhere NONE)", "", "personal NONE"] {
                #expect(try client.run("NOTIFY SET \(bad)").last?.hasPrefix("BAD") == true, "\(bad)")
            }
            #expect(try client.run("NOTIFY NONE").last?.hasPrefix("OK") == true)
        }
    }

    /// §3.1: STATUS before the tagged OK, for mailboxes that are not selected, with what the events need.
    @Test func statesAreToldFirst() async throws {
        try await TestServer.with { server in
            try server.deliver(folder: "Lists")
            let client = try server.client(selecting: "INBOX")
            let plain = try client.run("NOTIFY SET STATUS (selected NONE) (mailboxes (Lists INBOX Nowhere) (MessageNew MessageExpunge))")
            #expect(plain.count == 2 && plain[0].hasPrefix("* STATUS \"Lists\" (MESSAGES 1 UIDNEXT 2 UIDVALIDITY ") || plain[0].hasPrefix("* STATUS Lists (MESSAGES 1 UIDNEXT 2 UIDVALIDITY "))
            let flags = try client.run("NOTIFY SET STATUS (mailboxes Lists (MessageNew MessageExpunge FlagChange))")
            #expect(flags[0].contains("HIGHESTMODSEQ"))
            #expect(try client.run("NOTIFY SET (mailboxes Lists (MessageNew MessageExpunge))").count == 1)
        }
    }

    /// §5.2: without any command, EXISTS and a FETCH with what was asked; but none for the client's own message.
    @Test func newMessagesBetweenCommands() async throws {
        try await TestServer.with { server in
            let client = try server.client(selecting: "INBOX"), other = try server.client(selecting: "INBOX")
            try client.run("NOTIFY SET (selected (MessageNew (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)]) MessageExpunge FlagChange))")
            try server.deliver("Subject: ding\r\n\r\nx\r\n")
            #expect(try client.response() == "* 1 EXISTS")
            #expect(try client.response().hasPrefix("* 1 RECENT"))
            #expect(try client.response() == "* 1 FETCH (UID 1 BODY[HEADER.FIELDS (SUBJECT)] {17}\r\nSubject: ding\r\n\r\n)")
            try other.run("NOOP")
            try other.run("STORE 1 +FLAGS (\\Flagged)")
            // §5.1: with UID.
            #expect(try client.response().hasPrefix("* 1 FETCH (UID 1 FLAGS (\\Flagged"))
            try other.run("STORE 1 +FLAGS.SILENT (\\Deleted)")
            _ = try client.response()
            try other.run("EXPUNGE")
            #expect(try client.response() == "* 1 EXPUNGE")
            try client.send("a APPEND INBOX {5+}\r\nA: b\n\r\n")
            let own = try client.answers("a")
            #expect(own.contains("* 1 EXISTS"))
            #expect(try client.run("NOOP").allSatisfy { !$0.contains("FETCH") })
        }
    }

    /// §6.1.2: the numbering stays until a command that allows EXPUNGE.
    @Test func delayedExpunges() async throws {
        try await TestServer.with { server in
            for _ in 0..<3 { try server.deliver() }
            let client = try server.client(selecting: "INBOX"), other = try server.client(selecting: "INBOX")
            try client.run("NOTIFY SET (selected-delayed (MessageNew MessageExpunge))")
            try other.run("STORE 1 +FLAGS.SILENT (\\Deleted)")
            try other.run("EXPUNGE")
            try server.deliver()
            #expect(try client.response() == "* 4 EXISTS")
            #expect(try client.run("FETCH 3 UID").contains("* 3 FETCH (UID 3)"))
            #expect(try client.run("NOOP").contains("* 1 EXPUNGE"))
        }
    }

    /// §3.1: without SELECTED, and after NONE, nothing at all of the selected mailbox: a snapshot. A client's own STORE answers.
    @Test(arguments: ["NONE", "SET (selected NONE)", "SET (mailboxes Lists (MessageNew MessageExpunge))"]) func aSnapshot(_ request: String) async throws {
        try await TestServer.with { server in
            try server.deliver()
            let client = try server.client(selecting: "INBOX"), other = try server.client(selecting: "INBOX")
            try client.run("NOTIFY \(request)")
            try server.deliver()
            try other.run("STORE 1 +FLAGS (\\Answered)")
            #expect(try client.run("NOOP") == ["OK done"])
            #expect(try client.run("FETCH 2 UID").last?.hasPrefix("BAD") == true)
            #expect(try client.run("STORE 1 +FLAGS (\\Flagged)").first?.contains("FLAGS (\\Answered \\Flagged") == true)
            try client.run("NOTIFY SET (selected (MessageNew MessageExpunge))")
            #expect(try client.run("FETCH 2 UID").contains("* 2 FETCH (UID 2)"))
        }
    }

    /// §5.1 to §5.3 for mailboxes that are not selected.
    @Test func otherMailboxes() async throws {
        try await TestServer.with { server in
            try server.deliver(folder: "Lists")
            let client = try server.client(), other = try server.client(selecting: "Lists")
            try client.run("NOTIFY SET (subtree Lists (MessageNew MessageExpunge FlagChange))")
            try server.deliver(folder: "Lists")
            #expect(try client.response() == "* STATUS Lists (MESSAGES 2 UIDNEXT 3 UNSEEN 2)")
            try other.run("STORE 1 +FLAGS.SILENT (\\Seen)")
            #expect(try client.response() == "* STATUS Lists (UNSEEN 1)")
            try client.run("ENABLE CONDSTORE")
            try other.run("STORE 1 +FLAGS.SILENT (\\Flagged)")
            #expect(try client.response().hasPrefix("* STATUS Lists (UIDVALIDITY "))
            // §5: what the client does itself it need not hear.
            try client.send("a APPEND Lists {5+}\r\nA: b\n\r\n")
            #expect(try client.answers("a").count == 1)
            #expect(try client.run("NOOP") == ["OK done"])
        }
    }

    /// §5.4 and §5.5, told also while another mailbox idles (§4).
    @Test func folders() async throws {
        try await TestServer.with { server in
            let client = try server.client(selecting: "INBOX"), other = try server.client()
            try client.run("NOTIFY SET (personal (MailboxName SubscriptionChange))")
            try client.run("CREATE Mine")
            try client.send("i IDLE\r\n")
            #expect(try client.response().hasPrefix("+ "))
            try other.run("CREATE Work/Plans")
            #expect(try client.response() == "* LIST (\\HasNoChildren) \"/\" Work/Plans")
            #expect(try client.response() == "* LIST (\\NonExistent \\HasChildren) \"/\" Work")
            try other.run("SUBSCRIBE Work/Plans")
            #expect(try client.response() == "* LIST (\\HasNoChildren \\Subscribed) \"/\" Work/Plans")
            try other.run("UNSUBSCRIBE Work/Plans")
            #expect(try client.response() == "* LIST (\\HasNoChildren) \"/\" Work/Plans")
            try other.run("RENAME Work/Plans Done")
            #expect(try client.response() == "* LIST (\\HasNoChildren) \"/\" Done (\"OLDNAME\" (Work/Plans))")
            try other.run("DELETE Done")
            #expect(try client.response() == "* LIST (\\NonExistent \\HasNoChildren) \"/\" Done")
            try client.send("DONE\r\n")
            #expect(try client.response() == "i OK done")
        }
    }

    /// §5.6 and §5.7.
    @Test func annotations() async throws {
        try await TestServer.with { server in
            let client = try server.client(), other = try server.client()
            try client.run("NOTIFY SET (mailboxes INBOX (MailboxMetadataChange ServerMetadataChange))")
            try other.run("SETMETADATA INBOX (/private/comment \"x\")")
            #expect(try client.response() == "* METADATA INBOX /private/comment")
            try other.run("SETMETADATA \"\" (/private/comment \"x\")")
            #expect(try client.response() == "* METADATA \"\" /private/comment")
            try other.run("SETMETADATA Sent (/private/comment \"x\")")
            #expect(try client.run("NOOP") == ["OK done"])
        }
    }

    /// RFC 5464 §4.1: annotations follow a mailbox; the inbox keeps its own as well. RFC 5465 §5.4: no event for INBOX.
    @Test func annotationsOfTheInbox() async throws {
        try await TestServer.with { server in
            try server.deliver()
            let client = try server.client(), other = try server.client()
            try client.run("SETMETADATA INBOX (/private/comment \"mine\")")
            try other.run("NOTIFY SET (personal (MailboxName))")
            try client.run("RENAME INBOX Old")
            #expect(try other.response() == "* LIST (\\HasNoChildren) \"/\" Old (\"OLDNAME\" (INBOX))")
            #expect(try client.run("GETMETADATA Old /private/comment").first == "* METADATA Old (/private/comment \"mine\")")
            #expect(try client.run("GETMETADATA INBOX /private/comment").first == "* METADATA INBOX (/private/comment \"mine\")")
            #expect(try client.run("STATUS Old (MESSAGES)").first == "* STATUS Old (MESSAGES 1)")
        }
    }

    /// What another program does shows at the next look.
    @Test func otherPrograms() async throws {
        try await TestServer.with({ $0.pollInterval = .milliseconds(50) }) { server in
            let client = try server.client()
            try client.run("NOTIFY SET (personal (MailboxName MessageNew MessageExpunge))")
            let folder = server.root + "/alice/Maildir/.Foreign"
            for part in ["/tmp", "/new", "/cur"] { try FileManager.default.createDirectory(atPath: folder + part, withIntermediateDirectories: true) }
            #expect(try client.response() == "* LIST (\\HasNoChildren) \"/\" Foreign")
            try "A: b\n\nc\n".write(toFile: folder + "/new/1.2.host", atomically: true, encoding: .utf8)
            #expect(try client.response().hasPrefix("* STATUS Foreign (MESSAGES 1 UIDNEXT 2"))
        }
    }

    @Test func specialUse() async throws {
        try await TestServer.with { server in
            let client = try server.client()
            #expect(try client.run("CREATE MyDrafts (USE (\\Drafts))").last?.hasPrefix("OK") == true)
            #expect(try client.run("LIST \"\" MyDrafts") == ["* LIST (\\HasNoChildren \\Drafts) \"/\" MyDrafts", "OK done"])
            #expect(try client.run("GETMETADATA MyDrafts /private/specialuse").first == "* METADATA MyDrafts (/private/specialuse \"\\\\Drafts\")")
            #expect(try client.run("CREATE Everything (USE (\\All))").last?.hasPrefix("NO [USEATTR]") == true)
            #expect(try client.run("CREATE Strange (USE (\\Sphinx))").last?.hasPrefix("NO [USEATTR]") == true)
            #expect(try client.run("CREATE None (USE ())").last?.hasPrefix("OK") == true)
            #expect(try client.run("SETMETADATA None (/private/specialuse \"\\\\Junk\")").last?.hasPrefix("OK") == true)
            #expect(try client.run("SETMETADATA None (/private/specialuse \"\\\\All\")").last?.hasPrefix("NO [USEATTR]") == true)
            #expect(try client.run("LIST (SPECIAL-USE) \"\" None").first == "* LIST (\\HasNoChildren \\Junk) \"/\" None")
            #expect(try client.run("RENAME MyDrafts Other").last?.hasPrefix("OK") == true)
            #expect(try client.run("LIST \"\" Other").first == "* LIST (\\HasNoChildren \\Drafts) \"/\" Other")
        }
    }
}
