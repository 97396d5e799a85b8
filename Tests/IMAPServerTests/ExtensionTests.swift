import Testing
@testable import IMAPServer

/// The smaller extensions over a real socket, each from its RFC.
@Suite(.serialized) struct ExtensionTests {
    private func fill(_ server: TestServer) throws {
        for (subject, from, date) in [("beta", "Zoe <a@x.example>", "1"), ("Re: alpha", "b@x.example", "3"), ("alpha", "\"Ann\" <c@x.example>", "2")] {
            try server.deliver("Subject: \(subject)\r\nFrom: \(from)\r\nDate: \(date) Jan 2020 00:00:00 +0000\r\nMessage-ID: <\(subject.count)@x>\r\n\r\n\(subject)\r\n")
        }
    }

    @Test func sorting() async throws {
        try await TestServer.with { server in
            try fill(server)
            let client = try server.client(selecting: "INBOX")
            #expect(try client.run("SORT (SUBJECT) UTF-8 ALL").first == "* SORT 2 3 1")
            #expect(try client.run("SORT (REVERSE DATE) UTF-8 ALL").first == "* SORT 2 3 1")
            #expect(try client.run("UID SORT (DISPLAYFROM) UTF-8 ALL").first == "* SORT 3 2 1")
            let tagged = try client.run("SORT RETURN (ALL COUNT MIN PARTIAL) (DATE) UTF-8 ALL")
            #expect(tagged.last?.hasPrefix("BAD") == true)
            #expect(try client.run("SORT RETURN (COUNT MIN MAX PARTIAL 2:3) (DATE) UTF-8 ALL").first?.hasSuffix(" MIN 1 MAX 2 COUNT 3 PARTIAL (2:3 3,2)") == true)
            #expect(try client.run("SORT RETURN (ALL) (DATE) UTF-8 ALL").first?.hasSuffix(" ALL 1,3,2") == true)
            #expect(try client.run("THREAD ORDEREDSUBJECT UTF-8 ALL").first == "* THREAD (1)(3 2)")
            #expect(try client.run("THREAD REFERENCES US-ASCII SUBJECT alpha").first == "* THREAD (3 2)")
        }
    }

    /// RFC 5182's examples, in short.
    @Test func savedResults() async throws {
        try await TestServer.with { server in
            try fill(server)
            let client = try server.client(selecting: "INBOX")
            #expect(try client.run("SEARCH RETURN (SAVE) SUBJECT alpha") == ["OK done"])
            #expect(try client.run("FETCH $ (UID)").count == 3)
            #expect(try client.run("SEARCH $ SUBJECT Re").first == "* SEARCH 2")
            #expect(try client.run("UID SEARCH RETURN (SAVE MIN) ALL").first?.hasSuffix("UID MIN 1") == true)
            #expect(try client.run("UID STORE $ +FLAGS (\\Deleted)").count == 2)
            #expect(try client.run("UID EXPUNGE $").first == "* 1 EXPUNGE")
            #expect(try client.run("FETCH $ (UID)") == ["OK done"])
            #expect(try client.run("SEARCH RETURN (PARTIAL -1:-1) ALL").first?.hasSuffix("PARTIAL (-1:-1 2)") == true)
            #expect(try client.run("SEARCH RETURN (PARTIAL 5:9) ALL").first?.hasSuffix("PARTIAL (5:9 NIL)") == true)
            #expect(try client.run("UID FETCH 1:* (FLAGS) (PARTIAL -1:-1)").map { $0.hasPrefix("* 2 FETCH (UID 3") } == [true, false])
        }
    }

    /// A partial without a count (not in RFC 9051 §9) is to the end, and named by its origin.
    @Test func partialsWithoutCount() async throws {
        try await TestServer.with { server in
            try server.deliver("Subject: x\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8gd29ybGQ=\r\n")
            let client = try server.client(selecting: "INBOX")
            #expect(try client.run("FETCH 1 BODY.PEEK[TEXT]<10>").first?.hasSuffix("BODY[TEXT]<10> {8}\r\n9ybGQ=\r\n)") == true)
            #expect(try client.run("FETCH 1 BINARY.PEEK[1]<6>").first?.hasPrefix("* 1 FETCH (BINARY[1]<6> ") == true)
            #expect(try client.run("FETCH 1 BINARY.PEEK[1]<6>").first?.hasSuffix("}\r\nworld)") == true)
            #expect(try client.run("FETCH 1 BODY.PEEK[TEXT]<99>").first == "* 1 FETCH (BODY[TEXT]<99> {0}\r\n)")
        }
    }

