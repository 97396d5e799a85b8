extension Treatments {
    private static let ciphers = Outcome.notNeeded("OpenSSL's own choice of ciphers holds, with TLS 1.2 at the least")

    static let serverTLS: [String: Treatment] = [
        "smtpd_tls_cert_file": Treatment { parameter, draft, source in
            guard !parameter.value.isEmpty, parameter.value.lowercased() != "none" else { return .isDefault("no certificate, no TLS") }
            return Treatment.setting("smtpd_tls_cert_file", .path).apply(parameter, &draft, source)
        },
        // Left out it is the certificate's file, here as there.
        "smtpd_tls_key_file": .setting("smtpd_tls_key_file", .path),
        "smtpd_tls_chain_files": Treatment { parameter, draft, _ in
            guard let first = parameter.words.first else { return .isDefault("no certificate, no TLS") }
            let outcome = draft.set("smtpd_tls_cert_file", TOMLText.string(first), from: parameter.origin)
            return parameter.words.count == 1 ? outcome : .notCarried("one chain is served; smtpd_tls_cert_file is the first, \(first)")
        },
        "smtpd_tls_security_level": Treatment(serverLevel),
        "smtpd_use_tls": .builtIn(["yes"], "STARTTLS is offered wherever there is a certificate", else: .notCarried("STARTTLS is offered wherever there is a certificate")),
        "smtpd_enforce_tls": Treatment { parameter, draft, source in
            parameter.flag == true ? serverLevel(Parameter(file: parameter.file, service: parameter.service, name: parameter.name, value: "encrypt"), &draft, source)
                : .isDefault("strangers may come without TLS")
        },
        "smtpd_tls_protocols": Treatment(protocols), "smtpd_tls_mandatory_protocols": Treatment(protocols),
        "smtpd_tls_auth_only": .builtIn(["yes"], "nobody logs in without TLS", else: .notCarried("nobody logs in without TLS; this cannot be changed")),
        "smtpd_tls_received_header": .builtIn(["yes"], "Received tells of TLS", else: .notNeeded("Received always tells of TLS")),
        "smtpd_tls_loglevel": .notNeeded("TLS is in the line that is logged for each message"),
        "smtpd_tls_wrappermode": .notNeeded("listen.submissions is the port with TLS from the first octet"),
        "smtpd_tls_session_cache_database": .notNeeded("sessions are resumed by tickets"), "smtpd_tls_session_cache_timeout": .notNeeded("sessions are resumed by tickets"),
        "smtpd_tls_ciphers": .says(ciphers), "smtpd_tls_mandatory_ciphers": .says(ciphers), "smtpd_tls_exclude_ciphers": .says(ciphers),
        "smtpd_tls_mandatory_exclude_ciphers": .says(ciphers), "smtpd_tls_eecdh_grade": .says(ciphers), "smtpd_tls_dh1024_param_file": .says(ciphers),
        "smtpd_tls_dh512_param_file": .says(ciphers), "tls_preempt_cipherlist": .says(ciphers), "tls_ssl_options": .says(ciphers),
        "tls_high_cipherlist": .says(ciphers), "tls_medium_cipherlist": .says(ciphers), "tls_eecdh_auto_curves": .says(ciphers),
        "tls_random_source": .says(.notNeeded("the kernel's")),
        "smtpd_tls_eccert_file": .notCarried("one certificate is served; name the ECDSA one in smtpd_tls_cert_file if it is to be that"),
        "smtpd_tls_eckey_file": .notCarried("one certificate is served; see smtpd_tls_eccert_file"),
        "tls_server_sni_maps": Treatment { parameter, draft, source in
            parameter.value.isEmpty ? .isDefault("every name gets the same certificate") : KeyedTables.carry(parameter, to: "tls_server_sni_maps", &draft, source)
        },
        "smtpd_tls_ask_ccert": .builtIn(["no"], "clients are not asked for certificates", else: .notCarried("clients' certificates are not asked for")),
        "smtpd_tls_req_ccert": .builtIn(["no"], "clients are not asked for certificates", else: .notCarried("clients' certificates are not asked for")),
        "smtpd_tls_CAfile": .notNeeded("clients' certificates are not asked for; intermediate certificates belong into smtpd_tls_cert_file"),
        "smtpd_tls_CApath": .notNeeded("clients' certificates are not asked for"),
    ]

    static let clientTLS: [String: Treatment] = [
        "smtp_tls_security_level": Treatment { parameter, draft, source in
            if parameter.value.isEmpty { return .notNeeded("Postfix would not use TLS; here it is used where it can be (smtp_tls_security_level = \"dane\")") }
            return Treatment.setting("smtp_tls_security_level", .words(levels)).apply(parameter, &draft, source)
        },
        "smtp_use_tls": .builtIn(["yes"], "TLS is used wherever it is offered", else: .notCarried("set smtp_tls_security_level = \"none\" if TLS is not to be used")),
        "smtp_enforce_tls": Treatment { parameter, draft, _ in
            parameter.flag == true ? draft.set("smtp_tls_security_level", TOMLText.string("encrypt"), from: parameter.origin) : .isDefault("TLS is used wherever it is offered")
        },
        "smtp_tls_policy_maps": Treatment(tlsPolicies),
        "smtp_tls_CAfile": .setting("smtp_tls_CAfile", .path),
        "smtp_tls_CApath": Treatment { parameter, _, _ in
            parameter.value.hasPrefix("/etc/ssl/certs") ? .isDefault("the system's authorities are used") : .notCarried("name a file of authorities: smtp_tls_CAfile")
        },
        "tls_append_default_CA": .notNeeded("smtp_tls_CAfile stands for itself, or the system's authorities are used"),
        "smtp_tls_note_starttls_offer": .notNeeded("whether TLS was used is logged for each delivery"),
        "smtp_tls_loglevel": .notNeeded("whether TLS was used is logged for each delivery"),
        "smtp_tls_session_cache_database": .notNeeded("connections are kept and used again instead"), "smtp_tls_session_cache_timeout": .notNeeded("connections are kept and used again instead"),
        "smtp_tls_connection_reuse": .builtIn(["yes"], "connections with TLS are used again", else: .notNeeded("connections with TLS are used again; smtp_connection_cache_time_limit = 0 would end that")),
        "smtp_tls_protocols": Treatment(protocols), "smtp_tls_mandatory_protocols": Treatment(protocols),
        "smtp_tls_ciphers": .says(ciphers), "smtp_tls_mandatory_ciphers": .says(ciphers), "smtp_tls_exclude_ciphers": .says(ciphers), "smtp_tls_mandatory_exclude_ciphers": .says(ciphers),
        "smtp_tls_cert_file": .notCarried("no certificate is shown to other servers"), "smtp_tls_key_file": .notCarried("no certificate is shown to other servers"),
        "smtp_tls_chain_files": .notCarried("no certificate is shown to other servers"),
        "smtp_tls_block_early_mail_reply": .notNeeded("what a server sends before the TLS handshake is thrown away"),
        "smtp_tls_dane_insecure_mx_policy": .notNeeded("DANE is used where the MX record is proven by DNSSEC"),
        "smtp_tls_wrappermode": .builtIn(["no"], "TLS begins with STARTTLS", else: .notCarried("relays are reached on port 25 or 587 with STARTTLS; TLS from the first octet is not spoken to them")),
        "smtp_tls_scert_verifydepth": .notNeeded("OpenSSL's own bound holds"),
    ]

    private static let levels = ["none": "none", "may": "may", "encrypt": "encrypt", "dane": "dane", "dane-only": "dane-only", "verify": "verify", "secure": "secure"]

    /// Postfix demands TLS of whoever connects to the service; ours of whoever submits, always.
    private static func serverLevel(_ parameter: Parameter, _ draft: inout Draft, _ source: ImportSource) -> Outcome {
        switch parameter.value.lowercased() {
        case "", "none", "may": return .isDefault("strangers may come without TLS; submission demands it")
        case "encrypt":
            if let service = parameter.service, service.isSubmission { return .isDefault("submission demands TLS") }
            let strangers = Listeners.serviceNames(source.postfix, .smtp).filter { $0.overrides["smtpd_tls_security_level"] == nil || $0 == parameter.service }
            guard !strangers.isEmpty else { return .isDefault("submission demands TLS") }
            draft.add(RuleDraft(stage: "mail", name: parameter.origin + " = encrypt", condition: "listener == smtp", action: "require tls"))
            return .carried("a rule: no mail without TLS. RFC 3207 §4 says that a server to which everybody may send must not demand it: delete the rule to take mail from servers without TLS")
        default: return .notUnderstood("\"\(parameter.value)\" is not none, may or encrypt")
        }
    }

    /// `>=TLSv1.2`, `!SSLv2, !SSLv3`, `TLSv1.2, TLSv1.3`.
    private static func protocols(_ parameter: Parameter, _ draft: inout Draft, _ source: ImportSource) -> Outcome {
        let words = parameter.words.map { $0.lowercased() }
        if words == [">=tlsv1.3"] || words == ["tlsv1.3"] || words.contains("!tlsv1.2") {
            return .notCarried("TLS 1.2 is the least that is spoken; a rule can ask for more: require tls >= TLSv1.3")
        }
        return words.contains(">=tlsv1.2") || words.contains("tlsv1.2") && !words.contains("tlsv1") ? .isDefault("TLS 1.2 is the least that is spoken")
            : .notNeeded("TLS 1.2 is the least that is spoken: older versions were taken out of use (RFC 8996)")
    }

    private static func tlsPolicies(_ parameter: Parameter, _ draft: inout Draft, _ source: ImportSource) -> Outcome {
        KeyedTables.carry(parameter, to: "smtp_tls_policy", &draft, source)
    }
}
