import Foundation
import Logging
import Testing
@testable import PosternDaemon

/// The whole house in one process, on free ports of the loopback.
@Suite struct GatewayTests {
    /// A folder as an operator would have it, and its settings file.
    struct Installation {
        let folder: TemporaryFolder
        var file: String { folder.path + "/postern.toml" }

        init(_ extra: String = "", port: Int = 0) throws {
            folder = try TemporaryFolder()
            try FileManager.default.createDirectory(atPath: folder.path + "/policies", withIntermediateDirectories: false)
            try write("policies/a.policy", "stage rcpt\nrule \"closed\" when recipient.detail == \"closed\" then reject 550 \"5.1.1\" \"closed tag\"\n")
            try write("zone.txt", "s.example. TXT \"v=spf1 ip4:127.0.0.1 -all\"\n")
            try write("postern.toml", """
                myhostname = "mx.home.example"
                mydestination = ["home.example"]
                mynetworks = []
                data_directory = "data"
                listen.smtp = ["127.0.0.1:\(port)"]
                listen.submission = []
                listen.submissions = []
                listen.imap = []
                listen.imaps = []
                listen.milter = ""
                dns.offline = true
                dns.zone_file = "zone.txt"
                queue_minfree = 0
                shutdown_timeout = 5
                \(extra)
                """)
        }

        func write(_ name: String, _ text: String) throws { try text.write(toFile: folder.path + "/" + name, atomically: true, encoding: .utf8) }

        func gateway() throws -> Gateway { try Gateway(try SettingsFile.load(file), logger: Self.quiet) }

        static var quiet: Logger {
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            return logger
        }

        /// What lies in alice's INBOX.
        func inbox() throws -> [String] {
            let new = folder.path + "/data/mail/alice@home.example/Maildir/new"
            return try (try? FileManager.default.contentsOfDirectory(atPath: new))?.sorted().map { try String(contentsOfFile: new + "/" + $0, encoding: .utf8) } ?? []
        }
    }

    func running(_ installation: Installation, _ body: (Gateway, Int) async throws -> Void) async throws {
        let gateway = try installation.gateway()
        try gateway.accounts.add("alice@home.example", password: "correct horse")
        try await gateway.start()
        do {
            try await body(gateway, try #require(gateway.port(of: "smtp")))
        } catch {
            await gateway.stop()
            throw error
        }
        await gateway.stop()
    }

    func deliver(_ port: Int, to recipients: [String] = ["alice@home.example"], _ text: String = "Subject: x\r\n\r\nhello") async throws -> [String] {
        try await SMTPTalk.run(port: port, ["EHLO s.example", "MAIL FROM:<b@s.example>"] + recipients.map { "RCPT TO:<\($0)>" } + ["DATA", text + "\r\n.", "QUIT"])
    }

    @Test func aMessageLiesInTheMaildirWhenTheReplyComes() async throws {
        let installation = try Installation()
        try await running(installation) { _, port in
            let forged = "Authentication-Results: mx.home.example; dmarc=pass\r\nAuthentication-Results: other.example; spf=pass\r\nSubject: x\r\n\r\nhello"
            let replies = try await deliver(port, forged)
            #expect(replies.map { String($0.prefix(3)) } == ["220", "250", "250", "250", "354", "250", "221"])
            let stored = try installation.inbox()
            #expect(stored.count == 1)
            let text = try #require(stored.first)
            #expect(text.hasPrefix("Return-Path: <b@s.example>\n") || text.hasPrefix("Return-Path: <b@s.example>\r\n"))
            #expect(text.contains("spf=pass smtp.mailfrom=s.example"))
            // Nobody else speaks in our name; others may speak in theirs.
            #expect(!text.contains("mx.home.example; dmarc=pass"))
            #expect(text.contains("other.example; spf=pass"))
        }
    }

    @Test func aRecipientNamedTwiceGetsOneCopy() async throws {
        let installation = try Installation()
        try await running(installation) { _, port in
            _ = try await deliver(port, to: ["alice@home.example", "alice@home.example"])
            let stored = try installation.inbox()
            #expect(stored.count == 1)
        }
    }

    @Test(arguments: [
        "x@away.example", "@home.example:x@away.example", "x@[127.0.0.1]", "x%away.example@home.example", "away.example!x@home.example",
        "\"x@away.example\"@home.example", "alice@home.example@away.example", "x@", "@away.example", "alice@[192.0.2.1]",
    ])
    func noRelayForStrangers(_ recipient: String) async throws {
        try await running(try Installation()) { _, port in
            let replies = try await SMTPTalk.run(port: port, ["EHLO s.example", "MAIL FROM:<b@s.example>", "RCPT TO:<\(recipient)>", "DATA"])
            #expect(replies[3].hasPrefix("5"), "\(replies)")
            #expect(replies[4].hasPrefix("5"), "\(replies)")
        }
    }

    /// The relay cannot deliver offline, so what an own client sends stays in the queue or comes back; it is taken either way.
    @Test func ownNetworksMayRelay() async throws {
        let installation = try Installation()
        let text = try String(contentsOfFile: installation.file, encoding: .utf8)
        try installation.write("postern.toml", text.replacing("mynetworks = []", with: "mynetworks = [\"127.0.0.1/32\"]"))
        try await running(installation) { _, port in
            let replies = try await SMTPTalk.run(port: port, ["EHLO s.example", "MAIL FROM:<>", "RCPT TO:<x@away.example>"])
            #expect(replies[3].hasPrefix("250"), "\(replies)")
        }
    }

    @Test func aReloadTakesNewRulesAndSettings() async throws {
        let installation = try Installation()
        try await running(installation) { gateway, port in
            let refused = try await deliver(port, to: ["alice+closed@home.example"])[3]
            #expect(refused == "550 5.1.1 closed tag")
            try installation.write("policies/a.policy", "stage rcpt\nrule \"open\" then accept\n")
            try gateway.reload(try SettingsFile.load(installation.file))
            let taken = try await deliver(port, to: ["alice+closed@home.example"])[3]
            #expect(taken.hasPrefix("250"))
        }
    }

    @Test func aReloadWithAMistakeChangesNothing() async throws {
        let installation = try Installation()
        try await running(installation) { gateway, port in
            try installation.write("policies/a.policy", "stage rcpt\nrule \"broken\" when then accept\n")
            #expect(throws: (any Error).self) { try gateway.reload(try SettingsFile.load(installation.file)) }
            let refused = try await deliver(port, to: ["alice+closed@home.example"])[3]
            #expect(refused == "550 5.1.1 closed tag")
        }
    }

    @Test func aBusyPortIsNamed() async throws {
        try await running(try Installation()) { _, port in
            let second = try Installation(port: port).gateway()
            await #expect { try await second.start() } throws: { "\($0)".contains("in use") && "\($0)".contains("\(port)") }
            await second.stop()
        }
    }

    @Test(arguments: [
        ("smtpd_tls_cert_file = \"missing.pem\"", "missing.pem"), ("policy_directory = \"nowhere\"", "nowhere"),
        ("dkim = [{ domain = \"home.example\", selector = \"s\", key_file = \"missing.key\" }]", "missing.key"),
    ])
    func whatIsMissingIsNamed(_ extra: String, _ name: String) throws {
        let installation = try Installation(extra)
        #expect { try installation.gateway() } throws: { "\($0)".contains(name) }
        #expect { try LiveParts.check(try SettingsFile.load(installation.file)) } throws: { "\($0)".contains(name) }
    }
}