    @Test func severalMessagesInOneAppend() async throws {
        try await TestServer.with { server in
            let client = try server.client(selecting: "INBOX")
            try client.send("a APPEND INBOX (\\Seen) {3+}\r\nabc (\\Draft) {2+}\r\nde\r\n")
            let answers = try client.answers("a")
            #expect(answers.contains("* 2 EXISTS") && answers.last?.contains("APPENDUID") == true && answers.last?.contains(" 1:2]") == true)
            // The second has an unknown folder's fault: none is kept (RFC 3502 §6.3.11).
            try client.send("b APPEND INBOX {1+}\r\nx ~{3+}\r\na\0b\r\n")
            #expect(try client.answers("b").last?.hasPrefix("NO [UNKNOWN-CTE]") == true)
            try client.send("c APPEND INBOX ~{6+}\r\na: b\r\n\r\n")
            #expect(try client.answers("c").last?.contains("APPENDUID") == true)
            #expect(try client.run("STATUS INBOX (MESSAGES)").first == "* STATUS INBOX (MESSAGES 3)")
            // As IMAPClient has it.
            try client.send("d APPEND INBOX {1+}\r\nx  {1+}\r\ny\r\n")
            #expect(try client.answers("d").last?.contains(" 4:5]") == true)
        }
    }

    @Test func catenateAndReplace() async throws {
        try await TestServer.with { server in
            try server.deliver("Subject: one\r\n\r\nfirst body\r\n")
            let client = try server.client(selecting: "INBOX")
            try client.send("a APPEND INBOX CATENATE (URL \"/INBOX;UID=1/;SECTION=HEADER\" TEXT {5+}\r\nnew\r\n URL \"/;UID=1/;SECTION=TEXT\")\r\n")
            #expect(try client.answers("a").last?.contains("APPENDUID") == true)
            #expect(try client.run("FETCH 2 BODY.PEEK[]").first == "* 2 FETCH (BODY[] {33}\r\nSubject: one\r\n\r\nnew\r\nfirst body\r\n)")
            try client.send("b APPEND INBOX CATENATE (URL \"/INBOX;UID=9\" TEXT {1+}\r\nx)\r\n")
            #expect(try client.answers("b").last == "NO [BADURL \"/INBOX;UID=9\"] there is nothing at that URL")
            try client.send("c REPLACE 1 INBOX {12+}\r\nSubject: r\r\n\r\n")
            let replaced = try client.answers("c")
            #expect(replaced.first?.contains("APPENDUID") == true && replaced.contains("* 1 EXPUNGE") && replaced.last == "OK replaced")
            try client.send("d UID REPLACE 99 INBOX {1+}\r\nx\r\n")
            #expect(try client.answers("d").last?.hasPrefix("NO") == true)
            #expect(try client.run("STATUS INBOX (MESSAGES)").first == "* STATUS INBOX (MESSAGES 2)")
        }
    }

    @Test func lastingNames() async throws {
        try await TestServer.with { server in
            try server.deliver()
            let client = try server.client(selecting: "INBOX")
            let created = try client.run("CREATE box").last ?? ""
            #expect(created.hasPrefix("OK [MAILBOXID (F"))
            try client.run("COPY 1 box")
            try client.run("RENAME box boxes")
            let status = try client.run("STATUS boxes (MAILBOXID)").first ?? ""
            #expect(!status.isEmpty && created.contains(status.dropFirst("* STATUS boxes (MAILBOXID ".count).dropLast()))
            let id = try client.run("FETCH 1 (EMAILID THREADID)").first ?? ""
            #expect(id.hasPrefix("* 1 FETCH (EMAILID (M") && id.hasSuffix("THREADID NIL)"))
            #expect(try client.run("SELECT boxes").contains { $0.hasPrefix("* OK [MAILBOXID (F") })
            #expect(try client.run("FETCH 1 (EMAILID THREADID)").first == id)
            let word = id.dropFirst("* 1 FETCH (EMAILID (".count).prefix { $0 != ")" }
            #expect(try client.run("SEARCH EMAILID \(word)").first == "* SEARCH 1")
            #expect(try client.run("SEARCH THREADID \(word)").first == "* SEARCH")
        }
    }

