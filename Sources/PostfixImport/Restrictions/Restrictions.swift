/// What single restrictions are here (postconf(5)).
enum Restrictions {
    struct Permit: Sendable {
        /// What is true of those who are not let through.
        let rest: String?
        let blurs: Bool
        let outcome: Outcome
    }

    static let permits: [String: Permit] = [
        "permit_mynetworks": Permit(rest: "not client.own", blurs: false, outcome: .isDefault("mynetworks may send everywhere; the rules of this list leave them alone")),
        "permit_sasl_authenticated": Permit(rest: "account == missing", blurs: false, outcome: .isDefault("own users may send everywhere; the rules of this list leave them alone")),
        "permit_inet_interfaces": Permit(rest: "not client.own", blurs: false, outcome: .isDefault("this machine is in mynetworks")),
        "permit_auth_destination": Permit(rest: nil, blurs: true, outcome: .isDefault("mail for our domains is taken from everybody")),
        "permit_mx_backup": Permit(rest: nil, blurs: true, outcome: .notCarried("a server that stands in for another one (secondary MX) is not what this is")),
        "permit_tls_clientcerts": Permit(rest: nil, blurs: true, outcome: .notCarried("clients' certificates are not asked for; let them log in")),
        "permit_tls_all_clientcerts": Permit(rest: nil, blurs: true, outcome: .notCarried("clients' certificates are not asked for; let them log in")),
        "permit_naked_ip_address": Permit(rest: nil, blurs: true, outcome: .notCarried("a rule can ask for it: helo matches …")),
    ]

    static let builtIn: [String: Outcome] = [
        "reject_unauth_destination": relaying, "defer_unauth_destination": relaying, "check_relay_domains": relaying,
        "reject_unlisted_recipient": .isDefault("an address that nobody has is refused with 550 5.1.1"),
        "check_recipient_maps": .isDefault("an address that nobody has is refused with 550 5.1.1"),
        "reject_non_fqdn_recipient": .isDefault("an address that nobody has is refused with 550 5.1.1"),
        "reject_unknown_recipient_domain": .notNeeded("a domain that does not exist is found out when mail to it leaves, and its sender is told"),
        "reject_unauth_pipelining": .notNeeded("commands that come together are answered one by one"),
        "reject_plaintext_session": .isDefault("submission demands TLS"),
        "defer_if_permit": .notNeeded("it is for testing"), "defer_if_reject": .notNeeded("it is for testing"),
    ]
    private static let relaying = Outcome.isDefault("mail for other domains is taken from own users and mynetworks only")

    /// Restrictions that rules can say: when, and what then. Codes are Postfix's defaults.
    static let conditions: [String: (String, String)] = [
        "reject_unknown_client_hostname": ("client.name == missing", "tempfail 450 \"4.7.25\" \"Client host rejected: cannot find your hostname\""),
        "reject_unknown_client": ("client.name == missing", "tempfail 450 \"4.7.25\" \"Client host rejected: cannot find your hostname\""),
        "reject_invalid_helo_hostname": (invalidName, "reject 501 \"5.5.2\" \"Helo command rejected: Invalid name\""),
        "reject_invalid_hostname": (invalidName, "reject 501 \"5.5.2\" \"Helo command rejected: Invalid name\""),
        "reject_non_fqdn_helo_hostname": (shortName, "reject 504 \"5.5.2\" \"Helo command rejected: need fully-qualified hostname\""),
        "reject_non_fqdn_hostname": (shortName, "reject 504 \"5.5.2\" \"Helo command rejected: need fully-qualified hostname\""),
        "reject_non_fqdn_sender": ("sender != missing and not sender.domain matches /\\./", "reject 504 \"5.5.2\" \"Sender address rejected: need fully-qualified address\""),
        "reject_unknown_sender_domain": ("sender.mx in [none, null]", "tempfail 450 \"4.1.8\" \"Sender address rejected: Domain not found\""),
        "reject_sender_login_mismatch": ("(account != missing and sender.allowed == false or sender.own)", "reject 553 \"5.7.1\" \"Sender address rejected: not owned by user\""),
        "reject_authenticated_sender_login_mismatch": ("account != missing and sender.allowed == false", "reject 553 \"5.7.1\" \"Sender address rejected: not owned by user {account}\""),
        "reject_known_sender_login_mismatch": ("account != missing and sender.allowed == false", "reject 553 \"5.7.1\" \"Sender address rejected: not owned by user {account}\""),
        "reject_unauthenticated_sender_login_mismatch": ("sender.own", "reject 553 \"5.7.1\" \"Sender address rejected: not logged in\""),
        "reject_multi_recipient_bounce": ("sender == missing and recipients.count > 1", "reject 550 \"5.5.3\" \"Error: Multi-recipient bounce\""),
    ]
    private static let invalidName = "not helo matches /^\\[[0-9A-Fa-f.:IPv]+\\]$|^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\\.?$/"
    private static let shortName = "not helo matches /\\.|^\\[/"

    static let others: [String: Outcome] = [
        "reject_unknown_helo_hostname": .notCarried("rules do not look up the HELO name; spf and client.name say more of a client"),
        "reject_unknown_hostname": .notCarried("rules do not look up the HELO name; spf and client.name say more of a client"),
        "reject_unknown_reverse_client_hostname": .notCarried("client.name is the verified name: a rule on it would refuse more; policies/cookbook/greylisting.policy has such clients come again"),
        "reject_unverified_recipient": .notCarried("addresses elsewhere are not tried out beforehand"),
        "reject_unverified_sender": .notCarried("addresses elsewhere are not tried out beforehand"),
        "reject_unknown_forward_client_hostname": .notCarried("client.name is the verified name: a rule on it would refuse more"),
        "reject_unlisted_sender": .notCarried("policies/cookbook/own-domain.policy refuses our own domain in strangers' envelopes"),
        "reject_unknown_address": .notCarried("sender.mx can be asked by a rule"),
    ]
}
