import Testing
@testable import PostfixDoctor

@Suite struct DoctorTests {
    /// A Postfix that is wired as it should be; each test breaks one thing.
    struct Wiring {
        var main = [
            "config_directory": "/etc/postfix", "queue_directory": "/var/spool/postfix", "compatibility_level": "3.6", "myhostname": "mail.example.org",
            "recipient_delimiter": "+", "milter_protocol": "6", "milter_default_action": "tempfail", "smtpd_milters": "inet:localhost:12301",
            "non_smtpd_milters": "inet:localhost:12301", "smtpd_sasl_type": "dovecot", "smtpd_sasl_path": "private/auth", "smtpd_sasl_auth_enable": "no",
            "mailbox_transport": "lmtp:unix:private/postern-lmtp", "internal_mail_filter_classes": "",
            "milter_connect_macros": "j {daemon_name} {daemon_addr} v _", "milter_helo_macros": "{tls_version} {cipher} {cipher_bits}",
            "milter_mail_macros": "i {auth_type} {auth_authen} {auth_author}", "milter_rcpt_macros": "i {rcpt_addr}", "milter_end_of_data_macros": "i",
        ]
        var master = """
            smtp       inet  n       -       y       -       -       smtpd
            submission inet  n       -       y       -       -       smtpd -o x=y
            cleanup    unix  n       -       y       -       0       cleanup
            lmtp       unix  -       -       y       -       -       lmtp
            local      unix  -       n       n       -       -       local
            """
        var overrides = ["submission/inet/milter_macro_daemon_name": "ORIGINATING", "submission/inet/smtpd_sasl_auth_enable": "yes"]
        var own = OwnWiring(milter: "inet:localhost:12301", authservID: "mail.example.org", recipientDelimiter: "+",
                            lmtp: [.unix("/var/spool/postfix/private/postern-lmtp")], logIn: [.unix("/var/spool/postfix/private/auth")],
                            file: "/etc/postern/postern.toml")
        var silent: Set<Endpoint> = []

        var settings: PostfixSettings {
            PostfixSettings(written: "", values: main.map { "\($0) = \($1)" }.joined(separator: "\n"), services: master,
                            overrides: overrides.map { "\($0) = \($1)" }.joined(separator: "\n"))
        }
        var findings: [Finding] {
            let answers = Dictionary(uniqueKeysWithValues: PostfixDoctor.endpoints(settings).map { ($0, !silent.contains($0)) })
            return PostfixDoctor(settings, own: own, answers: answers).findings()
        }
        var fixes: [Finding] { findings.filter { $0.weight == .fix } }
    }