    @Test func previewAndSaveDate() async throws {
        try await TestServer.with { server in
            try server.deliver("Subject: x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<style>p{}</style><p>Gr\u{fc}\u{df}e &amp;\r\n  so on</p>\r\n")
            let client = try server.client(selecting: "INBOX")
            #expect(try client.run("FETCH 1 (PREVIEW)").first == "* 1 FETCH (PREVIEW {15}\r\nGr\u{fc}\u{df}e & so on)")
            #expect(try client.run("FETCH 1 PREVIEW (LAZY)").first?.contains("PREVIEW {") == true)
            #expect(try client.run("FETCH 1 SAVEDATE").first?.hasPrefix("* 1 FETCH (SAVEDATE \"") == true)
            #expect(try client.run("SEARCH SAVEDATESUPPORTED SAVEDSINCE 1-Jan-2020").first == "* SEARCH 1")
            #expect(try client.run("SEARCH SAVEDBEFORE 1-Jan-2020").first == "* SEARCH")
        }
    }

    @Test func metadata() async throws {
        try await TestServer.with { server in
            let client = try server.client()
            #expect(try client.run("SETMETADATA INBOX (/private/comment \"mine\" /shared/a/b {3+}\r\nx\ny /private/a \"\")") == ["OK done"])
            #expect(try client.run("GETMETADATA INBOX (/private/comment /shared/none)").first == "* METADATA INBOX (/private/comment \"mine\" /shared/none NIL)")
            #expect(try client.run("GETMETADATA (DEPTH infinity) INBOX /shared").first == "* METADATA INBOX (/shared/a/b {3}\r\nx\ny)")
            #expect(try client.run("GETMETADATA (DEPTH 1) INBOX /shared") == ["OK done"])
            #expect(try client.run("GETMETADATA (MAXSIZE 2) INBOX (/private/comment /private/a)") == ["* METADATA INBOX (/private/a \"\")", "OK [METADATA LONGENTRIES 4] done"])
            #expect(try client.run("SETMETADATA INBOX (/private/comment NIL)") == ["OK done"])
            #expect(try client.run("GETMETADATA INBOX /private/comment").first == "* METADATA INBOX (/private/comment NIL)")
            #expect(try client.run("SETMETADATA \"\" (/private/vendor/x \"1\")") == ["OK done"])
            #expect(try client.run("GETMETADATA \"\" /private/vendor/x").first == "* METADATA \"\" (/private/vendor/x \"1\")")
            #expect(try client.run("SETMETADATA \"\" (/shared/comment \"1\")").last?.hasPrefix("NO [NOPERM]") == true)
            #expect(try client.run("GETMETADATA none /private/x").last?.hasPrefix("NO [NONEXISTENT]") == true)
            #expect(try client.run("GETMETADATA INBOX /other/x").last?.hasPrefix("BAD") == true)
            #expect(try client.run("SETMETADATA INBOX (/private/x {17000+}\r\n\(String(repeating: "x", count: 17_000)))").last?.hasPrefix("NO [METADATA MAXSIZE 16384]") == true)
        }
    }

