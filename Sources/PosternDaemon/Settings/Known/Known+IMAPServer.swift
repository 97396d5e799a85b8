extension Known {
    static let imapServer: [any AnySetting] = [imapConnectionLimit, imapClientConnectionLimit]

    public static let imapConnectionLimit = Setting("imap_connection_limit", 10_000, "IMAP connections at once in all. 0: no limit.")
    public static let imapClientConnectionLimit = Setting("imap_client_connection_limit", 50,
        "IMAP connections at once from one client address; many people may share one. 0: no limit.")
}
