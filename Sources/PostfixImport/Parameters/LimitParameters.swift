extension Treatments {
    private static let errors = Outcome.notNeeded("a client that makes errors is slowed down and then sent away; the counts cannot be set")

    static let limits: [String: Treatment] = [
        "message_size_limit": Treatment { parameter, draft, _ in
            parameter.value == "0" ? .notCarried("a size has to be named: the largest message is held in the spool folder; message_size_limit is 10240000 by default")
                : draft.set("message_size_limit", parameter.value, from: parameter.origin)
        },
        "smtpd_recipient_limit": .setting("smtpd_recipient_limit", .number),
        "smtpd_recipient_overshoot_limit": .says(errors),
        "smtpd_client_connection_count_limit": .setting("smtpd_client_connection_count_limit", .number),
        "smtpd_client_connection_rate_limit": .setting("smtpd_client_connection_rate_limit", .number),
        "smtpd_client_message_rate_limit": .setting("smtpd_client_message_rate_limit", .number),
        "smtpd_client_recipient_rate_limit": .setting("smtpd_client_recipient_rate_limit", .number),
        "smtpd_client_new_tls_session_rate_limit": .builtIn(["0"], "handshakes are not counted", else: .notNeeded("smtpd_client_connection_rate_limit counts connections, each of which begins with one")),
        "smtpd_client_event_limit_exceptions": Treatment { parameter, _, source in
            parameter.value == source.postfix.value("mynetworks") || parameter.value.isEmpty ? .isDefault("mynetworks are not limited") : .notCarried("mynetworks, and nobody else, are not limited")
        },
        "anvil_rate_time_unit": .setting("anvil_rate_time_unit", .time),
        "anvil_status_update_time": .notNeeded("rates are not logged by themselves"),
        "smtpd_timeout": .setting("smtpd_timeout", .time),
        "smtpd_starttls_timeout": .notNeeded("smtpd_timeout holds for the handshake too"),
        "smtpd_hard_error_limit": .says(errors), "smtpd_soft_error_limit": .says(errors), "smtpd_error_sleep_time": .says(errors), "smtpd_junk_command_limit": .says(errors),
        "smtpd_per_request_deadline": .notNeeded("smtpd_timeout is a deadline"), "smtpd_min_data_rate": .notNeeded("smtpd_timeout is a deadline"),
        "hopcount_limit": .setting("hopcount_limit", .number),
        "header_size_limit": .notNeeded("parsers have bounds of their own"), "header_address_token_limit": .notNeeded("parsers have bounds of their own"),
        "mime_nesting_limit": .notNeeded("parsers have bounds of their own"), "mime_boundary_length_limit": .notNeeded("parsers have bounds of their own"),
        "line_length_limit": .notNeeded("parsers have bounds of their own"), "smtp_line_length_limit": .notNeeded("lines go out as they came, up to RFC 5322's 998 octets"),
        "queue_minfree": .setting("queue_minfree", .number),
        "smtpd_authorized_xclient_hosts": Treatment { parameter, draft, source in
            var refused: [String] = []
            let networks = networks(parameter.value, source, &refused)
            guard refused.isEmpty else { return .notCarried(refused.joined(separator: "; ")) }
            return draft.set("smtpd_authorized_xclient_hosts", TOMLText.list(networks), from: parameter.origin)
        },
        "smtpd_authorized_xforward_hosts": Treatment { parameter, _, _ in parameter.value.isEmpty ? .isDefault("XFORWARD is not taken") : .notCarried("XFORWARD is not spoken; a proxy may say XCLIENT (smtpd_authorized_xclient_hosts)") },
        "smtpd_upstream_proxy_protocol": Treatment { parameter, _, _ in parameter.value.isEmpty ? .isDefault("clients connect themselves") : .notCarried("HAProxy's protocol is not spoken; a proxy may say XCLIENT (smtpd_authorized_xclient_hosts)") },
    ]

    static let queue: [String: Treatment] = [
        "minimal_backoff_time": .setting("minimal_backoff_time", .time), "maximal_backoff_time": .setting("maximal_backoff_time", .time),
        "queue_run_delay": .notNeeded("each message has its own time to be tried again"),
        // Without a unit Postfix counts these in days and hours.
        "maximal_queue_lifetime": Treatment { parameter, draft, _ in lifetime(parameter, "maximal_queue_lifetime", unit: "d", &draft) },
        "bounce_queue_lifetime": Treatment { parameter, draft, _ in lifetime(parameter, "bounce_queue_lifetime", unit: "d", &draft) },
        "delay_warning_time": Treatment { parameter, draft, _ in lifetime(parameter, "delay_warning_time", unit: "h", &draft) },
        "initial_destination_concurrency": .setting("initial_destination_concurrency", .number),
        "default_destination_concurrency_limit": .setting("default_destination_concurrency_limit", .number),
        "smtp_destination_concurrency_limit": .setting("default_destination_concurrency_limit", .number),
        "default_destination_concurrency_failed_cohort_limit": .setting("default_destination_concurrency_failed_cohort_limit", .number),
        "default_destination_recipient_limit": .setting("default_destination_recipient_limit", .number),
        "smtp_destination_recipient_limit": .setting("default_destination_recipient_limit", .number),
        "default_process_limit": .setting("default_process_limit", .number),
        "qmgr_message_active_limit": .notNeeded("the queue is not held in memory"), "qmgr_message_recipient_limit": .notNeeded("the queue is not held in memory"),
        "bounce_size_limit": .notNeeded("a notice has the header of the message, and the whole where the sender asked for it"),
        "bounce_template_file": Treatment { parameter, _, _ in parameter.value.isEmpty ? .isDefault("notices have our text") : .notCarried("notices have our text") },
        "notify_classes": .notNeeded("what goes wrong is logged, and told by postern status and the metrics"),
        "2bounce_notice_recipient": .notNeeded("a notice that cannot be delivered goes to the postmaster"), "error_notice_recipient": .notNeeded("what goes wrong is logged"),
        "bounce_notice_recipient": .notNeeded("copies of notices are not made"), "delay_notice_recipient": .notNeeded("copies of notices are not made"),
        "double_bounce_sender": .notNeeded("notices have the empty sender"), "confirm_delay_cleared": .notNeeded("notices of delay are sent once"),
        "fast_flush_domains": .notNeeded("postern queue retry DOMAIN"), "soft_bounce": .builtIn(["no"], "refusals are for good", else: .notCarried("refusals are for good; rules can say tempfail")),
        "enable_long_queue_ids": .notNeeded("ids are never used again"), "hash_queue_names": .notNeeded("folders are divided as they need to be"), "hash_queue_depth": .notNeeded("folders are divided as they need to be"),
    ]

    private static func lifetime(_ parameter: Parameter, _ key: String, unit: String, _ draft: inout Draft) -> Outcome {
        let text = parameter.value.allSatisfy(\.isNumber) && parameter.value != "0" ? parameter.value + unit : parameter.value
        guard let toml = ValueKind.time.toml(text) else { return .notUnderstood("\"\(parameter.value)\" is not a time such as 5d") }
        return draft.set(key, toml, from: parameter.origin)
    }

    static let relay: [String: Treatment] = [
        "relayhost": .setting("relayhost", .text),
        "smtp_fallback_relay": Treatment { parameter, _, _ in parameter.value.isEmpty ? .isDefault("there is no other way") : .notCarried("mail that a domain's servers do not take waits and is tried again") },
        "fallback_relay": .notCarried("mail that a domain's servers do not take waits and is tried again"),
        "transport_maps": Treatment { parameter, draft, source in KeyedTables.carry(parameter, to: "transport", &draft, source, value: transport) },
        "default_transport": .builtIn(["smtp"], "mail leaves by SMTP", else: .notCarried("a line \"*\" in [transport] says how all mail leaves")),
        "relay_transport": .builtIn(["relay", "smtp"], "mail leaves by SMTP", else: .notCarried("name the domains in [transport]")),
        "relay_domains": Treatment(relayDomains),
        "relay_recipient_maps": Treatment { parameter, _, _ in parameter.value.isEmpty ? .isDefault("see relay_domains") : .notCarried("see relay_domains") },
        "sender_dependent_relayhost_maps": Treatment { parameter, _, _ in parameter.value.isEmpty ? .isDefault("mail goes by its recipients") : .notCarried("mail goes by its recipients, whoever the sender is: relayhost and [transport]") },
        "sender_dependent_default_transport_maps": Treatment { parameter, _, _ in parameter.value.isEmpty ? .isDefault("mail goes by its recipients") : .notCarried("mail goes by its recipients, whoever the sender is: relayhost and [transport]") },
        "smtp_helo_name": Treatment { parameter, _, source in
            parameter.value.lowercased() == source.postfix.value("myhostname").lowercased() ? .isDefault("EHLO names myhostname") : .notCarried("EHLO names myhostname, which the address's PTR record should name too")
        },
        "smtp_tcp_port": Treatment { parameter, draft, _ in draft.set("smtp_port", parameter.value == "smtp" ? "25" : parameter.value, from: parameter.origin) },
        "smtp_connection_cache_time_limit": .setting("smtp_connection_cache_time_limit", .time),
        "smtp_connection_reuse_count_limit": Treatment { parameter, draft, _ in
            parameter.value == "0" ? .notNeeded("a connection ends after smtp_connection_reuse_time_limit, as in Postfix, or a hundred messages") : draft.set("smtp_connection_reuse_count_limit", parameter.value, from: parameter.origin)
        },
        "smtp_connection_reuse_time_limit": .setting("smtp_connection_reuse_time_limit", .time),
        "smtp_connection_cache_on_demand": .builtIn(["yes"], "connections are kept for the next message", else: .notCarried("set smtp_connection_cache_time_limit = 0")),
        "smtp_connection_cache_destinations": .notNeeded("connections are kept for the next message wherever mail goes"),
        "smtp_always_send_ehlo": .notNeeded("EHLO is always sent"), "smtp_never_send_ehlo": .builtIn(["no"], "EHLO is always sent", else: .notCarried("EHLO is always sent")),
        "smtp_mx_address_limit": .notNeeded("every address is tried, within a deadline"), "smtp_mx_session_limit": .notNeeded("every address is tried, within a deadline"),
        "smtp_randomize_addresses": .builtIn(["yes"], "servers of one preference are asked in random order", else: .notNeeded("servers of one preference are asked in random order, as RFC 5321 §5.1 says")),
        "smtp_skip_5xx_greeting": .notNeeded("a server that greets with 5xx is passed over for the next one"),
        "smtp_send_xforward_command": .notNeeded("XFORWARD is not sent"), "smtp_quote_rfc821_envelope": .isDefault("addresses are quoted as RFC 5321 has them"),
        "disable_mime_output_conversion": .notNeeded("a message is converted only for a server that does not take 8BITMIME"),
    ]

    /// Ours has no name in front for SMTP but `smtp`.
    private static func transport(_ text: String) -> String {
        let name = text.prefix { $0 != ":" }
        return name == "relay" ? "smtp" + text.dropFirst(name.count) : text
    }

    private static func relayDomains(_ parameter: Parameter, _ draft: inout Draft, _ source: ImportSource) -> Outcome {
        if parameter.value.isEmpty || parameter.value == source.postfix.value("mydestination") { return .isDefault("mail for other domains is taken from own users and mynetworks only") }
        return .notCarried("a server that stands in for another one (secondary MX) is not what this is: mail for other domains is taken from own users and mynetworks only. Let the other server be the only MX, as RFC 5321's retries make up for it")
    }
}
