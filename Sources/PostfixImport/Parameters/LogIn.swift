extension Treatments {
    private static let accounts = Outcome.notNeeded("log-ins are checked by our own accounts: postern account")

    static let logIn: [String: Treatment] = [
        "smtpd_sasl_auth_enable": Treatment { parameter, _, _ in
            parameter.flag == true ? .isDefault("users log in on the submission ports; on port 25, where other servers deliver, no log-in is offered")
                : .isDefault("no log-in is offered on port 25")
        },
        "smtpd_sasl_type": .says(accounts), "smtpd_sasl_path": .says(accounts), "smtpd_sasl_local_domain": .says(accounts), "cyrus_sasl_config_path": .says(accounts),
        "smtpd_sasl_service": .says(accounts),
        "smtpd_sasl_security_options": .isDefault("nobody logs in anonymously, and nobody without TLS"),
        "smtpd_sasl_tls_security_options": .isDefault("nobody logs in anonymously"),
        "smtpd_sasl_mechanism_filter": .notNeeded("PLAIN, LOGIN and SCRAM-SHA-256 are offered, all within TLS"),
        "smtpd_sasl_authenticated_header": .setting("smtpd_sasl_authenticated_header", .flag),
        "smtpd_sasl_exceptions_networks": .notNeeded("log-ins are offered on the submission ports only"),
        "broken_sasl_auth_clients": .notNeeded("the form that such clients want was Outlook Express's and is no longer met"),
        "smtpd_sender_login_maps": .notNeeded("an account may write as its addresses, and as aliases that lead to it alone; see reject_sender_login_mismatch"),
        "smtpd_client_auth_rate_limit": .notNeeded("who guesses passwords waits longer with each failure"),
        "smtp_sasl_auth_enable": Treatment { parameter, _, _ in
            parameter.flag == true ? .carried("whoever has a line in smtp_sasl_password_file is logged in to") : .isDefault("without smtp_sasl_password_file nobody is logged in to")
        },
        "smtp_sasl_password_maps": Treatment(relayPasswords),
        "smtp_sasl_security_options": Treatment { parameter, draft, source in
            // noplaintext, Postfix's default, keeps passwords from going out in the clear, as we do.
            parameter.words.contains("noplaintext") || source.postfix.value("smtp_tls_security_level") != "none"
                ? .isDefault("a password goes out within TLS only") : draft.set("smtp_sasl_without_tls", "true", from: parameter.origin)
        },
        "smtp_sasl_tls_security_options": .isDefault("a password goes out within TLS only"),
        "smtp_sasl_mechanism_filter": .notNeeded("the best of SCRAM-SHA-256, PLAIN and LOGIN that is offered is taken"),
        "smtp_sasl_type": .notNeeded("no SASL library is used"), "smtp_sasl_path": .notNeeded("no SASL library is used"),
        "smtp_sender_dependent_authentication": .builtIn(["no"], "one log-in for each relay host", else: .notCarried("one log-in for each relay host, whoever the sender is")),
    ]

    /// Our file has the syntax of the table's source.
    private static func relayPasswords(_ parameter: Parameter, _ draft: inout Draft, _ source: ImportSource) -> Outcome {
        let tables = TableReference.list(parameter.value)
        guard let table = tables.first else { return .isDefault("no relay host is logged in to") }
        guard table.isReadable else { return .notCarried(table.whyNot) }
        guard tables.count == 1 else { return .notCarried("one file is read: put the lines of all of them into \(table.name) and set smtp_sasl_password_file") }
        draft.step("\(table.name) holds passwords and must not be open to everybody (chmod o= it), and our user must be able to read it")
        return draft.set("smtp_sasl_password_file", TOMLText.string(table.name), from: parameter.origin)
    }
}
