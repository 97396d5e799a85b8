extension Known {
    static let dmarc: [any AnySetting] = [
        dmarcRecordLifetime,
    ]

    public static let dmarcRecordLifetime = Setting("dmarc_record_lifetime", TimeSpan(seconds: 2_592_000),
        "How long a row about each message that DMARC was asked about is kept, for aggregate reports and `postern dmarc`. 0: none is written.")
}
