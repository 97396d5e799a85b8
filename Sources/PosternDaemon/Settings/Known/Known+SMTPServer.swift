import NetworkAddress

extension Known {
    static let smtpServer: [any AnySetting] = [
        messageSizeLimit, recipientLimit, clientConnectionLimit, connectionLimit, smtpdTimeout, receivedHeaderUser, xclientHosts,
        trustedRelays, hopcountLimit,
    ]

    public static let messageSizeLimit = Setting("message_size_limit", 10_240_000, "Largest message accepted, in octets.",
        wanted: "10000 or more") { $0 >= 10_000 }
    public static let recipientLimit = Setting("smtpd_recipient_limit", 1000, "Recipients per message.",
        wanted: "1 or more") { $0 >= 1 }
    public static let clientConnectionLimit = Setting("smtpd_client_connection_count_limit", 50, "Connections at once from one client address. 0: no limit.")
    public static let connectionLimit = Setting("smtpd_connection_limit", 1000, "SMTP connections at once in all. 0: no limit.")
    public static let smtpdTimeout = Setting("smtpd_timeout", TimeSpan(seconds: 300), "How long to wait for a client's next line or data.",
        wanted: "at least \"1s\"") { $0.seconds >= 1 }
    public static let xclientHosts = Setting("smtpd_authorized_xclient_hosts", [IPNetwork](),
        "Proxies that may say with XCLIENT who the client is: its name, address, HELO and log-in are then believed.")
    public static let trustedRelays = Setting(live: "trusted_relays", [IPNetwork](),
        "Servers of yours that pass on mail from elsewhere, a secondary MX for one. Of their mail the client's address, HELO and TLS are taken from the `Received` field that they wrote, so that SPF and DMARC stay right.")
    public static let receivedHeaderUser = Setting("smtpd_sasl_authenticated_header", false,
        "Whether `Received` names the account that logged in.")
    public static let hopcountLimit = Setting("hopcount_limit", 50, "`Received` fields beyond which a message is taken to go in circles.",
        wanted: "1 or more") { $0 >= 1 }
}
