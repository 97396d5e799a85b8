extension Known {
    static let records: [any AnySetting] = [
        decisionRecordLifetime,
    ]

    public static let decisionRecordLifetime = Setting("decision_record_lifetime", TimeSpan(seconds: 2_592_000),
        "How long the record of each message is kept, for `postern explain` and `postern policy replay`: who sent it, what was found, which rules matched, where each copy went, and the header. 0: none is written.")
}
