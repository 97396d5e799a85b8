extension Known {
    static let limits: [any AnySetting] = [
        clientConnectionRate, clientMessageRate, clientRecipientRate, rateTimeUnit, accountMessageLimit, accountRecipientLimit, accountLimitWindow,
    ]

    public static let clientConnectionRate = Setting("smtpd_client_connection_rate_limit", 0,
        "Connections that a client may open in `anvil_rate_time_unit`; more are turned away with 421. 0: no limit. None of these limits concerns `mynetworks`.", wanted: "0 or more") { $0 >= 0 }
    public static let clientMessageRate = Setting("smtpd_client_message_rate_limit", 0,
        "Messages that a client may begin in that time; more are put off with 450. 0: no limit.", wanted: "0 or more") { $0 >= 0 }
    public static let clientRecipientRate = Setting("smtpd_client_recipient_rate_limit", 0,
        "Recipients that a client may name in that time, refused ones too; more are put off with 450. 0: no limit.", wanted: "0 or more") { $0 >= 0 }
    public static let rateTimeUnit = Setting("anvil_rate_time_unit", TimeSpan(seconds: 60), "The time that those rates are counted in.",
        wanted: "at least \"1s\"") { $0.seconds >= 1 }
    public static let accountMessageLimit = Setting(live: "account_message_limit", 0,
        "Messages that an account may send in `account_limit_time_unit`. Beyond it mail is taken and held in the queue, and the postmaster told once a day: passwords get stolen. 0: no limit. `postern account limit` sets another for one account.",
        wanted: "0 or more") { $0 >= 0 }
    public static let accountRecipientLimit = Setting(live: "account_recipient_limit", 500,
        "Recipients of all messages that an account sends in that time. 0: no limit.", wanted: "0 or more") { $0 >= 0 }
    public static let accountLimitWindow = Setting(live: "account_limit_time_unit", TimeSpan(seconds: 3600), "The time that those two limits are counted in; it slides.",
        wanted: "from \"1m\" to \"30d\"") { (60...2_592_000).contains($0.seconds) }
}