    @Test func aGoodWiringHasNothingToFix() {
        let wiring = Wiring()
        #expect(wiring.fixes == [])
        #expect(Set(wiring.findings.map(\.check)) == ["default-action", "internal-mail"])
        #expect(PostfixDoctor.endpoints(wiring.settings)
            == [.inet(host: "localhost", port: 12301), .unix("/var/spool/postfix/private/auth"), .unix("/var/spool/postfix/private/postern-lmtp")])
    }

    struct Break: Sendable, CustomTestStringConvertible {
        let check: String
        /// How the line to change begins.
        let line: String
        let change: @Sendable (inout Wiring) -> Void
        var testDescription: String { "\(check): \(line)" }
    }

    static let breaks = [
        Break(check: "milter-protocol", line: "milter_protocol = 6") { $0.main["milter_protocol"] = "2" },
        Break(check: "milter-missing", line: "smtpd_milters = inet:localhost:12301") { $0.main["smtpd_milters"] = "" },
        Break(check: "milter-missing", line: "  -o smtpd_milters=inet:localhost:12301") { $0.overrides["submission/inet/smtpd_milters"] = "" },
        Break(check: "milter-twice", line: "smtpd_milters = inet:localhost:12301") { $0.main["smtpd_milters"] = "inet:127.0.0.1:12301, inet:localhost:12301" },
        Break(check: "non-smtpd-milters", line: "non_smtpd_milters = inet:localhost:12301") { $0.main["non_smtpd_milters"] = "" },
        Break(check: "two-signers", line: "smtpd_milters = inet:localhost:12301") { $0.main["smtpd_milters"] = "inet:localhost:12301, unix:opendkim/opendkim.sock" },
        Break(check: "two-signers", line: "non_smtpd_milters = inet:localhost:12301") { $0.main["non_smtpd_milters"] = "inet:localhost:8891 inet:localhost:12301" },
        Break(check: "two-verifiers", line: "smtpd_milters = inet:localhost:12301") {
            $0.main["smtpd_milters"] = "{ inet:localhost:8893, connect_timeout=10s }, inet:localhost:12301"
        },
        Break(check: "milter-silent", line: "smtpd_milters = inet:localhost:12301") { $0.silent = [.inet(host: "localhost", port: 12301)] },
        Break(check: "socket-path", line: "listen.milter = \"unix:/var/spool/postfix/run/postern/milter.sock\"") {
            $0.own.milter = "unix:/run/postern/milter.sock"
            $0.main["smtpd_milters"] = "unix:/run/postern/milter.sock"
            $0.main["non_smtpd_milters"] = "unix:/run/postern/milter.sock"
        },
        Break(check: "authserv-id", line: "authserv_id = \"mail.example.org\"") { $0.own.authservID = "mx.example.org" },
        Break(check: "recipient-delimiter", line: "recipient_delimiter = \"+-\"") { $0.main["recipient_delimiter"] = "+-" },
        Break(check: "originating", line: "submission inet …") { $0.overrides["submission/inet/milter_macro_daemon_name"] = nil },
        Break(check: "log-in-type", line: "smtpd_sasl_type = dovecot") { $0.main["smtpd_sasl_type"] = "cyrus" },
        Break(check: "log-in-path", line: "smtpd_sasl_path = private/auth") { $0.main["smtpd_sasl_path"] = "private/dovecot" },
        Break(check: "log-in-silent", line: "listen.dovecot_auth = [\"unix:/var/spool/postfix/private/auth\"]") { $0.silent = [.unix("/var/spool/postfix/private/auth")] },
        Break(check: "log-in-on-port-25", line: "smtpd_sasl_auth_enable = no") { $0.main["smtpd_sasl_auth_enable"] = "yes" },
        Break(check: "lmtp-name", line: "mailbox_transport = lmtp:unix:private/postern-lmtp") { $0.main["mailbox_transport"] = "lmtp:unix:private/lmtp" },
        Break(check: "lmtp-path", line: "virtual_transport = lmtp:unix:private/postern-lmtp") { $0.main["virtual_transport"] = "lmtp:unix:private/dovecot-lmtp" },
        Break(check: "lmtp-silent", line: "listen.lmtp = [\"unix:/var/spool/postfix/private/postern-lmtp\"]") {
            $0.silent = [.unix("/var/spool/postfix/private/postern-lmtp")]
        },
    ]

    @Test(arguments: breaks) func whatIsBrokenIsFoundWithItsLine(_ broken: Break) throws {
        var wiring = Wiring()
        broken.change(&wiring)
        let found = wiring.fixes.filter { $0.check == broken.check }
        #expect(found.contains { $0.lines.first?.hasPrefix(broken.line) == true }, "\(wiring.fixes)")
        #expect(found.allSatisfy { $0.file != nil && !$0.text.isEmpty })
        #expect(Set(wiring.fixes.map(\.check)).subtracting([broken.check]).isEmpty, "nothing else is wrong: \(wiring.fixes)")
    }

    @Test func macrosThatAreHiddenMatterBelowVersion6() throws {
        var wiring = Wiring()
        wiring.main["milter_mail_macros"] = "i {mail_addr}"
        let note = try #require(wiring.findings.first { $0.check == "milter-macros" })
        #expect(note.weight == .note && note.text.contains("{auth_type} {auth_authen}"))
        #expect(note.lines == ["milter_mail_macros = i {mail_addr} {auth_type} {auth_authen}"])
        wiring.main["milter_protocol"] = "4"
        #expect(wiring.fixes.contains { $0.check == "milter-macros" })
    }

    @Test(arguments: [("accept", "fails open"), ("tempfail", "fails closed"), ("reject", "refused for good"), ("quarantine", "hold queue")])
    func failureIsExplained(_ action: String, _ words: String) {
        var wiring = Wiring()
        wiring.main["milter_default_action"] = action
        #expect(wiring.findings.contains { $0.check == "default-action" && $0.weight == .note && $0.text.contains(words) })
        var own = Wiring()
        own.main["smtpd_milters"] = "{ inet:localhost:12301, default_action=\(action) }"
        #expect(own.findings.contains { $0.check == "default-action" && $0.text.contains(words) })
    }

    @Test func theGuidesOwnFiles() {
        var wiring = Wiring()
        wiring.main["milter_default_action"] = "accept"
        wiring.main["milter_macro_daemon_name"] = "ORIGINATING"
        wiring.main["smtpd_sasl_auth_enable"] = "yes"
        #expect(wiring.fixes.map(\.check) == ["log-in-on-port-25"])
        #expect(wiring.findings.contains { $0.check == "originating-everywhere" && $0.weight == .note })
    }

    @Test func pathsAreThoseThatAChrootedClientSees() {
        #expect(Endpoint("unix:/a", queue: "/q", isChrooted: true) == .unix("/q/a"))
        #expect(Endpoint("unix:/a", queue: "/q", isChrooted: false) == .unix("/a"))
        #expect(Endpoint("private/auth", queue: "/q", isChrooted: false) == .unix("/q/private/auth"))
        #expect(Endpoint("inet:[::1]:99", queue: "/q", isChrooted: true) == .inet(host: "::1", port: 99))
        #expect(Endpoint("inet:nowhere", queue: "/q", isChrooted: true) == nil)
        let old = PostfixSettings(written: "", values: "compatibility_level = 0", services: "smtp inet n - - - - smtpd\nsmtps inet n - n - - smtpd", overrides: "")
        #expect(old.smtpd.map(\.isChrooted) == [true, false])
    }

    @Test(arguments: ["", "garbage", "= x", "a/b = c", "smtp inet", "{ unbalanced"]) func oddTextIsPassedOver(_ text: String) {
        let settings = PostfixSettings(written: text, values: "smtpd_milters = \(text)", services: text, overrides: text)
        _ = PostfixDoctor(settings, own: Wiring().own, answers: [:]).findings()
        #expect(settings.services.isEmpty)
    }
}
