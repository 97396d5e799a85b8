extension Known {
    static let dkim: [any AnySetting] = [
        dkimKeys, dkimKeyDirectory, dkimRetirementTime, dkimSignatureLimit,
    ]

    public static let dkimKeys = Setting(live: "dkim", [DKIMKeySetting](),
        "Signing keys in files of your own. All keys that fit the `From:` domain of our own mail sign it, as do those that `postern dkim` keeps.")
    public static let dkimKeyDirectory = Setting(live: "dkim_key_directory", FilePath(""),
        "Where `postern dkim` keeps keys and their states. Empty: `dkim` in `data_directory`.")
    public static let dkimRetirementTime = Setting(live: "dkim_retirement_time", TimeSpan(seconds: 604_800),
        "How long a replaced key's DNS record stays published: longer than any message may be under way.")
    public static let dkimSignatureLimit = Setting(live: "dkim_signature_limit", 10,
        "Signatures of one message that are checked; further ones are told as not checked. Each costs a DNS look-up and a hash of the body.",
        wanted: "1 to 100") { (1...100).contains($0) }
}