    /// RFC 9051's differences.
    @Test func revision2() async throws {
        try await TestServer.with { server in
            try server.deliver()
            let client = try server.client()
            #expect(try client.run("ENABLE IMAP4rev2").first == "* ENABLED IMAP4rev2")
            #expect(try client.run("CREATE \"A&B\u{e9}\"").last?.hasPrefix("OK") == true)
            #expect(try client.run("LIST \"\" A*").first == "* LIST (\\HasNoChildren) \"/\" \"A&B\u{e9}\"")
            let answers = try client.run("SELECT INBOX")
            #expect(answers.contains("* LIST () \"/\" INBOX") && !answers.contains { $0.contains("RECENT") || $0.contains("UNSEEN") })
            #expect(try client.run("FETCH 1 FLAGS").first == "* 1 FETCH (FLAGS ())")
            #expect(try client.run("SEARCH ALL").first?.hasSuffix(" ALL 1") == true)
            #expect(try client.run("SELECT INBOX").first?.hasPrefix("* OK [CLOSED]") == true)
            try server.deliver()
            #expect(try client.run("NOOP") == ["* 2 EXISTS", "OK done"])
            #expect(try server.client().run("LIST \"\" A*").first == "* LIST (\\HasNoChildren) \"/\" A&-B&AOk-")
        }
    }

    @Test func utf8Accept() async throws {
        try await TestServer.with { server in
            let client = try server.client()
            #expect(try client.run("ENABLE UTF8=ACCEPT").first == "* ENABLED UTF8=ACCEPT")
            try client.run("SELECT INBOX")
            #expect(try client.run("SEARCH CHARSET UTF-8 SUBJECT x").last?.hasPrefix("BAD") == true)
            try client.send("a APPEND INBOX UTF8 (~{16+}\r\nSubject: h\u{e9}\r\n\r\n)\r\n")
            #expect(try client.answers("a").last?.contains("APPENDUID") == true)
            #expect(try client.run("FETCH 1 (ENVELOPE)").first?.contains("\"h\u{e9}\"") == true)
            #expect(try client.run("SEARCH SUBJECT \"h\u{e9}\"").first == "* SEARCH 1")
        }
    }

    private struct Room: QuotaSource {
        func quota(of account: String) throws -> AccountQuota? { AccountQuota(used: 1500, limit: 10 << 20) }
    }

    @Test func quota() async throws {
        try await TestServer.with(quota: Room()) { server in
            let client = try server.client()
            #expect(try client.run("CAPABILITY").first?.contains(" QUOTA QUOTA=RES-STORAGE") == true)
            #expect(try client.run("GETQUOTAROOT INBOX") == ["* QUOTAROOT INBOX \"User quota\"", "* QUOTA \"User quota\" (STORAGE 2 10240)", "OK done"])
            #expect(try client.run("GETQUOTA \"User quota\"").count == 2)
            #expect(try client.run("GETQUOTA other").last?.hasPrefix("NO [NONEXISTENT]") == true)
            #expect(try client.run("SETQUOTA \"User quota\" (STORAGE 5)").last?.hasPrefix("NO [NOPERM]") == true)
        }
        try await TestServer.with { server in
            let capabilities = try server.client().run("CAPABILITY").first
            #expect(capabilities?.contains("QUOTA") == false)
        }
    }

    /// RFC 9585: with no patience at all, every look tells.
    @Test func progress() async throws {
        try await TestServer.with({ $0.progressInterval = .zero }) { server in
            for _ in 0..<70 { try server.deliver() }
            let client = try server.client(selecting: "INBOX")
            #expect(try client.run("SEARCH ALL").contains { $0.hasPrefix("* OK [INPROGRESS (\"t3\" 64 70)]") })
        }
    }
}

@Suite struct CompressionTests {
    @Test func roundTripInPieces() throws {
        let text = Array(repeating: Array("a line that repeats\r\n".utf8), count: 20_000).flatMap { $0 }
        let deflater = Deflater(), inflater = Inflater()
        let packed = try #require(deflater.compress(text))
        #expect(packed.count < text.count / 50)
        var out: [UInt8] = []
        for byte in packed {
            inflater.feed([byte])
            while let piece = try inflater.next() {
                #expect(piece.count <= Inflater.pieceSize)
                out += piece
            }
        }
        #expect(out == text)
        inflater.feed(try #require(deflater.compress(Array("again".utf8))))
        #expect(try inflater.next() == Array("again".utf8))
    }

    @Test func noise() {
        let inflater = Inflater()
        inflater.feed([0xff, 0xff, 0xff, 0xff])
        #expect(throws: Inflater.Corrupt.self) { try inflater.next() }
    }
}
