import NIOCore
import InternetMessage
import Testing
@testable import IMAPServer

/// Conversations over a real socket, from RFC 3501 and the extensions that CAPABILITY names.
@Suite(.serialized) struct SessionTests {
    @Test func loggingInNeedsTLSUnlessAllowed() async throws {
        try await TestServer.with({ $0.allowPlaintextLoginOnLoopback = false }) { server in
            let client = try TestClient(port: server.port)
            let greeting = try client.response()
            #expect(greeting.hasPrefix("* OK [CAPABILITY IMAP4rev1 "))
            #expect(greeting.contains(" LOGINDISABLED"))
            #expect(!greeting.contains("AUTH=PLAIN"))
            #expect(try client.run("LOGIN alice secret").last?.hasPrefix("NO [PRIVACYREQUIRED]") == true)
            #expect(try client.run("SELECT INBOX").last?.hasPrefix("BAD") == true)
            #expect(try client.run("LOGOUT").first?.hasPrefix("* BYE") == true)
            #expect(throws: TestClient.Closed.self) { try client.response() }
        }
    }

    @Test func authenticatePlainBothWaysAndFailures() async throws {
        try await TestServer.with { server in
            let client = try TestClient(port: server.port)
            _ = try client.response()
            // base64 of NUL alice NUL wrong, and of NUL alice NUL secret
            #expect(try client.run("AUTHENTICATE PLAIN AGFsaWNlAHdyb25n").last?.hasPrefix("NO [AUTHENTICATIONFAILED]") == true)
            try client.send("x AUTHENTICATE PLAIN\r\n")
            #expect(try client.response() == "+ ")
            try client.send("AGFsaWNlAHNlY3JldA==\r\n")
            #expect(try client.response().hasPrefix("x OK [CAPABILITY IMAP4rev1"))
        }
    }

