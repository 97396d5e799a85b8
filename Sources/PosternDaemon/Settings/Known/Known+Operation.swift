extension Known {
    static let operation: [any AnySetting] = [
        logLevel, logFormat, listenMetrics, shutdownTimeout,
    ]

    public static let logLevel = Setting(live: "log_level", Choice(LogLevelName.info), "Least level that is logged.")
    public static let logFormat = Setting("log_format", Choice(LogFormat.logfmt), "How lines of the log are written: `logfmt` or `json`, each event one line.")
    public static let listenMetrics = Setting("listen.metrics", [ListenAddress](),
        "Where Prometheus finds `/metrics`, and a supervisor `/healthz` and `/readyz`: keep it to this machine, as `[\"127.0.0.1:9119\"]`. Empty: nowhere. See [operations.md](operations.md).")
    public static let shutdownTimeout = Setting("shutdown_timeout", TimeSpan(seconds: 30), "How long transactions in flight may take to finish at shutdown.")
}
