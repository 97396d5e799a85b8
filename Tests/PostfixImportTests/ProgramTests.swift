import Testing
@testable import PostfixImport

@Suite struct ProgramTests {
    private func made(_ openDKIM: String, _ files: [String: String]) throws -> PostfixImport {
        var machine = Machine()
        machine.main["smtpd_milters"] = "inet:localhost:8891"
        machine.main["non_smtpd_milters"] = "inet:localhost:8891"
        machine.openDKIM = openDKIM
        machine.files = files
        return try machine.imported()
    }

    @Test func oneKey() throws {
        let made = try made("Domain example.org  # ours\nSelector s1\nKeyFile /etc/dkim/s1.private\nSubDomains yes\nSocket inet:8891@localhost\n", [:])
        #expect(made.settings.contains("[[dkim]]\ndomain = \"example.org\"\nselector = \"s1\"\nkey_file = \"/etc/dkim/s1.private\"\nsubdomains = true\n"))
        #expect(!made.settings.contains("milters ="))
        #expect(made.fate("Selector") == .carried && made.fate("Socket") == .notNeeded)
    }

    @Test func tables() throws {
        let made = try made("KeyTable file:/etc/dkim/keys\nSigningTable refile:/etc/dkim/signing\n", [
            "/etc/dkim/keys": "k1 example.org:s1:/etc/dkim/s1\nk2 %:s2:/etc/dkim/s2\nk3 other.example:s3:/etc/dkim/s3\n",
            "/etc/dkim/signing": "*@example.org k1\n*@*.example.org k1\n*@shop.example k2\n*@partner.example k3\nalice@example.org k1\n",
        ])
        #expect(made.settings.contains("domain = \"example.org\"\nselector = \"s1\"\nkey_file = \"/etc/dkim/s1\"\nsubdomains = true"))
        #expect(made.settings.contains("domain = \"shop.example\"\nselector = \"s2\""))
        #expect(!made.settings.contains("other.example"))
        #expect(made.fate("SigningTable") == .notCarried)
        #expect(made.text("SigningTable").contains("mail of partner.example would be signed by other.example"))
        #expect(made.text("SigningTable").contains("/etc/dkim/signing:5: alice@example.org: a key signs for all of a domain here"))
    }

    @Test func aTableThatIsNotThere() throws {
        let made = try made("KeyTable /etc/dkim/keys\nSigningTable /etc/dkim/signing\n", [:])
        #expect(made.text("SigningTable") == "/etc/dkim/keys: there is no such file")
    }

    @Test func internalHostsBeyondMynetworks() throws {
        let made = try made("InternalHosts 127.0.0.1, 192.0.2.0/24\n", [:])
        #expect(made.fate("InternalHosts") == .notCarried)
        #expect(made.text("InternalHosts").contains("192.0.2.0/24"))
    }

    @Test func otherMiltersStay() throws {
        var machine = Machine()
        machine.main["smtpd_milters"] = "inet:localhost:8891, { inet:localhost:11332, default_action=accept }"
        machine.main["milter_default_action"] = "accept"
        let made = try machine.imported()
        #expect(made.settings.contains("milters = [\"builtin\", \"{ inet:localhost:11332, default_action=accept }\"]"))
        #expect(made.settings.contains("milter_default_action = \"accept\""))
        // Without non_smtpd_milters local mail had none; ours is filtered by what is built in.
        #expect(made.settings.contains("local = [\"builtin\"]"))
    }

    @Test func rejectFailures() throws {
        var machine = Machine()
        machine.openDMARC = "RejectFailures true\nAuthservID HOSTNAME\nSocket local:/run/x.sock\nNonsense 1\n"
        let made = try machine.imported()
        #expect(made.rules?.contains("dmarc.result == fail and dmarc.policy == reject") == true)
        #expect(made.fate("AuthservID") == .isDefault)
        #expect(made.fate("Nonsense") == .notUnderstood)
    }

    @Test func dovecot() throws {
        var machine = Machine()
        machine.dovecot = """
            # 2.3.19.1
            mail_location = maildir:~/Maildir
            protocols = imap
            passdb {
              args = scheme=CRYPT username_format=%u /etc/dovecot/users
              driver = passwd-file
            }
            service imap-login {
              inet_listener imap {
                port = 0
              }
              inet_listener imaps {
                port = 1993
              }
            }
            ssl_cert = </etc/ssl/mail.pem
            """
        machine.files["/etc/dovecot/users"] = "alice:{CRYPT}x::::\nbob@example.org:{CRYPT}y::::\n"
        #expect(try machine.imported().settings.contains("passwd_file = \"/etc/dovecot/users\""))
        // Where such files are not read, its users are told one by one.
        let made = try machine.imported(refusing: ["passwd_file"])
        #expect(made.settings.contains("imaps = [\"*:1993\"]"))
        #expect(made.settings.contains("smtpd_tls_cert_file = \"/etc/ssl/mail.pem\""))
        #expect(made.accounts.map(\.name) == ["alice", "bob@example.org"])
        #expect(made.accounts.first?.addresses == ["alice@mail.example.org", "alice@example.org"])
    }
}
