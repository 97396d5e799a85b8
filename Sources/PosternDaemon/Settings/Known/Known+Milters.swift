import MilterClient

extension Known {
    static let milterLinks: [any AnySetting] = [
        milters, smtpMilters, submissionMilters, submissionsMilters, lmtpMilters, localMilters, milterDefaultAction, milterConnectTimeout, milterCommandTimeout, milterContentTimeout,
    ]

    public static let milters = Setting(live: "milters", [MilterLink.builtIn],
        "Filters of mail that comes in over our own ports or is made here, in their order: `builtin`, and milters as `inet:host:port` or `unix:/path`, or as `{ inet:host:port, default_action=accept, content_timeout=60s }` where one has settings of its own.")
    public static let smtpMilters = Setting(live: "listener_milters.smtp", ListenerMilters.asMilters, "A list in place of `milters` for mail from other servers (`listen.smtp`). `[]`: no filter, nothing is verified.")
    public static let submissionMilters = Setting(live: "listener_milters.submission", ListenerMilters.asMilters, "The same for `listen.submission`. Without `builtin` our users' mail is not signed by us.")
    public static let submissionsMilters = Setting(live: "listener_milters.submissions", ListenerMilters.asMilters, "The same for `listen.submissions`.")
    public static let lmtpMilters = Setting(live: "listener_milters.lmtp", ListenerMilters.asMilters, "The same for `listen.lmtp`. Where it is set it decides alone; where it is not, `lmtp_filters` says whether `milters` are asked at all.")
    public static let localMilters = Setting(live: "listener_milters.local", ListenerMilters.asMilters,
        "The same for mail made on this machine, such as bounces (Postfix's `non_smtpd_milters`). A bounce that a filter refuses or discards is logged and goes out all the same; a temporary refusal has it wait, at most `maximal_queue_lifetime`.")
    public static let milterDefaultAction = Setting(live: "milter_default_action", Choice(MilterClientConfiguration.DefaultAction.tempfail),
        "What happens to mail when one of those milters cannot be asked.")
    public static let milterConnectTimeout = Setting(live: "milter_connect_timeout", TimeSpan(seconds: 30), "How long to wait for a milter to take the connection.")
    public static let milterCommandTimeout = Setting(live: "milter_command_timeout", TimeSpan(seconds: 30), "How long to wait for its word on a command.")
    public static let milterContentTimeout = Setting(live: "milter_content_timeout", TimeSpan(seconds: 300), "How long to wait for its word on content and at end of message.")
}
