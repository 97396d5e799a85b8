import PostfixDoctor
import Testing
@testable import PostfixImport

/// A Postfix made of literals, and files of literals.
struct Machine {
    var main: [String: String] = ["myhostname": "mail.example.org", "mydestination": "mail.example.org, example.org, localhost", "mynetworks": "127.0.0.0/8 [::1]/128"]
    var master = """
        smtp       inet  n       -       y       -       -       smtpd
        submission inet  n       -       y       -       -       smtpd
        smtps      inet  n       -       y       -       -       smtpd
        """
    /// What postconf says of parameters that main.cf does not set.
    var defaults: [String: String] = [:]
    var overrides: [String: String] = ["smtps/inet/smtpd_tls_wrappermode": "yes"]
    var files: [String: String] = [:]
    var openDKIM: String?
    var openDMARC: String?
    var policydSPF: String?
    var dovecot: String?

    /// Judges as a reader whose settings are all empty by default.
    func imported(refusing refused: Set<String> = [], user: String? = nil,
                  isDefault: @escaping @Sendable (String, String) -> Bool = { ["\"\"", "[]", "{}"].contains($1) || $0 == "milters" && $1 == "[\"builtin\"]" }) throws(ImportFailure) -> PostfixImport {
        let files = files
        let written = main.map { "\($0) = \($1)" }.joined(separator: "\n")
        let defaults = ["inet_interfaces": "all", "inet_protocols": "all", "queue_directory": "/var/spool/postfix", "config_directory": "/etc/postfix"]
        let postfix = PostfixSettings(written: written, values: defaults.merging(self.defaults) { $1 }.merging(main) { $1 }.map { "\($0) = \($1)" }.joined(separator: "\n"), services: master,
                                      overrides: overrides.map { "\($0) = \($1)" }.joined(separator: "\n"))
        let own = OwnSettings { key, value throws in
            if refused.contains(key) { throw ImportFailure("\(key) must be otherwise") }
            return .init(isDefault: isDefault(key, value))
        }
        var source = ImportSource(postfix: postfix, own: own) { path in
            guard let text = files[path] else { throw ImportFailure("there is no such file") }
            return text
        }
        source.openDKIM = openDKIM.map { NamedText(file: "/etc/opendkim.conf", text: $0) }
        source.openDMARC = openDMARC.map { NamedText(file: "/etc/opendmarc.conf", text: $0) }
        source.policydSPF = policydSPF.map { NamedText(file: "/etc/policyd-spf.conf", text: $0) }
        source.dovecot = dovecot.map { NamedText(file: "dovecot.conf", text: $0) }
        return try PostfixImport(source, policyFolder: "policies", user: user)
    }
}

extension PostfixImport {
    func fate(_ name: String) -> ImportedParameter.Fate? { parameters.first { $0.name == name }?.fate }
    func text(_ name: String) -> String { parameters.first { $0.name == name }?.text ?? "" }
}

@Suite struct ParameterTests {
    @Test func identityComesAlong() throws {
        var machine = Machine()
        machine.main["myorigin"] = "/etc/mailname"
        machine.files["/etc/mailname"] = "example.org\n"
        let made = try machine.imported()
        #expect(made.settings.contains("myhostname = \"mail.example.org\"\n"))
        // The domain of the mail first: aliases lead to accounts there.
        #expect(made.settings.contains("mydestination = [\"example.org\", \"mail.example.org\", \"localhost\"]"))
        #expect(made.settings.contains("myorigin = \"example.org\""))
        #expect(made.settings.contains("mynetworks = [\"127.0.0.0/8\", \"::1\"]"))
    }

    /// Without a word in main.cf Postfix has domains, networks and aliases, and no delimiter.
    @Test func defaultsOfPostfixThatAreNotOurs() throws {
        var machine = Machine()
        (machine.main["mydestination"], machine.main["mynetworks"]) = (nil, nil)
        machine.defaults = ["mydestination": "mail.example.org, localhost.example.org, localhost", "recipient_delimiter": "", "alias_maps": "hash:/etc/aliases, nis:mail.aliases"]
        machine.files["/etc/aliases"] = "root: alice\n"
        let made = try machine.imported(isDefault: { _, _ in false })
        #expect(made.settings.contains("mydestination = [\"mail.example.org\", \"localhost.example.org\", \"localhost\"]"))
        #expect(made.settings.contains("recipient_delimiter = \"\""))
        #expect(made.settings.contains("alias_maps = [\"hash:/etc/aliases\"]"))
        #expect(made.text("mydestination").hasPrefix("Postfix's default: "))
    }

