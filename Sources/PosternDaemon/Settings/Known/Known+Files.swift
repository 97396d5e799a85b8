extension Known {
    static let files: [any AnySetting] = [
        dataDirectory, policyDirectory, passwdFile, user,
    ]

    public static let dataDirectory = Setting("data_directory", FilePath("/var/lib/postern"),
        "Holds mail, queue, accounts and ledger. Must be writable.")
    public static let policyDirectory = Setting(live: "policy_directory", FilePath("policies"),
        "Folder of `*.policy` rule files, read in name order. Empty: no rules.")
    public static let passwdFile = Setting(live: "passwd_file", FilePath(""),
        "Accounts from a passwd-file as Dovecot reads it, `user:{SCHEME}hash:…`, beside those of `postern account`. It is only read, and read again when it changes. A name without `@` receives in every domain of `mydestination`. Empty: none.")
    public static let user = Setting("user", "", "The user to become after binding the ports, when started as root. Empty: stay.")
}
