import MilterServer

extension Known {
    static let listeners: [any AnySetting] = [
        listenSMTP, listenSubmission, listenSubmissions, listenIMAP, listenIMAPS, listenMilter, listenLMTP, listenDovecotAuth, listenHTTP, listenHTTPS,
        unixSocketMode, unixSocketGroup, lmtpFilters,
    ]

    public static let listenSMTP = Setting("listen.smtp", [ListenAddress(host: nil, port: 25)], "Mail from other servers.")
    public static let listenSubmission = Setting("listen.submission", [ListenAddress(host: nil, port: 587)],
        "Submission by our users: STARTTLS and a log-in are demanded.")
    public static let listenSubmissions = Setting("listen.submissions", [ListenAddress(host: nil, port: 465)],
        "Submission by our users with TLS from the first octet (RFC 8314).")
    public static let listenIMAP = Setting("listen.imap", [ListenAddress(host: nil, port: 143)], "IMAP with STARTTLS.")
    public static let listenIMAPS = Setting("listen.imaps", [ListenAddress(host: nil, port: 993)], "IMAP with TLS from the first octet.")
    public static let listenMilter = Setting("listen.milter", "inet:localhost:12301",
        "Where a Postfix or another MTA reaches the filters, written as its `smtpd_milters` has it (`inet:host:port`, `unix:/path`) or as libmilter has it (`inet:port@host`, `inet6:port@host`, `local:/path`). For a chrooted Postfix the path lies in its queue folder: `unix:/var/spool/postfix/private/postern-milter` is its `unix:private/postern-milter`. Empty: no milter listener.",
        wanted: "\"inet:host:port\", \"inet:port@host\", \"inet6:port@host\" or \"unix:/path\" with a port from 1 to 65535 and an absolute path of at most 107 octets, or \"\" for none") { $0.isEmpty || MilterServerConfiguration.canListen(on: $0) }
    public static let listenLMTP = Setting("listen.lmtp", [SocketSetting](),
        "Where another MTA hands over mail for our accounts by LMTP: `unix:/path` or `address:port`. For Postfix's chrooted clients the path lies in its queue folder: `unix:/var/spool/postfix/private/postern-lmtp` is its `lmtp:unix:private/postern-lmtp` (`private/lmtp` is a socket of its own). Whoever can connect can deliver: keep it to this machine.")
    public static let listenDovecotAuth = Setting("listen.dovecot_auth", [SocketSetting](),
        "Where Postfix (`smtpd_sasl_type = dovecot`) or Exim has log-ins checked: `unix:/var/spool/postfix/private/auth` is its `smtpd_sasl_path = private/auth`; or `address:port`, which is not encrypted: keep it to this machine.")
    public static let listenHTTP = Setting("listen.http", [ListenAddress(host: nil, port: 80)],
        "Where http-01 challenges are answered, and nothing else; bound only with `acme` and that `acme_challenge`. Where a web server has port 80, let it pass `/.well-known/acme-challenge/` on to another one.")
    public static let listenHTTPS = Setting("listen.https", [ListenAddress(host: nil, port: 443)],
        "Where tls-alpn-01 challenges are answered and MTA-STS policies served; bound only with that `acme_challenge`, or with `mta_sts_mode`.")
    public static let unixSocketMode = Setting("unix_socket_mode", FileMode(bits: 0o660), "Permission bits of the UNIX sockets of `listen.lmtp`, `listen.dovecot_auth` and `listen.milter`. Who connects needs the right to write.")
    public static let unixSocketGroup = Setting("unix_socket_group", "postfix", "The group those sockets are given to. Empty: our own.")
    public static let lmtpFilters = Setting(live: "lmtp_filters", false,
        "Whether mail by LMTP goes through `milters`, unless `listener_milters.lmtp` is set. No when its MTA asks us as its milter: then the filters have had their say, and the folder and keywords they wished for are honoured here.")
}