    @Test func threeFailuresEndTheConnection() async throws {
        try await TestServer.with { server in
            let client = try TestClient(port: server.port)
            _ = try client.response()
            for _ in 0..<3 { #expect(try client.run("LOGIN alice x").last?.hasPrefix("NO") == true) }
            #expect(try client.response().hasPrefix("* BYE"))
        }
    }

    @Test func selectDescribesTheMailbox() async throws {
        try await TestServer.with { server in
            try server.deliver()
            let client = try server.client()
            let answers = try client.run("SELECT inbox")
            #expect(answers.contains("* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)"))
            #expect(answers.contains("* 1 EXISTS"))
            #expect(answers.contains("* 1 RECENT"))
            #expect(answers.contains { $0.hasPrefix("* OK [UNSEEN 1]") })
            #expect(answers.contains { $0.hasPrefix("* OK [UIDNEXT 2]") })
            #expect(answers.contains { $0.hasPrefix("* OK [UIDVALIDITY ") })
            #expect(answers.contains { $0.hasPrefix("* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)]") })
            #expect(answers.last?.hasPrefix("OK [READ-WRITE]") == true)
            // Only the first session sees \Recent (§2.3.2).
            #expect(try server.client().run("SELECT INBOX").contains("* 0 RECENT"))
            #expect(try client.run("EXAMINE INBOX").last?.hasPrefix("OK [READ-ONLY]") == true)
            #expect(try client.run("STORE 1 +FLAGS (\\Seen)").last?.hasPrefix("NO") == true)
            // A SELECT that fails leaves nothing selected (§6.3.1).
            #expect(try client.run("SELECT nowhere").last?.hasPrefix("NO [NONEXISTENT]") == true)
            #expect(try client.run("FETCH 1 FLAGS").last?.hasPrefix("BAD") == true)
        }
    }

    @Test func fetchGivesWhatWasDelivered() async throws {
        try await TestServer.with { server in
            try server.deliver("Subject: hello\r\nFrom: Ann <a@b.example>\r\n\r\none\r\ntwo\r\n")
            let client = try server.client(selecting: "INBOX")
            #expect(try client.run("FETCH 1 (UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])").first
                == "* 1 FETCH (UID 1 RFC822.SIZE 53 BODY[HEADER.FIELDS (SUBJECT)] {18}\r\nSubject: hello\r\n\r\n)")
            #expect(try client.run("FETCH 1 ENVELOPE").first
                == #"* 1 FETCH (ENVELOPE (NIL "hello" (("Ann" NIL "a" "b.example")) (("Ann" NIL "a" "b.example")) (("Ann" NIL "a" "b.example")) NIL NIL NIL NIL NIL))"#)
            #expect(try client.run("FETCH 1 BODY").first == #"* 1 FETCH (BODY ("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 10 2))"#
                || (try client.run("FETCH 1 BODY").first?.uppercased().hasPrefix(#"* 1 FETCH (BODY ("TEXT" "PLAIN" "#) == true))
            // Reading without PEEK sets \Seen, and the answer says so.
            #expect(try client.run("FETCH 1 BODY[TEXT]<2.5>").first == "* 1 FETCH (BODY[TEXT]<2> {5}\r\ne\r\ntw FLAGS (\\Seen \\Recent))")
            #expect(try client.run("UID FETCH 1:* FLAGS").first == "* 1 FETCH (UID 1 FLAGS (\\Seen \\Recent))")
            #expect(try client.run("FETCH 2 FLAGS").last?.hasPrefix("BAD") == true)
            #expect(try client.run("UID FETCH 7 FLAGS") == ["OK done"])
            #expect(try client.run("FETCH 1 BODY[2]").first == "* 1 FETCH (BODY[2] NIL)")
        }
    }

    @Test func aLargeBodyIsStreamedWhole() async throws {
        try await TestServer.with { server in
            let line = String(repeating: "x", count: 98) + "\r\n"
            let body = String(repeating: line, count: 20_000)
            try server.deliver("Subject: large\r\n\r\n" + body)
            let client = try server.client(selecting: "INBOX")
            let answer = try #require(try client.run("FETCH 1 BODY.PEEK[]").first)
            #expect(answer.hasPrefix("* 1 FETCH (BODY[] {2000018}\r\nSubject: large\r\n\r\n"))
            #expect(answer.utf8.count == "* 1 FETCH (BODY[] {2000018}\r\n".utf8.count + 2_000_018 + 1)
        }
    }

    @Test func storeReportsUnlessSilent() async throws {
        try await TestServer.with { server in
            try server.deliver()
            try server.deliver()
            let client = try server.client(selecting: "INBOX")
            let other = try server.client(selecting: "INBOX")
            let answers = try client.run("STORE 1:2 +FLAGS (\\Flagged work)")
            #expect(answers.contains("* 1 FETCH (FLAGS (\\Flagged work \\Recent))"))
            #expect(answers.contains("* 2 FETCH (FLAGS (\\Flagged work \\Recent))"))
            #expect(try client.run("STORE 1 +FLAGS.SILENT (\\Seen)") == ["OK done"])
            // Again the same: it is reported all the same (§6.4.6).
            #expect(try client.run("STORE 1 FLAGS (\\Seen)").filter { $0.hasPrefix("* 1 FETCH") } == ["* 1 FETCH (FLAGS (\\Seen \\Recent))"])
            #expect(try client.run("STORE 1 FLAGS (\\Seen)").filter { $0.hasPrefix("* 1 FETCH") } == ["* 1 FETCH (FLAGS (\\Seen \\Recent))"])
            // The other session hears of it, keywords included.
            let heard = try other.run("NOOP")
            #expect(heard.contains("* 1 FETCH (FLAGS (\\Seen))"))
            #expect(heard.contains("* 2 FETCH (FLAGS (\\Flagged work))"))
            #expect(heard.contains("* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft work)"))
        }
    }

    /// RFC 3501 §7.4.1: no EXPUNGE while answering FETCH, STORE or SEARCH; numbers stay what they were.
    @Test func expungesWaitForACommandThatMayTellThem() async throws {
        try await TestServer.with { server in
            for _ in 0..<3 { try server.deliver() }
            let client = try server.client(selecting: "INBOX")
            let other = try server.client(selecting: "INBOX")
            try other.run("STORE 1:2 +FLAGS.SILENT (\\Deleted)")
            #expect(try other.run("EXPUNGE") == ["* 2 EXPUNGE", "* 1 EXPUNGE", "OK done"])
            #expect(!(try client.run("FETCH 3 FLAGS").contains { $0.contains("EXPUNGE") }))
            #expect(try client.run("SEARCH ALL").first == "* SEARCH 1 2 3")
            #expect(try client.run("FETCH 3 UID").first == "* 3 FETCH (UID 3)")
            #expect(try client.run("FETCH 1 BODY.PEEK[]").last?.hasPrefix("NO [EXPUNGEISSUED]") == true)
            #expect(try client.run("NOOP") == ["* 2 EXPUNGE", "* 1 EXPUNGE", "OK done"])
            #expect(try client.run("FETCH 1 UID").first == "* 1 FETCH (UID 3)")
        }
    }

    @Test func uidExpungeSparesTheOthers() async throws {
        try await TestServer.with { server in
            for _ in 0..<2 { try server.deliver() }
            let client = try server.client(selecting: "INBOX")
            try client.run("STORE 1:2 +FLAGS.SILENT (\\Deleted)")
            #expect(try client.run("UID EXPUNGE 2") == ["* 2 EXPUNGE", "OK done"])
            // CLOSE expunges the rest without a word (§6.4.2).
            #expect(try client.run("CLOSE") == ["OK done"])
            #expect(try client.run("STATUS INBOX (MESSAGES UIDNEXT)").first == "* STATUS INBOX (MESSAGES 0 UIDNEXT 3)")
        }
    }

    @Test func appendStoresFlagsDateAndTellsTheUID() async throws {
        try await TestServer.with { server in
            let client = try server.client(selecting: "INBOX")
            try client.send("a APPEND INBOX (\\Seen work) \"17-Jul-1996 02:44:25 -0700\" {17}\r\n")
            #expect(try client.response().hasPrefix("+ "))
            try client.send("Subject: x\r\n\r\nyz\n\r\n")
            let answers = try client.answers("a")
            #expect(answers.contains("* 1 EXISTS"))
            #expect(answers.last?.hasPrefix("OK [APPENDUID ") == true)
            #expect(answers.last?.contains(" 1]") == true)
            let fetched = try #require(try client.run("FETCH 1 (FLAGS INTERNALDATE BODY.PEEK[TEXT])").first)
            // In the machine's own time zone.
            let date = MailDate.local(837_596_665).imapText
            #expect(fetched == "* 1 FETCH (FLAGS (\\Seen work \\Recent) INTERNALDATE \"\(date)\" BODY[TEXT] {4}\r\nyz\r\n)")
            // LITERAL+ (RFC 7888): no continuation request.
            try client.send("b APPEND nowhere {3+}\r\nabc\r\nc NOOP\r\n")
            #expect(try client.answers("b").last?.hasPrefix("NO [TRYCREATE]") == true)
            #expect(try client.answers("c").last?.hasPrefix("OK") == true)
        }
    }

    @Test func copyAndMoveTellWhere() async throws {
        try await TestServer.with { server in
            for _ in 0..<3 { try server.deliver() }
            let client = try server.client(selecting: "INBOX")
            let copied = try client.run("COPY 1:2 Archive")
            #expect(copied.last?.hasPrefix("OK [COPYUID ") == true)
            #expect(copied.last?.contains(" 1:2 1:2]") == true)
            #expect(try client.run("COPY 1 nowhere").last?.hasPrefix("NO [TRYCREATE]") == true)
            let moved = try client.run("UID MOVE 2 Archive")
            #expect(moved.first?.hasPrefix("* OK [COPYUID ") == true)
            #expect(moved.dropFirst().first == "* 2 EXPUNGE")
            #expect(try client.run("STATUS Archive (MESSAGES)").first == "* STATUS Archive (MESSAGES 3)")
        }
    }

    @Test func searchFindsByFlagHeaderAndText() async throws {
        try await TestServer.with { server in
            try server.deliver("Subject: apples\r\n\r\nred\r\n")
            try server.deliver("Subject: pears\r\n\r\ngreen\r\n")
            let client = try server.client(selecting: "INBOX")
            try client.run("STORE 2 +FLAGS.SILENT (\\Seen)")
            #expect(try client.run("SEARCH UNSEEN").first == "* SEARCH 1")
            #expect(try client.run("UID SEARCH SUBJECT PEAR").first == "* SEARCH 2")
            #expect(try client.run("SEARCH BODY red NOT SEEN").first == "* SEARCH 1")
            #expect(try client.run("SEARCH TEXT nothing").first == "* SEARCH")
            #expect(try client.run("SEARCH RETURN (COUNT ALL) ALL").first?.hasSuffix("ALL 1:2 COUNT 2") == true)
        }
    }

    @Test func foldersAreMadeRenamedAndListed() async throws {
        try await TestServer.with { server in
            let client = try server.client()
            let listed = try client.run("LIST \"\" *")
            #expect(listed.contains("* LIST (\\HasNoChildren) \"/\" INBOX"))
            #expect(listed.contains("* LIST (\\HasNoChildren \\Drafts) \"/\" Drafts"))
            #expect(listed.filter { $0.hasPrefix("* LIST") }.count == 6)
            #expect(try client.run("LIST \"\" \"\"").first == "* LIST (\\Noselect) \"/\" \"\"")
            #expect(try client.run("CREATE \"Work/&ZeVnLIqe-/\"").last?.hasPrefix("OK [MAILBOXID (") == true)
            #expect(try client.run("CREATE Work/&ZeVnLIqe-").last?.hasPrefix("NO [ALREADYEXISTS]") == true)
            #expect(try client.run("LIST Work %").isEmpty == false)
            #expect(try client.run("LIST \"\" Work*").dropLast() == ["* LIST (\\HasNoChildren) \"/\" Work/&ZeVnLIqe-"])
            #expect(try client.run("RENAME Work Play").last == "OK done")
            #expect(try client.run("SUBSCRIBE Play/&ZeVnLIqe-").last == "OK done")
            #expect(try client.run("LSUB \"\" Play/%").first == "* LSUB () \"/\" Play/&ZeVnLIqe-")
            #expect(try client.run("LSUB \"\" P%").first == "* LSUB (\\Noselect) \"/\" Play")
            #expect(try client.run("DELETE Play/&ZeVnLIqe-").last == "OK done")
            #expect(try client.run("DELETE INBOX").last?.hasPrefix("NO") == true)
            #expect(try client.run("CREATE ../x").last?.hasPrefix("NO [CANNOT]") == true)
            #expect(try client.run("NAMESPACE").first == "* NAMESPACE ((\"\" \"/\")) NIL NIL")
        }
    }

    @Test func idleHearsOfADeliveryAtOnce() async throws {
        try await TestServer.with({ $0.pollInterval = .hours(1) }) { server in
            let client = try server.client(selecting: "INBOX")
            try client.send("i IDLE\r\n")
            #expect(try client.response().hasPrefix("+ "))
            try server.deliver()
            #expect(try client.response() == "* 1 EXISTS")
            #expect(try client.response() == "* 1 RECENT")
            try client.send("DONE\r\n")
            #expect(try client.response() == "i OK done")
        }
    }

    @Test func anIdleClientIsSentAway() async throws {
        try await TestServer.with({ $0.idleTimeout = .milliseconds(50) }) { server in
            let client = try server.client()
            #expect(try client.response().hasPrefix("* BYE"))
        }
        try await TestServer.with({ $0.logInTimeout = .milliseconds(50) }) { server in
            let client = try TestClient(port: server.port)
            _ = try client.response()
            #expect(try client.response().hasPrefix("* BYE"))
        }
    }

    @Test func aClientThatNeverReadsIsCutOff() async throws {
        try await TestServer.with({ $0.writeTimeout = .milliseconds(100) }) { server in
            try server.deliver("Subject: large\r\n\r\n" + String(repeating: String(repeating: "x", count: 98) + "\r\n", count: 100_000))
            let client = try server.client(selecting: "INBOX")
            try client.send("f FETCH 1 BODY.PEEK[]\r\n")
            // Nothing is read until the server has given up; then the literal is cut short.
            while server.server.connectionCount > 0 { try await Task.sleep(for: .milliseconds(10)) }
            #expect(throws: TestClient.Closed.self) { try client.answers("f") }
        }
    }

    @Test func tooManyConnectionsOfOneClientAreRefused() async throws {
        try await TestServer.with({ $0.maximumConnectionsPerClient = 1 }) { server in
            let first = try server.client()
            #expect(throws: TestClient.Closed.self) { try TestClient(port: server.port).response() }
            #expect(try first.run("NOOP").last == "OK done")
        }
    }

    @Test func shuttingDownSaysGoodBye() async throws {
        try await TestServer.with { server in
            let idle = try server.client(), waiting = try server.client(selecting: "INBOX")
            try waiting.send("i IDLE\r\n")
            _ = try waiting.response()
            await server.server.shutdown(deadline: .now + .seconds(20))
            #expect(try idle.response().hasPrefix("* BYE"))
            #expect(try waiting.response().hasPrefix("* BYE"))
        }
    }

    @Test func malformedCommandsKeepTheirTag() async throws {
        try await TestServer.with { server in
            let client = try server.client()
            #expect(try client.run("FLY away").last?.hasPrefix("BAD") == true)
            #expect(try client.run("SELECT").last?.hasPrefix("BAD") == true)
            #expect(try client.run("NOOP").last == "OK done")
        }
    }
}

/// RFC 3501 §6.2.1: what a client, or somebody in between, sends in plain text behind STARTTLS must not count.
@Suite(.serialized) struct StartTLSTests {
    /// Stands for TLS: passes everything on, and says at once that the handshake is done.
    final class NoTLS: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        struct Completed {}
        func handlerAdded(context: ChannelHandlerContext) { context.fireUserInboundEventTriggered(Completed()) }
    }

    static let upgrade = TLSUpgrade(makeHandler: { NoTLS() }, completion: { $0 is NoTLS.Completed ? .init() : nil })

    @Test func pipelinedPlainTextIsDropped() async throws {
        try await TestServer.with({ $0.allowPlaintextLoginOnLoopback = false }, tls: { Self.upgrade }) { server in
            let client = try TestClient(port: server.port)
            #expect(try client.response().contains(" STARTTLS LOGINDISABLED"))
            try client.send("a STARTTLS\r\nevil CAPABILITY\r\n")
            #expect(try client.response().hasPrefix("a OK"))
            let answers = try client.run("CAPABILITY")
            #expect(answers.count == 2)
            #expect(answers.first?.contains("AUTH=PLAIN") == true)
            #expect(answers.first?.contains("STARTTLS") == false)
            #expect(try client.run("LOGIN alice secret").last?.hasPrefix("OK") == true)
        }
    }

    @Test func implicitTLSGreetsAfterTheHandshake() async throws {
        try await TestServer.with({ $0.implicitTLS = true }, tls: { Self.upgrade }) { server in
            let client = try TestClient(port: server.port)
            #expect(try client.response().contains("AUTH=PLAIN"))
        }
    }
}
