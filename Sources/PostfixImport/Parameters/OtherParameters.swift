extension Treatments {
    private static let process = Outcome.notNeeded("about Postfix's own programs and files")
    private static let verp = Outcome.notNeeded("VERP is a list program's business: it sends each copy with a sender of its own")
    private static let clientCertificates = Outcome.notNeeded("clients' certificates are not asked for")
    private static let dsa = Outcome.notNeeded("DSA certificates are out of use")
    private static let syntax = Outcome.isDefault("addresses and lines are read as RFC 5321 and 5322 write them")

    static let checks: [String: Treatment] = [
        "header_checks": Treatment(patterns), "body_checks": Treatment(patterns), "mime_header_checks": Treatment(patterns), "nested_header_checks": Treatment(patterns),
        "smtp_header_checks": Treatment(patterns), "smtp_mime_header_checks": Treatment(patterns), "smtp_nested_header_checks": Treatment(patterns), "smtp_body_checks": Treatment(patterns),
        "body_checks_size_limit": .notNeeded("rules look at headers, attachments and results"),
        "content_filter": Treatment { parameter, _, _ in parameter.value.isEmpty ? .isDefault("no other filter") : .notCarried("filters are asked as milters, before a message is taken: milters = [\"builtin\", \"inet:…\"]; amavis, rspamd and clamav speak it") },
        "smtpd_proxy_filter": Treatment { parameter, _, _ in parameter.value.isEmpty ? .isDefault("no other filter") : .notCarried("filters are asked as milters: milters = [\"builtin\", \"inet:…\"]") },
        "receive_override_options": .notNeeded("no mail is handed back by a content filter"),
        "smtpd_delay_reject": .builtIn(["yes"], "what a client is refused for is said at RCPT", else: .notNeeded("what a client is refused for is said at RCPT, which logs whom it wanted")),
        "smtpd_helo_required": .notNeeded("a client must say EHLO or HELO before it sends mail"),
        "disable_vrfy_command": .notNeeded("VRFY tells nothing (252)"),
        "smtpd_etrn_restrictions": .notNeeded("ETRN is not spoken"),
        "smtpd_restriction_classes": .notNeeded("the lists that they name are listed where they are used"),
        "strict_rfc821_envelopes": .says(syntax), "smtpd_forbid_bare_newline": .isDefault("a line ends with CR LF and with nothing else"),
        "smtpd_forbid_bare_newline_exclusions": .notCarried("a line ends with CR LF and with nothing else, whoever sends it"),
        "smtpd_forbid_unauth_pipelining": .notNeeded("commands that come together are answered one by one; what follows STARTTLS in the clear is thrown away"),
        "smtpd_discard_ehlo_keywords": Treatment { parameter, _, _ in parameter.value.isEmpty ? .isDefault("every extension is offered") : .notNeeded("the extensions offered are what this program speaks") },
        "smtpd_discard_ehlo_keyword_address_maps": .notNeeded("the extensions offered are what this program speaks"),
        "smtpd_noop_commands": .notNeeded("unknown commands are refused"), "smtpd_forbidden_commands": .notNeeded("unknown commands are refused"),
        "smtpd_peername_lookup": .builtIn(["yes"], "clients' names are looked up", else: .notNeeded("clients' names are looked up")),
        "smtpd_policy_service_timeout": .notNeeded("no policy services are asked"), "smtpd_policy_service_default_action": .notNeeded("no policy services are asked"),
        "smtpd_policy_service_request_limit": .notNeeded("no policy services are asked"), "smtpd_policy_service_max_idle": .notNeeded("no policy services are asked"),
        "policyd-spf_time_limit": .notNeeded("SPF is evaluated by the program itself, within dns.timeout"), "policy-spf_time_limit": .notNeeded("SPF is evaluated by the program itself, within dns.timeout"),
        "policy_time_limit": .notNeeded("SPF is evaluated by the program itself, within dns.timeout"),
        "smtputf8_enable": .builtIn(["yes"], "SMTPUTF8 is spoken", else: .notNeeded("SMTPUTF8 is spoken with who asks for it")), "smtputf8_autodetect_classes": .notNeeded("SMTPUTF8 is spoken with who asks for it"),
        "strict_7bit_headers": .says(syntax), "strict_8bitmime": .says(syntax), "strict_mime_encoding_domain": .says(syntax), "disable_mime_input_processing": .says(syntax),
        "allow_percent_hack": .notNeeded("user%domain is a local part like any other"), "swap_bangpath": .notNeeded("site!user is a local part like any other"),
        "allow_untrusted_routing": .isDefault("source routes are not followed"), "resolve_null_domain": .says(syntax), "resolve_numeric_domain": .says(syntax),
        "always_add_missing_headers": .notNeeded("Date and Message-ID are added to own users' mail"), "undisclosed_recipients_header": .notNeeded("a message without recipients in its header goes out as it is"),
        "local_header_rewrite_clients": .notNeeded("headers are not rewritten"), "remote_header_rewrite_domain": .notNeeded("headers are not rewritten"),
        "message_drop_headers": .notNeeded("headers are not rewritten"),
        "enable_original_recipient": .notNeeded("the original recipient is kept, for notices and tags"),
        "authorized_submit_users": .builtIn(["static:anyone"], "every user of this machine may send by postern sendmail", else: .notCarried("who may write into maildrop_directory may send by postern sendmail")),
        "authorized_mailq_users": .notNeeded("the queue is root's and our user's to look into"), "authorized_flush_users": .notNeeded("the queue is root's and our user's to look into"),
        "access_map_defer_code": .notNeeded("rules name their own codes"), "defer_code": .notNeeded("rules name their own codes"), "smtpd_reject_footer_maps": .notNeeded("rules have texts of their own"),
        "resolve_dequoted_address": .says(syntax), "message_reject_characters": .says(syntax), "message_strip_characters": .says(syntax),
        "maps_rbl_domains": .notCarried("a rule can weigh DNS lists: policies/cookbook/dns-blocklists.policy"),
        "best_mx_transport": Treatment { parameter, _, _ in parameter.value.isEmpty ? .isDefault("mail that would come back here is returned") : .notCarried("name the domains in mydestination") },
        "permit_mx_backup_networks": .notNeeded("a server that stands in for another one (secondary MX) is not what this is"),
        "default_verp_delimiters": .says(verp), "disable_verp_bounces": .says(verp), "verp_delimiter_filter": .says(verp), "smtpd_authorized_verp_clients": .says(verp),
        "relay_clientcerts": .says(clientCertificates), "smtpd_tls_ccert_verifydepth": .says(clientCertificates), "smtpd_tls_fingerprint_digest": .says(clientCertificates),
        "smtpd_tls_always_issue_session_ids": .notNeeded("sessions are resumed by tickets"), "smtpd_tls_dcert_file": .says(dsa), "smtpd_tls_dkey_file": .says(dsa),
        "smtp_tls_dcert_file": .says(dsa), "smtp_tls_dkey_file": .says(dsa),
        "smtp_tls_eccert_file": .notCarried("no certificate is shown to other servers"), "smtp_tls_eckey_file": .notCarried("no certificate is shown to other servers"),
        "smtp_tls_enforce_peername": .builtIn(["yes"], "secure and verify look at the name", else: .notCarried("encrypt in smtp_tls_policy demands TLS without a name")),
        "smtp_tls_fingerprint_cert_match": .notCarried("servers are known by their name (secure, verify) or by DANE"), "smtp_tls_fingerprint_digest": .notNeeded("servers are known by their name or by DANE"),
        "smtp_tls_force_insecure_host_tlsa_lookup": .builtIn(["no"], "TLSA records count where DNSSEC proves them", else: .notCarried("TLSA records count where DNSSEC proves them")),
        "smtp_tls_per_site": .notCarried("write its lines into [smtp_tls_policy]"), "smtp_tls_trust_anchor_file": .notCarried("name the authorities in smtp_tls_CAfile"),
        "smtp_tls_secure_cert_match": .builtIn(["nexthop, dot-nexthop"], "secure means the recipient's domain or one below it", else: .notCarried("[smtp_tls_policy] takes match=… for each destination")),
        "smtp_tls_verify_cert_match": .builtIn(["hostname"], "verify means the server's name", else: .notCarried("[smtp_tls_policy] takes match=… for each destination")),
        "smtp_tls_servername": .notNeeded("the server's name is said in the handshake (SNI)"),
        "smtp_address_verify_target": .notNeeded("addresses elsewhere are not tried out beforehand"), "smtp_cname_overrides_servername": .builtIn(["no"], "a server has the name it was asked for by", else: .notCarried("a server has the name it was asked for by")),
        "smtp_discard_ehlo_keywords": Treatment { parameter, _, _ in parameter.value.isEmpty ? .isDefault("what a server offers is used") : .notCarried("what a server offers is used") },
        "smtp_discard_ehlo_keyword_address_maps": .notCarried("what a server offers is used"),
        "smtp_min_data_rate": .notNeeded("deliveries have deadlines of their own (RFC 5321 §4.5.3.2)"), "smtp_per_request_deadline": .notNeeded("deliveries have deadlines of their own (RFC 5321 §4.5.3.2)"),
        "smtp_sasl_auth_cache_name": .notNeeded("a log-in that fails is tried again with the next attempt"), "smtp_sasl_auth_cache_time": .notNeeded("a log-in that fails is tried again with the next attempt"),
        "smtp_sasl_auth_soft_bounce": .builtIn(["yes"], "a log-in that fails has mail wait", else: .notNeeded("a log-in that fails has mail wait")), "send_cyrus_sasl_authzid": .notNeeded("no SASL library is used"),
        "smtp_sasl_tls_verified_security_options": .isDefault("a password goes out within TLS only"), "smtp_send_dummy_mail_auth": .notNeeded("AUTH= is not sent to servers that do not ask for it"),
        "smtp_skip_quit_response": .notNeeded("nobody waits for the answer to QUIT"),
        "smtpd_command_filter": Treatment { parameter, _, _ in parameter.value.isEmpty ? .isDefault("commands are read as they come") : .notCarried("commands are read as they come") },
        "smtpd_milter_maps": .notCarried("trusted clients are told by rules (client.ip in …); milters are the same for all of a port: listener_milters"),
        "smtpd_policy_service_max_ttl": .notNeeded("no policy services are asked"), "smtpd_policy_service_policy_context": .notNeeded("no policy services are asked"),
        "smtpd_policy_service_retry_delay": .notNeeded("no policy services are asked"), "smtpd_policy_service_try_limit": .notNeeded("no policy services are asked"),
        "smtpd_proxy_ehlo": .notNeeded("filters are asked as milters"), "smtpd_proxy_options": .notNeeded("filters are asked as milters"),
        "smtpd_reject_unlisted_sender": .builtIn(["no"], "see policies/cookbook/own-domain.policy", else: .notCarried("policies/cookbook/own-domain.policy refuses our own domain in strangers' envelopes")),
        "fallback_transport_maps": .notCarried("an address that nobody has is refused; catch_all takes the rest of a domain"),
        "reject_code": .notNeeded("rules name their own codes"), "default_rbl_reply": .notNeeded("rules have texts of their own"), "rbl_reply_maps": .notNeeded("rules have texts of their own"),
        "smtpd_reject_footer": .notNeeded("rules have texts of their own"),
    ]

    private static func patterns(_ parameter: Parameter, _ draft: inout Draft, _ source: ImportSource) -> Outcome {
        parameter.value.isEmpty ? .isDefault("no such checks")
            : .notCarried("patterns are not carried; write what they do as rules: when header[\"Subject\"] matches /…/i then reject (policies/README.md)")
    }

    static let postfixItself: [String: Treatment] = [
        "compatibility_level": .notNeeded("about Postfix's versions"), "queue_directory": .notNeeded("data_directory holds the queue; empty Postfix's first: postqueue -f, postqueue -p"),
        "data_directory": .notNeeded("data_directory here is /var/lib/postern, and never Postfix's"), "config_directory": .says(process), "mail_owner": .notNeeded("user is the account that the server runs as"),
        "syslog_name": .notNeeded("logs go to standard error, which systemd names after the service"), "syslog_facility": .notNeeded("logs go to standard error"),
        "maillog_file": .notNeeded("logs go to standard error"), "debug_peer_list": .notNeeded("log_level = \"debug\""), "debug_peer_level": .notNeeded("log_level = \"debug\""),
        "debugger_command": .says(process), "setgid_group": .says(process), "mail_version": .says(process), "ipc_timeout": .says(process), "max_idle": .says(process), "max_use": .says(process),
        "stress": .says(process), "import_environment": .says(process), "export_environment": .says(process), "mail_release_date": .says(process), "shlib_directory": .says(process),
        "meta_directory": .says(process), "default_database_type": .says(process), "proxy_read_maps": .says(process), "proxy_write_maps": .says(process), "process_id_directory": .says(process),
        "master_service_disable": .says(process), "daemon_timeout": .says(process), "service_throttle_time": .says(process), "in_flow_delay": .says(process), "trigger_timeout": .says(process),
        "address_verify_map": .notNeeded("addresses elsewhere are not tried out beforehand"), "unverified_recipient_reject_code": .notNeeded("addresses elsewhere are not tried out beforehand"),
        "allow_min_user": .says(process), "alternate_config_directories": .says(process), "application_event_drain_time": .says(process),
        "backwards_bounce_logfile_compatibility": .says(process), "cleanup_replace_stray_cr_lf": .says(process), "connection_cache_status_update_time": .says(process),
        "connection_cache_ttl_limit": .says(process), "daemon_table_open_error_is_fatal": .says(process), "default_filter_nexthop": .says(process),
        "defer_transports": .says(process), "delay_logging_resolution_limit": .says(process), "destination_concurrency_feedback_debug": .says(process),
        "detect_8bit_encoding_header": .says(process), "dns_ncache_ttl_fix_enable": .says(process), "dnsblog_reply_delay": .says(process),
        "dnssec_probe": .says(process), "duplicate_filter_limit": .says(process), "empty_address_default_transport_maps_lookup_key": .says(process),
        "empty_address_local_login_sender_maps_lookup_key": .says(process), "empty_address_recipient": .says(process), "empty_address_relayhost_maps_lookup_key": .says(process),
        "enable_idna2003_compatibility": .says(process), "enable_threaded_bounces": .says(process), "fast_flush_purge_time": .says(process),
        "fast_flush_refresh_time": .says(process), "fault_injection_code": .says(process), "header_from_format": .says(process),
        "info_log_address_format": .says(process), "known_tcp_ports": .says(process), "lmdb_map_size": .says(process),
        "maillog_file_compressor": .says(process), "maillog_file_prefixes": .says(process), "maillog_file_rotate_suffix": .says(process),
        "process_id": .says(process), "process_name": .says(process), "queue_file_attribute_count_limit": .says(process),
        "respectful_logging": .says(process), "service_name": .says(process), "stale_lock_time": .says(process),
        "tcp_windowsize": .says(process), "transport_retry_time": .says(process), "smtpd_client_port_logging": .says(process),
        "smtpd_history_flush_threshold": .says(process), "smtpd_log_access_permit_actions": .says(process), "smtpd_null_access_lookup_key": .says(process),
        "smtpd_delay_open_until_valid_rcpt": .says(process), "smtpd_relay_before_recipient_restrictions": .says(process), "smtpd_sasl_response_limit": .says(process),
        "sendmail_fix_line_endings": .says(process), "local_login_sender_maps": .says(process),
        "sun_mailtool_compatibility": .says(process), "helpful_warnings": .says(process),
    ]

    struct Family: Sendable {
        let matches: @Sendable (String) -> Bool
        let treatment: Treatment
    }

    private static func family(suffix: String, _ treatment: Treatment) -> Family { Family(matches: { $0.hasSuffix(suffix) }, treatment: treatment) }
    private static func family(prefix: String, _ treatment: Treatment) -> Family { Family(matches: { $0.hasPrefix(prefix) }, treatment: treatment) }

    /// Parameters that come in dozens: by transport, by daemon, by folder.
    static let families: [Family] = [
        family(prefix: "postscreen_dnsbl_sites", .notCarried("a rule can weigh DNS lists: policies/cookbook/dns-blocklists.policy")),
        family(prefix: "postscreen_", .notNeeded("there is no postscreen: connections cost little here, and rules at connect and the greylist turn away what it did")),
        family(prefix: "lmtp_", .notNeeded("mail for our domains goes into the Maildirs; lmtp: in [transport] has the settings of smtp_")),
        family(prefix: "address_verify_", .notNeeded("addresses elsewhere are not tried out beforehand")),
        family(prefix: "tlsproxy_", .says(process)), family(prefix: "qmqpd_", .notNeeded("QMQP is not spoken")), family(prefix: "multi_instance_", .says(process)), family(prefix: "postmulti_", .says(process)),
        family(prefix: "qmgr_", .says(process)), family(prefix: "tls_", .notNeeded("OpenSSL's own settings hold")), family(prefix: "berkeley_db_", .says(process)), family(prefix: "strict_", .says(syntax)),
        family(prefix: "unverified_", .notNeeded("addresses elsewhere are not tried out beforehand")),
        family(suffix: "_service_name", .says(process)), family(suffix: "_directory", .says(process)), family(suffix: "_path", .says(process)), family(suffix: "_expansion_filter", .says(process)),
        family(suffix: "_reject_code", .notNeeded("rules name their own codes")), family(suffix: "_tempfail_action", .notNeeded("what cannot be looked up refuses nothing for good")),
        family(suffix: "_delivery_slot_cost", .says(process)), family(suffix: "_delivery_slot_discount", .says(process)), family(suffix: "_delivery_slot_loan", .says(process)),
        family(suffix: "_minimum_delivery_slots", .says(process)), family(suffix: "_recipient_refill_limit", .says(process)), family(suffix: "_recipient_refill_delay", .says(process)),
        family(suffix: "_extra_recipient_limit", .says(process)), family(suffix: "_recipient_limit", .notNeeded("default_destination_recipient_limit holds for every destination")),
        family(suffix: "_concurrency_limit", .notNeeded("default_destination_concurrency_limit holds for every destination")),
        family(suffix: "_initial_destination_concurrency", .notNeeded("initial_destination_concurrency holds for every destination")),
        family(suffix: "_failed_cohort_limit", .notNeeded("default_destination_concurrency_failed_cohort_limit holds for every destination")),
        family(suffix: "_feedback", .notNeeded("one more or one less with each delivery")),
        family(suffix: "_rate_delay", .notCarried("deliveries to one destination are bounded by their number at once, not by pauses")),
        family(suffix: "_delivery_status_filter", .notCarried("answers of other servers are taken as they are")), family(suffix: "_reply_filter", .notCarried("answers of other servers are taken as they are")),
        family(suffix: "_timeout", .notNeeded("deliveries have deadlines of their own (RFC 5321 §4.5.3.2)")), family(suffix: "_time_limit", .says(process)),
        family(suffix: "_destination_recipient_limit", .notNeeded("default_destination_recipient_limit holds for every destination")),
        family(prefix: "smtp_pix_", .notNeeded("about firewalls of the nineties")), family(prefix: "fork_", .says(process)), family(prefix: "ipc_", .says(process)),
    ]
}
