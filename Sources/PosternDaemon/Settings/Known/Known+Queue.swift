extension Known {
    static let queue: [any AnySetting] = [
        initialDestinationConcurrency, destinationConcurrencyLimit, smtpHostConcurrencyLimit, failedCohortLimit, processLimit, destinationRecipientLimit,
        destinationLimits,
        delayWarningTime, bounceQueueLifetime,
    ]

    public static let initialDestinationConcurrency = Setting("initial_destination_concurrency", 5,
        "Deliveries at once to one destination at first. With every one that reaches it one more is allowed, with every one that does not, one less.",
        wanted: "1 or more") { $0 >= 1 }
    public static let destinationConcurrencyLimit = Setting("default_destination_concurrency_limit", 20,
        "Deliveries at once to one destination at the most: a next hop, or a domain where mail goes by MX.",
        wanted: "1 or more") { $0 >= 1 }
    public static let smtpHostConcurrencyLimit = Setting("smtp_host_concurrency_limit", 20,
        "Connections at once to one server, whichever destinations' mail they carry: many domains may have the same provider. It begins with `initial_destination_concurrency` and grows and shrinks as that does. 0: no limit.")
    public static let failedCohortLimit = Setting("default_destination_concurrency_failed_cohort_limit", 1,
        "Failed attempts in a row, counted in as many as may go at once, after which a destination counts as dead: all its mail then waits for `minimal_backoff_time` without an attempt. 0: never.")
    public static let processLimit = Setting("default_process_limit", 100, "Deliveries at once in all. One sender may have three quarters of them.",
        wanted: "1 or more") { $0 >= 1 }
    public static let destinationRecipientLimit = Setting("default_destination_recipient_limit", 50, "Recipients of one message in one transaction.",
        wanted: "1 or more") { $0 >= 1 }
    public static let destinationLimits = Setting("destination_limits", KeyedTable<DestinationLimitEntry>(),
        "Other limits for single destinations: `\"provider.example\" = \"concurrency=2 recipients=10 rate_delay=1s\"`, by domain, `.domain` or next hop. `rate_delay` is the least time between the beginnings of two deliveries. See [limits.md](limits.md).")
    public static let delayWarningTime = Setting("delay_warning_time", TimeSpan(seconds: 0),
        "When a sender is told, once, that its message still waits. 0: never.")
    public static let bounceQueueLifetime = Setting("bounce_queue_lifetime", TimeSpan(seconds: 432_000),
        "As `maximal_queue_lifetime`, for notices and other mail with the null sender.")
}
