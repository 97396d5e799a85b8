import NetworkAddress

extension Known {
    static let identity: [any AnySetting] = [
        myhostname, mydestination, mynetworks, recipientDelimiter, postmaster, authservID,
    ]

    public static let myhostname = Setting("myhostname", DomainName("localhost") ?? .root,
        "This server's fully qualified name: in the greeting, in EHLO, in `Received`. It should have an address record, and the address a PTR record with this name.",
        wanted: "a host name such as \"mail.example.org\"") { $0.isHostName }
    public static let mydestination = Setting(live: "mydestination", [DomainName](),
        "Domains whose mail is delivered here. Their recipients are the accounts' addresses.")
    public static let mynetworks = Setting("mynetworks", [IPNetwork]("127.0.0.0/8", "::1/128"),
        "Clients that may send to other domains without logging in. Keep it to this machine.")
    public static let recipientDelimiter = Setting(live: "recipient_delimiter", "+",
        "Characters that separate an address from its tag: with `+`, `alice+shop@example.org` is delivered to `alice`. Each character counts by itself; empty turns tags off.",
        wanted: "punctuation such as \"+\" or \"+-\"") { $0.unicodeScalars.allSatisfy { "!#$%&'*+-/=?^_`{|}~".unicodeScalars.contains($0) } }
    public static let postmaster = Setting(live: "postmaster", "",
        "The account that gets mail for `postmaster` and `abuse` in every local domain, and for `root` and `mailer-daemon` of this machine, unless an account or alias has the address. Empty: the first account.")
    public static let authservID = Setting(live: "authserv_id", "",
        "The name under which `Authentication-Results` are written, and whose forgeries are removed. Empty: `myhostname`.",
        wanted: "a name such as \"mail.example.org\"") { $0.isEmpty || DomainName($0)?.isHostName == true }
}

extension [IPNetwork] {
    /// From literals known to parse; one that does not is left out.
    fileprivate init(_ texts: String...) { self = texts.compactMap { IPNetwork($0) } }
}