    @Test(arguments: [
        ("[::ffff:127.0.0.0]/104", "127.0.0.0/8"), ("[::1]/128", "::1"), ("192.0.2.7", "192.0.2.7"), ("[2001:db8::]/32", "2001:db8::/32"),
    ])
    func networks(_ postfix: String, _ ours: String) { #expect(Treatments.network(postfix) == ours) }

    @Test func aFileThatCannotBeReadIsNamed() throws {
        var machine = Machine()
        machine.main["myorigin"] = "/etc/mailname"
        let made = try machine.imported()
        #expect(made.fate("myorigin") == .notUnderstood)
        #expect(made.text("myorigin") == "/etc/mailname: there is no such file")
    }

    @Test func whatOurReaderRefusesIsSaid() throws {
        var machine = Machine()
        machine.main["message_size_limit"] = "5"
        let made = try machine.imported(refusing: ["message_size_limit"])
        #expect(made.fate("message_size_limit") == .notUnderstood)
        #expect(made.text("message_size_limit") == "message_size_limit must be otherwise")
        #expect(!made.settings.contains("message_size_limit"))
    }

    @Test func aNameOfOnesOwnIsNoParameter() throws {
        var machine = Machine()
        machine.main["mua_client_restrictions"] = "permit_sasl_authenticated, reject"
        #expect(try machine.imported().fate("mua_client_restrictions") == .notNeeded)
    }

    /// Every parameter that Postfix knows has a treatment, so that nothing of a main.cf is passed over in silence.
    @Test func everyParameterOfPostfixIsKnown() {
        let open = PostfixParameters.known.filter { Treatments.treatment(of: $0) == nil && !RestrictionLists.names.contains($0) }
        #expect(open.sorted() == [])
    }

    @Test func listenersAreTheServices() throws {
        var machine = Machine()
        machine.main["inet_interfaces"] = "192.0.2.25, 127.0.0.1"
        machine.overrides["submission/inet/smtpd_sasl_auth_enable"] = "yes"
        let made = try machine.imported()
        #expect(made.settings.contains("smtp = [\"192.0.2.25:25\", \"127.0.0.1:25\"]"))
        #expect(made.settings.contains("submission = [\"192.0.2.25:587\", \"127.0.0.1:587\"]"))
        #expect(made.settings.contains("submissions = [\"192.0.2.25:465\", \"127.0.0.1:465\"]"))
        #expect(made.settings.contains("milter = \"\""))
    }

    @Test func aPortOfOnesOwnForUsersIsSubmission() throws {
        var machine = Machine()
        machine.master += "\n192.0.2.9:2587 inet n - y - - smtpd\n10026 inet n - y - - smtpd"
        machine.overrides["192.0.2.9:2587/inet/smtpd_sasl_auth_enable"] = "yes"
        machine.overrides["192.0.2.9:2587/inet/smtpd_recipient_restrictions"] = "permit_sasl_authenticated,reject"
        let made = try machine.imported()
        #expect(made.settings.contains("submission = [\"*:587\", \"192.0.2.9:2587\"]"))
        #expect(made.settings.contains("smtp = [\"*:25\", \"*:10026\"]"))
    }

    @Test func anInterfaceByNameIsAnError() {
        var machine = Machine()
        machine.main["inet_interfaces"] = "eth0.example"
        #expect(throws: ImportFailure("inet_interfaces: \"eth0.example\" is a name: write its address, since a listener is bound to an address here")) { try machine.imported() }
    }

    @Test func aliasTablesAreReadAndCarried() throws {
        var machine = Machine()
        machine.main["alias_maps"] = "hash:/etc/aliases, regexp:/etc/alias-patterns"
        machine.files["/etc/aliases"] = "postmaster: root\nroot: alice\n"
        let made = try machine.imported()
        #expect(made.settings.contains("alias_maps = [\"hash:/etc/aliases\"]"))
        #expect(made.fate("alias_maps") == .notCarried)
        #expect(made.text("alias_maps").contains("regexp:/etc/alias-patterns: patterns are not carried"))
        machine.main["alias_maps"] = "hash:/etc/aliases"
        #expect(try machine.imported().fate("alias_maps") == .carried)
    }

    @Test func anAliasThatRunsAProgramIsNamedWithItsLine() throws {
        var machine = Machine()
        machine.main["alias_maps"] = "hash:/etc/aliases"
        machine.files["/etc/aliases"] = "root: alice\nlist: \"|/usr/bin/list\"\n"
        let made = try machine.imported()
        #expect(made.fate("alias_maps") == .notCarried)
        #expect(made.text("alias_maps").hasPrefix("/etc/aliases:2: "))
        #expect(!made.settings.contains("alias_maps"))
    }

    @Test func transportAndPasswords() throws {
        var machine = Machine()
        machine.main["transport_maps"] = "proxy:hash:/etc/postfix/transport"
        machine.main["smtp_sasl_password_maps"] = "hash:/etc/postfix/sasl_passwd"
        machine.files["/etc/postfix/transport"] = "# comment\npartner.example   relay:[192.0.2.1]:25\n.local.example\n    lmtp:unix:/run/lmtp\n"
        let made = try machine.imported()
        #expect(made.settings.contains("transport = { \"partner.example\" = \"smtp:[192.0.2.1]:25\", \".local.example\" = \"lmtp:unix:/run/lmtp\" }"))
        #expect(made.settings.contains("smtp_sasl_password_file = \"/etc/postfix/sasl_passwd\""))
        #expect(made.steps.contains { $0.contains("/etc/postfix/sasl_passwd") })
    }

    @Test func timesWithoutUnit() throws {
        var machine = Machine()
        machine.main["maximal_queue_lifetime"] = "3"
        machine.main["minimal_backoff_time"] = "300s"
        let made = try machine.imported()
        #expect(made.settings.contains("maximal_queue_lifetime = \"3d\""))
        #expect(made.settings.contains("minimal_backoff_time = \"300s\""))
    }

    @Test func databasesAreNotAsked() throws {
        var machine = Machine()
        machine.main["virtual_mailbox_domains"] = "mysql:/etc/postfix/domains.cf"
        #expect(try machine.imported().fate("virtual_mailbox_domains") == .notCarried)
    }

    @Test func accountsOfTheSystem() throws {
        var machine = Machine()
        machine.files["/etc/passwd"] = "root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000:Alice:/home/alice:/bin/bash\nvmail:x:1001:1001::/var/vmail:/usr/sbin/nologin\n"
        #expect(try machine.imported().accounts == [AccountDraft(name: "alice", addresses: ["alice@example.org", "alice@mail.example.org"], origin: "/etc/passwd")])
    }
}
