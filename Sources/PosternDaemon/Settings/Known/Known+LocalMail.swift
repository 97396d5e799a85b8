import MailStore
import NetworkAddress

extension Known {
    static let localMail: [any AnySetting] = [
        myorigin, maildropDirectory, mailboxSizeLimit, quotaFullTempfail, hierarchySeparator,
    ]

    public static let myorigin = Setting(live: "myorigin", "",
        "The domain of senders and recipients that mail made on this machine names without one, as cron's `root`. Empty: `myhostname`.",
        wanted: "a domain name such as \"example.org\"") { $0.isEmpty || DomainName($0)?.isHostName == true }
    public static let maildropDirectory = Setting("maildrop_directory", FilePath(""),
        "Where `postern sendmail` puts mail for the server to pick up: everybody on this machine may write there, nobody read. Empty: `maildrop` in `data_directory`, which then lets everybody walk through it to there.")
    public static let mailboxSizeLimit = Setting(live: "mailbox_size_limit", 0,
        "Octets that all mail of an account may take on disk. Beyond it mail is refused at RCPT and at the end of the data, over LMTP too, and APPEND and COPY say OVERQUOTA. 0: no limit.",
        wanted: "0 or more") { $0 >= 0 }
    public static let hierarchySeparator = Setting("imap_hierarchy_separator", "/",
        "What mail clients see between the levels of folder names. On disk it is a dot, whatever this says.", wanted: "\"/\" or \".\"") { ["/", "."].contains($0) }
    public static let quotaFullTempfail = Setting(live: "quota_full_tempfail", false,
        "Whether mail for a full mailbox is to be tried again (452) rather than returned (552).")
}

extension Settings {
    var mailboxLimit: MailboxLimit { MailboxLimit(octets: self[Known.mailboxSizeLimit], isTemporary: self[Known.quotaFullTempfail]) }

    /// The folder of mail that users of this machine drop.
    public var maildropFolder: String {
        let named = self[Known.maildropDirectory].path
        return named.isEmpty ? self[Known.dataDirectory].path + "/maildrop" : named
    }

    /// What an address without a domain gets.
    public var origin: DomainName { DomainName(self[Known.myorigin]).flatMap { $0.isRoot ? nil : $0 } ?? self[Known.myhostname] }
}
